//! The manifest inside a component: one custom section at its outermost level.
//!
//! Knows just enough of the binary format to walk over sections. Whether the component is valid is for the host to find out.

use crate::Error;

/// The name of the custom section that holds the manifest, as the text of `plugin.toml`.
pub const MANIFEST_SECTION: &str = "loadout:manifest";

/// Magic number, version 13, layer 1: a component. Core modules have layer 0.
const COMPONENT_PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

const CUSTOM: u8 = 0;

/// Returns the component with the manifest as its last section. A manifest that was there before is replaced.
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
    let Some(mut rest) = component.strip_prefix(&COMPONENT_PREAMBLE) else {
        return Err(Error::NotAComponent("it starts like something else"));
    };
    let mut out = Vec::with_capacity(component.len() + manifest_toml.len() + 64);
    out.extend(COMPONENT_PREAMBLE);
    while !rest.is_empty() {
        let section = Section::read(rest)?;
        if !section.is_manifest() {
            out.extend(section.whole);
        }
        rest = &rest[section.whole.len()..];
    }
    let mut body = Vec::with_capacity(manifest_toml.len() + 32);
    write_length(&mut body, MANIFEST_SECTION.len());
    body.extend(MANIFEST_SECTION.as_bytes());
    body.extend(manifest_toml.as_bytes());
    out.push(CUSTOM);
    write_length(&mut out, body.len());
    out.extend(body);
    Ok(out)
}

/// One section: its kind, its content, and all of its bytes.
struct Section<'a> {
    kind: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Section<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let cut_short = Error::NotAComponent("a section is cut short");
        let Some((&kind, after_kind)) = bytes.split_first() else { return Err(cut_short) };
        let Some((length, after_length)) = read_length(after_kind) else { return Err(cut_short) };
        let Some(content) = after_length.get(..length) else { return Err(cut_short) };
        let whole = &bytes[..bytes.len() - after_length.len() + length];
        Ok(Self { kind, content, whole })
    }

    fn is_manifest(&self) -> bool {
        let name = read_length(self.content).and_then(|(length, rest)| rest.get(..length));
        self.kind == CUSTOM && name == Some(MANIFEST_SECTION.as_bytes())
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
            let section = Section::read(&out[8..]).unwrap();
            assert_eq!(section.content.len(), 1 + MANIFEST_SECTION.len() + size);
            assert!(section.is_manifest());
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
