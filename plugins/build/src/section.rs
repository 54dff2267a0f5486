//! The manifest inside a component: one custom section at its outermost level.
//!
//! Knows just enough of the binary format to walk over sections. The host checks whether the component is
//! valid.

use crate::{Error, SIGNATURE_SECTION};

/// The name of the custom section that holds the manifest, as the text of `plugin.toml`.
pub const MANIFEST_SECTION: &str = "loadout:manifest";

/// Magic number, version 13, layer 1: a component. Core modules have layer 0.
const COMPONENT_PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

const CUSTOM: u8 = 0;

/// Returns the component with the manifest as its last section. A manifest that was there before is replaced;
/// signatures, which would not hold any more, are taken away.
///
/// ```
/// # use loadout_plugin_build::embed_manifest;
/// let empty = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// let once = embed_manifest(&empty, "[plugin]\nname = \"old\"\n")?;
/// let twice = embed_manifest(&once, "[plugin]\nname = \"new\"\n")?;
/// assert_eq!(twice, embed_manifest(&empty, "[plugin]\nname = \"new\"\n")?);
/// # Ok::<(), loadout_plugin_build::Error>(())
/// ```
pub fn embed_manifest(component: &[u8], manifest_toml: &str) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(component.len() + manifest_toml.len() + 64);
    out.extend(COMPONENT_PREAMBLE);
    for section in Sections::of(component)? {
        let section = section?;
        if !section.name().is_some_and(|name| [MANIFEST_SECTION, SIGNATURE_SECTION].contains(&name)) {
            out.extend(section.whole);
        }
    }
    out.extend(custom(MANIFEST_SECTION, manifest_toml.as_bytes()));
    Ok(out)
}

/// Returns the manifest of a component, as the text of `plugin.toml`; none if the component has none.
///
/// ```
/// # use loadout_plugin_build::{embed_manifest, manifest_of};
/// let empty = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// let component = embed_manifest(&empty, "[plugin]")?;
/// assert_eq!((manifest_of(&component)?, manifest_of(&empty)?), (Some("[plugin]"), None));
/// # Ok::<(), loadout_plugin_build::Error>(())
/// ```
pub fn manifest_of(component: &[u8]) -> Result<Option<&str>, Error> {
    for section in Sections::of(component)? {
        let section = section?;
        if section.name() == Some(MANIFEST_SECTION) {
            let text = std::str::from_utf8(section.data());
            return text.map(Some).map_err(|_| Error::NotAComponent("its manifest is no text"));
        }
    }
    Ok(None)
}

/// A custom section, with its kind and its length.
pub(crate) fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(data.len() + name.len() + 8);
    write_length(&mut body, name.len());
    body.extend(name.as_bytes());
    body.extend(data);
    let mut out = vec![CUSTOM];
    write_length(&mut out, body.len());
    out.extend(body);
    out
}

/// The sections of a component, up to the first that cannot be read.
pub(crate) struct Sections<'a> {
    component: &'a [u8],
    at: usize,
}

impl<'a> Sections<'a> {
    pub(crate) fn of(component: &'a [u8]) -> Result<Self, Error> {
        if !component.starts_with(&COMPONENT_PREAMBLE) {
            return Err(Error::NotAComponent("it starts like something else"));
        }
        Ok(Self { component, at: COMPONENT_PREAMBLE.len() })
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.component.get(self.at..).filter(|rest| !rest.is_empty())?;
        let section = Section::read(rest, self.at);
        self.at = section.as_ref().map_or(self.component.len(), |section| self.at + section.whole.len());
        Some(section)
    }
}

/// One section: where it starts, its kind, its content, and all of its bytes.
pub(crate) struct Section<'a> {
    pub(crate) start: usize,
    kind: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Section<'a> {
    fn read(bytes: &'a [u8], start: usize) -> Result<Self, Error> {
        let cut_short = Error::NotAComponent("a section is cut short");
        let Some((&kind, after_kind)) = bytes.split_first() else { return Err(cut_short) };
        let Some((length, after_length)) = read_length(after_kind) else { return Err(cut_short) };
        let Some(content) = after_length.get(..length) else { return Err(cut_short) };
        let whole = &bytes[..bytes.len() - after_length.len() + length];
        Ok(Self { start, kind, content, whole })
    }

    /// The name of a custom section; nothing for any other.
    pub(crate) fn name(&self) -> Option<&'a str> {
        let (length, rest) = read_length(self.content).filter(|_| self.kind == CUSTOM)?;
        std::str::from_utf8(rest.get(..length)?).ok()
    }

    /// Returns the bytes after the name of a custom section.
    pub(crate) fn data(&self) -> &'a [u8] {
        let behind = read_length(self.content).and_then(|(length, rest)| rest.get(length..));
        behind.unwrap_or_default()
    }
}

/// Reads an unsigned LEB128 number of at most 32 bits.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value: u64 = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

fn write_length(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &[u8] = &[CUSTOM, 4, 1, b'x', 7, 7];

    fn with(sections: &[&[u8]]) -> Vec<u8> {
        [&COMPONENT_PREAMBLE as &[u8]].into_iter().chain(sections.iter().copied()).flatten().copied().collect()
    }

    #[test]
    fn the_manifest_becomes_the_last_section_and_others_stay() {
        let out = embed_manifest(&with(&[OTHER, &[9, 1, 0]]), "a = 1").unwrap();
        let expected = [&[CUSTOM, 22, 16], MANIFEST_SECTION.as_bytes(), b"a = 1"].concat();
        assert_eq!(out, with(&[OTHER, &[9, 1, 0], &expected]));
    }

    #[test]
    fn a_manifest_in_the_middle_is_replaced_by_one_at_the_end() {
        let old = embed_manifest(&with(&[]), "old").unwrap();
        let out = embed_manifest(&with(&[&old[8..], OTHER]), "new").unwrap();
        assert_eq!(out, embed_manifest(&with(&[OTHER]), "new").unwrap());
    }

    #[test]
    fn long_manifests_have_long_lengths() {
        for size in [1, 127, 128, 20_000, 3_000_000] {
            let out = embed_manifest(&with(&[]), &"x".repeat(size)).unwrap();
            let section = Section::read(&out[8..], 8).unwrap();
            assert_eq!((section.name(), section.data().len()), (Some(MANIFEST_SECTION), size));
        }
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let module = [0, b'a', b's', b'm', 1, 0, 0, 0];
        for bytes in
            [&module as &[u8], b"", b"(component)", &with(&[&[1, 9, 0]]), &with(&[&[1, 0xff, 0xff, 0xff, 0xff, 0xff]])]
        {
            assert!(matches!(embed_manifest(bytes, ""), Err(Error::NotAComponent(_))), "for {bytes:?}");
        }
    }
}
