//! Signatures of a component, in the custom section that ends its outermost level.
//!
//! Refuses by name a section that is not the last one, that occurs twice, or that is not what it says. Whether a
//! signature is needed, and whose, is said by the publishers an environment trusts.

use sha2::{Digest, Sha512};
use wasmparser::{Chunk, Parser, Payload};

use crate::domain::{KeyId, PublicKey, TrustedPublisher, Unsigned};

/// The custom section with the signatures.
const SECTION: &str = "loadout:signature";

/// What stands before the hash in what is signed, so that no other use of a key makes a signature of a component.
const DOMAIN: &[u8] = b"loadout component signature 1\0";

const FORMAT: u8 = 1;
const KEY_ID: usize = 8;
const SIGNATURE: usize = 64;
const MOST: usize = 8;

/// Why the signatures of a component are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Its sections cannot be told apart.
    #[error("its sections cannot be read: {0}")]
    Malformed(String),
    /// Something follows that is not signed.
    #[error("its signatures (`{SECTION}`) are not its last section, so that what follows is not signed: sign it again")]
    NotLast,
    /// There are two sections.
    #[error("it has two sections `{SECTION}`: sign it again")]
    Doubled,
    /// The section is of a later version.
    #[error("its signatures are of format {0}, and this program reads format {FORMAT}")]
    Format(u8),
    /// The section is not what it says.
    #[error("its section `{SECTION}` is cut short, or longer than it says: sign it again")]
    Cut,
    /// There are none, or too many.
    #[error("it has {0} signatures in its section `{SECTION}`; 1 to {MOST} are allowed")]
    Count(u8),
    /// One key signed twice.
    #[error("key {0} signed it twice: sign it again")]
    Repeated(KeyId),
    /// A signature does not hold.
    #[error("the signature by key {0} does not hold: the component or the signature was changed after it was signed")]
    Broken(KeyId),
    /// The publisher has keys, and none of them signed.
    #[error(
        "publisher `{publisher}` signs with {}, and it is signed by {}: have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`",
        listed(expected),
        listed(found)
    )]
    NotByPublisher {
        /// The publisher.
        publisher: String,
        /// Its keys.
        expected: Vec<KeyId>,
        /// Who signed.
        found: Vec<KeyId>,
    },
    /// The publisher's plugins come with the program, and the component does not.
    #[error(
        "plugins of publisher `{publisher}` come with this program, and this component does not (it is signed by {}): \
         give it another publisher, or trust a key of this one with `PUT /api/v1/trusted-publishers/{publisher}`",
        listed(found)
    )]
    OwnPublisher {
        /// The publisher.
        publisher: String,
        /// Who signed.
        found: Vec<KeyId>,
    },
    /// The publisher has no keys, and this environment wants signatures.
    #[error(
        "publisher `{publisher}` has no keys here, and plugins without a trusted signature are refused (it is signed by {}): \
         trust the publisher with `PUT /api/v1/trusted-publishers/{publisher}`",
        listed(found)
    )]
    UnknownPublisher {
        /// The publisher.
        publisher: String,
        /// Who signed.
        found: Vec<KeyId>,
    },
}

/// The signatures of a component, with what they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    message: Vec<u8>,
    list: Vec<(KeyId, [u8; SIGNATURE])>,
}

