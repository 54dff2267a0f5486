//! Compiles the guests to components and writes one constant for each.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use loadout_plugin_build::{Guests, embed_manifest};

/// The guest that gets no manifest.
const NO_MANIFEST: &str = "no_manifest";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    let (mut constants, mut all, mut each) = (String::new(), String::new(), String::new());
    // First, because both lie in the same place when they are compiled.
    write_named(&folder, &mut constants)?;
    write_with_lines(&folder, &mut constants)?;
    let guests = Guests::from_build_script("../Cargo.toml")?.examples_of("loadout-test-guests").build()?;
    for guest in guests {
        let name = guest.name.as_str();
        let component = folder.join(format!("{name}.wasm"));
        write_component(&guest.component, &component, name)?;
        let constant = name.to_uppercase();
        writeln!(constants, "/// The guest `{name}`.")?;
        writeln!(constants, "pub const {constant}: &[u8] = include_bytes!({component:?});")?;
        writeln!(all, "    ({name:?}, {constant}),")?;
        writeln!(each, "        $check!({name});")?;
    }
    let text = format!(
        "{constants}\n/// Every guest by name.\npub const ALL: &[(&str, &[u8])] = &[\n{all}];\n\n\
         /// Calls a macro with the name of every guest.\n#[macro_export]\nmacro_rules! for_each_guest {{\n    \
         ($check:ident) => {{\n{each}    }};\n}}\n"
    );
    fs::write(folder.join("guests.rs"), text)?;
    // A new example is found by its folder, and so are manifests.
    println!("cargo:rerun-if-changed=guests");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}

/// The guest whose trap is looked at closely, with the names of its functions.
const NAMED: &str = "panics";

fn write_named(folder: &Path, constants: &mut String) -> Result<(), Box<dyn Error>> {
    let guests = Guests::from_build_script("../Cargo.toml")?.example_of("loadout-test-guests", NAMED).with_names();
    for guest in guests.build()? {
        let component = folder.join(format!("{NAMED}_with_names.wasm"));
        write_component(&guest.component, &component, NAMED)?;
        let constant = format!("{}_WITH_NAMES", NAMED.to_uppercase());
        writeln!(constants, "/// The guest `{NAMED}`, with the names of its functions.")?;
        writeln!(constants, "pub const {constant}: &[u8] = include_bytes!({component:?});")?;
    }
    Ok(())
}

/// The guest whose conditions are broken one by one, with line tables.
const LINED: &str = "stumbles";

fn write_with_lines(folder: &Path, constants: &mut String) -> Result<(), Box<dyn Error>> {
    let guests = Guests::from_build_script("../Cargo.toml")?.example_of("loadout-test-guests", LINED).with_lines();
    for guest in guests.build()? {
        let component = folder.join(format!("{LINED}_with_lines.wasm"));
        write_component(&guest.component, &component, LINED)?;
        let constant = format!("{}_WITH_LINES", LINED.to_uppercase());
        writeln!(constants, "/// The guest `{LINED}`, hardly optimised and with line tables.")?;
        writeln!(constants, "pub const {constant}: &[u8] = include_bytes!({component:?});")?;
    }
    Ok(())
}

fn write_component(from: &Path, to: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    let plain = fs::read(from)?;
    let packed = if name == NO_MANIFEST { plain } else { embed_manifest(&plain, &manifest(name)?)? };
    Ok(fs::write(to, packed)?)
}

/// The manifest beside a guest; one made of `rule.toml.in` if there is none, with the name of the guest as its only
/// tool kind.
fn manifest(guest: &str) -> io::Result<String> {
    match fs::read_to_string(format!("guests/examples/{guest}.toml")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let kind = guest.replace('_', "-");
            let rule = fs::read_to_string("guests/rule.toml.in")?;
            Ok(rule.replace("@NAME@", &kind).replace("@VERSION@", "0.1.0").replace("@KIND@", &kind))
        }
        read => read,
    }
}
