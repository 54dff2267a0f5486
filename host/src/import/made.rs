//! Bounds the bytes of the items that a plan makes of an archive.
//!
//! A row may become a part of many items, so the size of an archive says little about the size of its items. Copies and
//! planned items are counted as JSON. Refuses more than a library may have.

use serde::Serialize;

use super::unreadable::Unreadable;

/// The bytes that a plan may still make.
#[derive(Debug)]
pub(super) struct Made {
    left: usize,
    max: usize,
}

impl Made {
    /// A budget of `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self { left: max, max }
    }

    /// Takes `bytes` from the budget. Refuses if less is left.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Unreadable> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            let max = self.max;
            Unreadable(format!(
                "the archive would make more than {max} bytes of items: split it into several solutions"
            ))
        })?;
        Ok(())
    }

    /// Returns `bytes` that were taken for something that is not made after all.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.left += bytes;
    }
}

/// The number of bytes of a value as JSON. Values of the domain have text keys, so all have a JSON form.
pub(super) fn size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_makes_as_much_as_a_library_may_have_and_no_more() {
        let mut made = Made::new(64 << 20);
        made.take(64 << 20).unwrap();
        let refused = made.take(1).unwrap_err().to_string();
        insta::assert_snapshot!(refused, @"the archive would make more than 67108864 bytes of items: split it into several solutions");
        made.give_back(1);
        made.take(1).unwrap();
    }
}