impl Signatures {
    /// Reads the signatures of a component, which may have none.
    pub fn of(component: &[u8]) -> Result<Self, SignatureError> {
        let (mut signed, mut section) = (component.len(), None);
        let (mut parser, mut at) = (Parser::new(0), 0);
        let malformed = |error: wasmparser::BinaryReaderError| SignatureError::Malformed(error.to_string());
        while at < component.len() {
            let chunk = parser.parse(&component[at..], true).map_err(malformed)?;
            let Chunk::Parsed { consumed, payload } = chunk else { break };
            let start = at;
            at += consumed;
            match payload {
                Payload::CustomSection(custom) if custom.name() == SECTION => {
                    if section.replace(custom.data()).is_some() {
                        return Err(SignatureError::Doubled);
                    }
                    signed = start;
                }
                Payload::End(_) => break,
                _ if section.is_some() => return Err(SignatureError::NotLast),
                Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                    at = unchecked_range.end;
                }
                _ => {}
            }
        }
        if at > component.len() {
            return Err(SignatureError::Malformed("a section is cut short".to_owned()));
        }
        let list = section.map_or(Ok(Vec::new()), read)?;
        let message = [DOMAIN, &Sha512::digest(&component[..signed])].concat();
        Ok(Self { message, list })
    }

    /// Who signed, as far as the component says so.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.list.iter().map(|(id, _)| *id)
    }

    /// Whether the signature that names `key` holds; nothing if none names it.
    pub fn by(&self, key: &PublicKey) -> Option<bool> {
        let (_, signature) = self.list.iter().find(|(id, _)| *id == key.id())?;
        Some(key.has_signed(&self.message, signature))
    }

    /// Refuses a component that an environment does not want: `trusted` is what it knows of the publisher, and
    /// `unsigned` what holds for publishers it does not know.
    ///
    /// A signature by a key of the publisher that does not hold is refused even beside one that does.
    pub fn check(
        &self,
        publisher: &str,
        trusted: Option<&TrustedPublisher>,
        unsigned: Unsigned,
    ) -> Result<(), SignatureError> {
        let found = || self.key_ids().collect();
        let Some(trusted) = trusted else {
            return match unsigned {
                Unsigned::Allowed => Ok(()),
                Unsigned::Refused => {
                    Err(SignatureError::UnknownPublisher { publisher: publisher.to_owned(), found: found() })
                }
            };
        };
        let by: Vec<_> = trusted.keys.iter().filter_map(|key| Some((key.id(), self.by(key)?))).collect();
        if let Some((key, _)) = by.iter().find(|(_, holds)| !holds) {
            return Err(SignatureError::Broken(*key));
        }
        if by.is_empty() {
            let expected = trusted.keys.iter().map(PublicKey::id).collect();
            return Err(SignatureError::NotByPublisher { publisher: publisher.to_owned(), expected, found: found() });
        }
        Ok(())
    }
}

fn read(section: &[u8]) -> Result<Vec<(KeyId, [u8; SIGNATURE])>, SignatureError> {
    let Some((&[format, count], list)) = section.split_first_chunk() else { return Err(SignatureError::Cut) };
    if format != FORMAT {
        return Err(SignatureError::Format(format));
    }
    if !(1..=MOST).contains(&usize::from(count)) {
        return Err(SignatureError::Count(count));
    }
    let (each, rest) = list.as_chunks::<{ KEY_ID + SIGNATURE }>();
    if each.len() != usize::from(count) || !rest.is_empty() {
        return Err(SignatureError::Cut);
    }
    let mut signatures: Vec<(KeyId, [u8; SIGNATURE])> = Vec::with_capacity(each.len());
    for both in each {
        let id = KeyId(std::array::from_fn(|at| both[at]));
        if signatures.iter().any(|(there, _)| *there == id) {
            return Err(SignatureError::Repeated(id));
        }
        signatures.push((id, std::array::from_fn(|at| both[KEY_ID + at])));
    }
    Ok(signatures)
}

