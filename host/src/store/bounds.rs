//! Enforces the bounds of items and of the library when something is written.
//!
//! Items are checked before the transaction, because other writers wait for that. Refuses an item that breaks a bound
//! further than it did before. Passes over content that came with the program or is written already.

use crate::domain::{AnyItem, InvalidItem, Kind, Problems, bounds};

use super::{Authority, Change, ChangeSet, Error, Snapshot, Strictness, Tolerated};

/// Checks the items that `changes` put against the bounds, without people, who are looked up later. Returns the
/// problems that an author would have to mend, if the change set only reports them.
pub(super) fn items(changes: &ChangeSet, library: &Snapshot) -> Result<Vec<Tolerated>, Error> {
    let mut tolerated = Vec::new();
    if changes.authority == Authority::Product {
        return Ok(tolerated);
    }
    for change in &changes.changes {
        let Change::Put { name, item, .. } = change else { continue };
        if item.kind() != Kind::User {
            let before = library.entry(item.kind(), name).map(|entry| &entry.item);
            tolerated.extend(one(name, item, before, changes.strictness)?);
        }
    }
    Ok(tolerated)
}

/// Checks one item against the bounds.
pub(super) fn one(
    name: &str,
    item: &AnyItem,
    before: Option<&AnyItem>,
    strictness: Strictness,
) -> Result<impl Iterator<Item = Tolerated>, Error> {
    let (kind, problems) = (item.kind(), bounds::check(item, before));
    let name = name.to_owned();
    if problems.iter().any(|problem| strictness == Strictness::Refuse || !problem.tolerable) {
        return Err(InvalidItem { kind, name, problems: Problems(problems) }.into());
    }
    Ok(problems.into_iter().map(move |problem| Tolerated { kind, name: name.clone(), problem }))
}

/// Refuses a library that is larger than allowed and larger than `before`.
pub(super) fn library(before: &Snapshot, after: &Snapshot) -> Result<(), Error> {
    let hold = |what: &'static str, was: usize, count: usize, max: usize| {
        if count > max && count > was { Err(Error::LibraryFull { what, count, max }) } else { Ok(()) }
    };
    for kind in Kind::ALL {
        if let Some(max) = bounds::items_max(*kind) {
            hold(kind.plural(), before.count(*kind), after.count(*kind), max)?;
        }
    }
    let items = |of: &Snapshot| Kind::ALL.iter().map(|kind| of.count(*kind)).sum();
    hold("items", items(before), items(after), bounds::LIBRARY_ITEMS_MAX)?;
    let bytes = after.bytes();
    // Most libraries are so small that the size of the one before need not be computed.
    let was = if bytes > bounds::LIBRARY_BYTES_MAX { before.bytes() } else { 0 };
    hold("bytes of items", was, bytes, bounds::LIBRARY_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::domain::Revision;
    use crate::store::{Entry, Layer};

    use super::*;

    fn queues(count: usize, description: &str) -> Snapshot {
        let queue = json!({"name": "Desk", "description": description});
        let queue = AnyItem::parse(Kind::Queue, "desk", queue).unwrap();
        let entry =
            |number: usize| (Arc::from(format!("desk{number}")), Entry::new(queue.clone(), Revision(1), Layer::Custom));
        Snapshot::new(Revision(1), (0..count).map(entry))
    }

    fn told(before: &Snapshot, after: &Snapshot) -> String {
        library(before, after).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_library_grows_up_to_its_bounds_and_no_further() {
        let max = bounds::items_max(Kind::Queue).unwrap();
        let (none, most, more) = (Snapshot::default(), queues(max, ""), queues(max + 1, ""));
        assert_eq!(told(&none, &most), "");
        insta::assert_snapshot!(told(&most, &more), @"the environment would have 5001 queues, 5000 are the most: delete what is not used first");
        assert_eq!(told(&more, &more), "", "what is there already can be changed");
        assert_eq!(told(&queues(max + 2, ""), &more), "", "and made smaller");
        assert_eq!(bounds::items_max(Kind::User), None, "people are as many as there is disk");
    }

    #[test]
    fn the_bytes_of_a_library_are_bounded_whatever_it_has() {
        let of = |bytes: usize| {
            let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": "Desk"})).unwrap();
            let entry = Entry::stored(queue, Revision(1), Layer::Custom, bytes);
            Snapshot::new(Revision(1), [(Arc::from("desk"), entry)])
        };
        let max = bounds::LIBRARY_BYTES_MAX;
        assert_eq!(told(&of(1), &of(max)), "");
        insta::assert_snapshot!(told(&of(1), &of(max + 1)), @"the environment would have 67108865 bytes of items, 67108864 are the most: delete what is not used first");
        assert_eq!(told(&of(max + 2), &of(max + 1)), "", "a library that is too large can be made smaller");
        assert_eq!(
            queues(3, "x").bytes(),
            3 * queues(1, "x").bytes(),
            "an item that was not read from a text is measured"
        );
    }
}
