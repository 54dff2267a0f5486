//! The keys of publishers: Ed25519, the private one as PKCS#8 in PEM, the public one as the base64 of its 32 bytes.
//!
//! Refuses keys of other algorithms. The caller decides where a private key is kept and which users may read the file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use crate::Error;

/// Bytes of the hash that names a key in a signature.
pub(crate) const KEY_ID: usize = 8;

/// The private key of a publisher.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key, from the randomness of the operating system.
    pub fn generate() -> Result<Self, Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| Error::NoRandomness(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&secret)))
    }

    /// Reads PKCS#8 in PEM, as [`PrivateKey::to_pem`] and `openssl genpkey -algorithm ed25519` write it.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| Error::NotAKey(error.to_string()))
    }

    /// Returns the key as PKCS#8 in PEM. With this text, any program can sign for the publisher.
    pub fn to_pem(&self) -> Result<String, Error> {
        // Without the public key, which follows from the private one and which older readers do not expect.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| Error::NotAKey(error.to_string()))?;
        Ok(pem.to_string())
    }

    /// The public key, as `PUT /api/v1/trusted-publishers/{publisher}` takes it.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// The short name of the key: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        self.short().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The beginning of the SHA-256 of the public key.
    pub(crate) fn short(&self) -> [u8; KEY_ID] {
        let hash = Sha256::digest(self.0.verifying_key().as_bytes());
        std::array::from_fn(|at| hash[at])
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_of_openssl_is_read_and_written_alike() {
        let key = PrivateKey::from_pem(OPENSSL).unwrap();
        // The test vector of RFC 8032, section 7.1, test 1.
        assert_eq!(key.public(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        assert_eq!(key.id(), "21fe31dfa154a261");
        assert_eq!(key.to_pem().unwrap(), OPENSSL);
        assert_ne!(PrivateKey::generate().unwrap().public(), PrivateKey::generate().unwrap().public());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "secret", &OPENSSL[..60], &OPENSSL.replace("K2Vw", "K2Vu")] {
            assert!(matches!(PrivateKey::from_pem(text), Err(Error::NotAKey(_))), "{text:?}");
        }
    }
}