fn listed(keys: &[KeyId]) -> String {
    match keys {
        [] => "nobody".to_owned(),
        [key] => format!("key {key}"),
        keys => format!("keys {}", keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use loadout_plugin_build::{PrivateKey, embed_manifest, sign};
    use proptest::prelude::*;

    use super::*;

    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());

    /// A component with a module, a component, a custom section and a manifest.
    static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let preamble = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
        let sections = [&[1, 8, 0, b'a', b's', b'm', 1, 0, 0, 0][..], &[4, 8], &preamble, &[0, 4, 1, b'x', 7, 7]];
        embed_manifest(&[&preamble, &sections.concat()[..]].concat(), "[plugin]\nname = \"desk\"\n").unwrap()
    });

    static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| sign(&PLAIN, &KEY).unwrap());

    fn trusted() -> TrustedPublisher {
        TrustedPublisher { name: String::new(), keys: vec![KEY.public().parse().unwrap()] }
    }

    fn checked(component: &[u8]) -> Result<(), SignatureError> {
        Signatures::of(component)?.check("contoso", Some(&trusted()), Unsigned::Refused)
    }

    fn section(data: &[u8]) -> Vec<u8> {
        let length = u8::try_from(data.len() + SECTION.len() + 1).unwrap();
        [&[0, length, SECTION.len() as u8], SECTION.as_bytes(), data].concat()
    }

    #[test]
    fn what_the_publisher_signed_is_taken_and_nothing_else() {
        assert_eq!(checked(&SIGNED), Ok(()));
        let other = PrivateKey::generate().unwrap();
        let (ours, theirs) = (KEY.id(), other.id());
        let look = "have it signed by the publisher, or look at `GET /api/v1/trusted-publishers`";
        let refusal = |component: &[u8]| checked(component).unwrap_err().to_string();
        assert_eq!(
            refusal(&PLAIN),
            format!("publisher `contoso` signs with key {ours}, and it is signed by nobody: {look}")
        );
        assert_eq!(
            refusal(&sign(&PLAIN, &other).unwrap()),
            format!("publisher `contoso` signs with key {ours}, and it is signed by key {theirs}: {look}")
        );
        assert_eq!(checked(&sign(&SIGNED, &other).unwrap()), Ok(()), "somebody else may sign, too");
        let unknown = |unsigned| Signatures::of(&SIGNED).unwrap().check("fabrikam", None, unsigned);
        assert_eq!(unknown(Unsigned::Allowed), Ok(()));
        assert!(
            matches!(unknown(Unsigned::Refused), Err(SignatureError::UnknownPublisher { found, .. }) if found.len() == 1)
        );
    }

    #[test]
    fn a_section_that_is_not_what_it_should_be_is_refused_by_name() {
        let with = |sections: &[Vec<u8>]| [&PLAIN[..], &sections.concat()].concat();
        let signature = |id: u8| [[id; KEY_ID].to_vec(), vec![0; SIGNATURE]].concat();
        let one = section(&[&[1, 1][..], &signature(7)].concat());
        let custom = vec![0, 4, 1, b'x', 7, 7];
        for (component, expected) in [
            (with(&[one.clone(), custom]), SignatureError::NotLast),
            (with(&[one.clone(), vec![4, 8, 0, b'a', b's', b'm', 0x0d, 0, 1, 0]]), SignatureError::NotLast),
            (with(&[one.clone(), one.clone()]), SignatureError::Doubled),
            (with(&[section(&[2, 1])]), SignatureError::Format(2)),
            (with(&[section(&[1, 0])]), SignatureError::Count(0)),
            (with(&[section(&[1, 9])]), SignatureError::Count(9)),
            (with(&[section(&[1])]), SignatureError::Cut),
            (with(&[section(&[&[1, 1][..], &signature(7)[1..]].concat())]), SignatureError::Cut),
            (with(&[section(&[&[1, 1][..], &signature(7), &[0]].concat())]), SignatureError::Cut),
        ] {
            assert_eq!(Signatures::of(&component), Err(expected));
        }
        assert!(matches!(Signatures::of(&with(&[one])[..PLAIN.len() + 30]), Err(SignatureError::Malformed(_))));
        let twice = [&[1, 2][..], &signature(7), &signature(7)].concat();
        assert_eq!(read(&twice), Err(SignatureError::Repeated(KeyId([7; KEY_ID]))));
    }

    #[test]
    fn a_broken_signature_is_no_better_for_a_good_one_beside_it() {
        let second = PrivateKey::generate().unwrap();
        let mut both = sign(&SIGNED, &second).unwrap();
        *both.last_mut().unwrap() ^= 1;
        let mut trusted = trusted();
        trusted.keys.push(second.public().parse().unwrap());
        let broken = Signatures::of(&both).unwrap().check("contoso", Some(&trusted), Unsigned::Allowed);
        assert_eq!(broken, Err(SignatureError::Broken(trusted.keys[1].id())));
    }

    #[test]
    fn a_component_cut_anywhere_is_refused() {
        for length in 0..SIGNED.len() {
            assert!(checked(&SIGNED[..length]).is_err(), "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_can_be_changed_unseen(at in 0..SIGNED.len(), flip in 1..=u8::MAX) {
            let mut changed = SIGNED.clone();
            changed[at] ^= flip;
            prop_assert!(checked(&changed).is_err(), "byte {at}");
        }

        #[test]
        fn nothing_can_be_put_in_unseen(at in 0..=SIGNED.len(), what in proptest::collection::vec(any::<u8>(), 1..40)) {
            let changed = [&SIGNED[..at], &what, &SIGNED[at..]].concat();
            prop_assert!(checked(&changed).is_err(), "at {at}");
        }
    }
}
