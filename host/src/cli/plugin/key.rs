//! `loadout plugin keygen` and `sign`: the key of a publisher, and what it signs.
//!
//! A private key is written once, to a file that only its owner reads, and never over another.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use loadout_plugin_build::{PrivateKey, sign};

use crate::cli::failure::Failure;
use crate::cli::file::{self, replace};
use crate::cli::print;

/// Make the private key of a publisher, and print the public one.
#[derive(Debug, clap::Args)]
pub(super) struct Keygen {
    /// The file for the private key, which must not be there: PKCS#8 in PEM.
    #[arg(short, long, value_name = "KEYFILE")]
    output: PathBuf,
}

/// Sign a component with the key of its publisher, beside the signatures it has.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The component, with its manifest inside.
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// The private key, as `loadout plugin keygen` or `openssl genpkey -algorithm ed25519` makes it.
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// The file for the signed component; may be the same.
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown = self.output.display();
        if self.output.try_exists().unwrap_or(false) {
            return Err(Failure::usage(format!(
                "`{shown}` is there already, and a key is never overwritten: name another file"
            )));
        }
        let key = PrivateKey::generate().map_err(Failure::of)?;
        let pem = key.to_pem().map_err(Failure::of)?;
        write_secret(&self.output, pem.as_bytes())
            .map_err(|error| Failure::because(format!("`{shown}` cannot be written"), error))?;
        print(&key.public())
    }
}

impl Sign {
    pub(super) fn run(self) -> Result<(), Failure> {
        let pem = fs::read_to_string(&self.key);
        let unreadable = |error| Failure::because(format!("`{}` cannot be read", self.key.display()), error);
        let key = PrivateKey::from_pem(&pem.map_err(unreadable)?)
            .map_err(|error| Failure::because(format!("`{}` does not sign", self.key.display()), error))?;
        let component = file::read(&self.file)?;
        let signed = sign(&component, &key)
            .map_err(|error| Failure::because(format!("`{}` is not signed", self.file.display()), error))?;
        let shown = self.output.display();
        replace(&self.output, &signed)
            .map_err(|error| Failure::because(format!("`{shown}` cannot be written"), error))?;
        print(&format!("wrote {shown}, signed by key {}", key.id()))
    }
}

/// Writes a file that was not there and that only its owner reads.
fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content).and_then(|()| file.sync_all())
}
