//! The signatures of a component: one custom section, the last one of its outermost level.
//!
//! The section holds a version, a count and, for each signature, the id of the key and the signature itself. What is
//! signed is everything before the section, the manifest included. Refuses a component whose signatures stand
//! elsewhere, or twice.

use sha2::{Digest, Sha512};

use crate::key::{KEY_ID, PrivateKey};
use crate::section::{Sections, custom};
use crate::{Error, MANIFEST_SECTION};

/// The name of the custom section that holds the signatures.
pub const SIGNATURE_SECTION: &str = "loadout:signature";

/// Most signatures of a component.
pub const SIGNATURES_MAX: usize = 8;

/// The prefix of the hash in the signed text. It keeps signatures made with the key for another purpose from being
/// signatures of a component.
const DOMAIN: &[u8] = b"loadout component signature 1\0";

const FORMAT: u8 = 1;
const SIGNATURE: usize = 64;

/// Returns the component with a signature by `key` as the last of its signatures. One that this key made before is
/// replaced.
///
/// Writing another manifest into it afterwards takes all signatures away.
///
/// ```
/// # use loadout_plugin_build::{PrivateKey, embed_manifest, sign};
/// let empty = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// let component = embed_manifest(&empty, "[plugin]\nname = \"desk\"\n")?;
/// let key = PrivateKey::generate()?;
/// let signed = sign(&component, &key)?;
/// assert_eq!(signed, sign(&signed, &key)?);
/// # Ok::<(), loadout_plugin_build::Error>(())
/// ```
pub fn sign(component: &[u8], key: &PrivateKey) -> Result<Vec<u8>, Error> {
    let (mut before, mut signatures, mut has_manifest) = (component.len(), Vec::new(), false);
    for section in Sections::of(component)? {
        let section = section?;
        if before < component.len() {
            return Err(Error::Signature("the signatures it has are not its last section"));
        }
        has_manifest |= section.name() == Some(MANIFEST_SECTION);
        if section.name() == Some(SIGNATURE_SECTION) {
            before = section.start;
            signatures = read(section.data())?;
        }
    }
    if !has_manifest {
        return Err(Error::Signature("it has no manifest, which a signature has to cover"));
    }
    let id = key.short();
    signatures.retain(|(by, _)| *by != id);
    if signatures.len() == SIGNATURES_MAX {
        return Err(Error::Signature("it has eight signatures, the most there may be"));
    }
    let message = [DOMAIN, &Sha512::digest(&component[..before])].concat();
    signatures.push((id, key.sign(&message)));
    let mut data = vec![FORMAT, signatures.len() as u8];
    data.extend(signatures.iter().flat_map(|(id, signature)| id.iter().chain(signature)));
    Ok([&component[..before], &custom(SIGNATURE_SECTION, &data)].concat())
}

type Signature = ([u8; KEY_ID], [u8; SIGNATURE]);

fn read(data: &[u8]) -> Result<Vec<Signature>, Error> {
    let unknown = Error::Signature("the signatures it has are of a format this program does not know");
    let Some((&[FORMAT, count], list)) = data.split_first_chunk() else { return Err(unknown) };
    let (signatures, rest) = list.as_chunks::<{ KEY_ID + SIGNATURE }>();
    if signatures.len() != usize::from(count) || !rest.is_empty() {
        return Err(Error::Signature("the signatures it has are cut short, or more than they say"));
    }
    let apart = |both: &[u8; KEY_ID + SIGNATURE]| {
        (std::array::from_fn(|at| both[at]), std::array::from_fn(|at| both[KEY_ID + at]))
    };
    Ok(signatures.iter().map(apart).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed_manifest;

    const EMPTY: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

    fn keys<const N: usize>() -> [PrivateKey; N] {
        std::array::from_fn(|_| PrivateKey::generate().unwrap())
    }

    #[test]
    fn signatures_add_up_and_cover_what_stands_before_them() {
        let [one, two] = keys();
        let plain = embed_manifest(&EMPTY, "a = 1").unwrap();
        let signed = sign(&sign(&plain, &one).unwrap(), &two).unwrap();
        assert!(signed.starts_with(&plain));
        let section = Sections::of(&signed).unwrap().last().unwrap().unwrap();
        let ids: Vec<_> = read(section.data()).unwrap().into_iter().map(|(id, _)| id).collect();
        assert_eq!((section.start, ids), (plain.len(), vec![one.short(), two.short()]));
        assert_eq!(sign(&sign(&signed, &one).unwrap(), &two).unwrap(), signed, "signing again changes nothing");
    }

    #[test]
    fn another_manifest_takes_the_signatures_away() {
        let [key] = keys();
        let signed = sign(&embed_manifest(&EMPTY, "old").unwrap(), &key).unwrap();
        assert_eq!(embed_manifest(&signed, "new").unwrap(), embed_manifest(&EMPTY, "new").unwrap());
    }

    #[test]
    fn what_cannot_be_signed_is_refused_by_name() {
        let [key] = keys();
        let plain = embed_manifest(&EMPTY, "").unwrap();
        let section = |data: &[u8]| custom(SIGNATURE_SECTION, data);
        let full = (0..8).fold(plain.clone(), |component, _| sign(&component, &keys::<1>()[0]).unwrap());
        for (component, expected) in [
            (EMPTY.to_vec(), "it has no manifest, which a signature has to cover"),
            (full, "it has eight signatures, the most there may be"),
            (
                [&plain[..], &section(&[1, 0]), &section(&[1, 0])].concat(),
                "the signatures it has are not its last section",
            ),
            ([&plain[..], &section(&[1, 0]), &[9, 1, 0]].concat(), "the signatures it has are not its last section"),
            (
                [&plain[..], &section(&[2, 0])].concat(),
                "the signatures it has are of a format this program does not know",
            ),
            ([&plain[..], &section(&[1, 1, 7])].concat(), "the signatures it has are cut short, or more than they say"),
        ] {
            let error = sign(&component, &key).unwrap_err().to_string();
            assert_eq!(error, format!("this component cannot be signed: {expected}"));
        }
    }
}
