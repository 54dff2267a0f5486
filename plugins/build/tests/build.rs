//! The nested build, with packages made for it.

use std::path::PathBuf;
use std::{fs, io};

use loadout_plugin_build::{Error, Guests};

/// Writes a package without dependencies and returns its manifest.
fn package(name: &str, kind: &str, code: &str) -> io::Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"{kind}\"]\n[workspace]\n"
    );
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), code)?;
    Ok(folder.join("Cargo.toml"))
}

fn guests(manifest: PathBuf, name: &str) -> Guests {
    Guests::new(manifest, concat!(env!("CARGO_TARGET_TMPDIR"), "/guests")).packages([name])
}

#[test]
fn a_library_becomes_a_component() {
    let guests = guests(package("good-guest", "cdylib", "").unwrap(), "good-guest").build().unwrap();
    let [guest] = guests.as_slice() else { panic!("expected one, found {guests:?}") };
    assert_eq!(guest.name, "good_guest");
    assert!(guest.folder.join("Cargo.toml").is_file());
    assert_eq!(fs::read(&guest.component).unwrap()[..8], [0, b'a', b's', b'm', 0x0d, 0, 1, 0]);
}

#[test]
fn a_library_of_another_type_is_named() {
    let error = guests(package("rust-guest", "rlib", "").unwrap(), "rust-guest").build().unwrap_err();
    assert_eq!(error.to_string(), "`rust-guest` gave no component; has it `crate-type = [\"cdylib\"]`?");
}

#[test]
fn code_that_does_not_compile_is_an_error_with_the_command() {
    let error = guests(package("broken-guest", "cdylib", "fn f() -> u32 { \"\" }").unwrap(), "broken-guest")
        .build()
        .unwrap_err();
    let Error::Compile { command } = error else { panic!("expected another error than `{error}`") };
    assert!(command.contains("--target wasm32-wasip2 --profile guest"), "{command}");
}
