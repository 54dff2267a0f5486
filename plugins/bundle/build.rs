//! Compiles the built-in plugins, writes their manifests into them, and makes a constant of each.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use loadout_plugin_build::{Guest, Guests, embed_manifest};

/// The folders of the plugins: rules in the order in which a pane usually has their tools, then steps of upgrades.
const PLUGINS: [&str; 7] =
    ["smart-assist", "scripts", "macros", "knowledge-search", "legacy-console", "workstreams", "existing-settings"];

fn main() -> Result<(), Box<dyn Error>> {
    let out_dir = env::var_os("OUT_DIR").ok_or("cargo did not set `OUT_DIR`")?;
    let out_dir = Path::new(&out_dir);
    let packages = PLUGINS.map(|name| format!("loadout-plugin-{name}"));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let guests = Guests::from_build_script(manifest)?.packages(packages.iter().map(String::as_str)).build()?;
    let (mut constants, mut all) = (String::new(), String::new());
    for name in PLUGINS {
        let guest = guests.iter().find(|guest| guest.folder.ends_with(name));
        let component = with_manifest(guest.ok_or_else(|| format!("`{name}` was not compiled"))?)?;
        let file = out_dir.join(format!("{name}.wasm"));
        fs::write(&file, component)?;
        let constant = name.to_uppercase().replace('-', "_");
        writeln!(constants, "/// The plugin in `plugins/{name}`.")?;
        writeln!(
            constants,
            "pub const {constant}: Bundled = Bundled {{ name: {name:?}, component: include_bytes!({file:?}) }};"
        )?;
        write!(all, "{constant}, ")?;
    }
    writeln!(constants, "/// Every built-in plugin.\npub const ALL: &[Bundled] = &[{all}];")?;
    fs::write(out_dir.join("bundle.rs"), constants)?;
    Ok(())
}

fn with_manifest(guest: &Guest) -> Result<Vec<u8>, Box<dyn Error>> {
    let manifest = fs::read_to_string(guest.folder.join("plugin.toml"))?;
    Ok(embed_manifest(&fs::read(&guest.component)?, &manifest)?)
}
