//! Compiles the guests to components and writes one constant for each.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use loadout_plugin_build::{Guests, embed_manifest};

/// Guests that must be stopped by the clock and therefore ask for the shortest one that is reasonable.
const SHORT_DEADLINE: [&str; 2] = ["spins_at_start", "spins_forever"];

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
    // A new example is found by its folder.
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
    let packed = if name == NO_MANIFEST { plain } else { embed_manifest(&plain, &manifest(name))? };
    Ok(fs::write(to, packed)?)
}

/// The guest that is a step of upgrades.
const STEP: &str = "bad_step";

/// The guest that takes part in changes of configuration.
const HANDLER: &str = "changes";

/// What it wants to be asked: name, message, stage and the rest of the declaration.
const STEPS: [(&str, &str, u32, &str); 8] = [
    ("check", "profile.update", 10, ""),
    (
        "stamp",
        "profile.update",
        20,
        "filtering-attributes = [\"name\"]\nimages = [{ alias = \"before\", kind = \"pre\", attributes = [\"name\"] }]\n",
    ),
    ("second", "profile.update", 20, ""),
    ("after", "profile.update", 40, "images = [{ alias = \"now\", kind = \"post\" }]\n"),
    ("later", "profile.update", 40, "mode = \"async\"\n"),
    ("born", "profile.create", 20, ""),
    ("given", "profile.assign", 10, ""),
    ("imported", "config.import", 10, ""),
];

/// The guest that takes part in changes and refuses all of them: tests pack it with steps of their own.
const OBJECTS: &str = "objects";

/// The guest with a step around a rule, of a tool that nobody has: tests pack it with steps of their own.
const AROUND: &str = "around";

fn manifest(guest: &str) -> String {
    let kind = guest.replace('_', "-");
    if guest == AROUND {
        return "[plugin]\npublisher = \"tests\"\nname = \"around\"\nversion = \"1.0.0\"\n\
                world = \"loadout:plugin/tool-step@0.1.0\"\ndescription = \"Does what it is told.\"\n\
                [[steps]]\nname = \"idle\"\nmessage = \"tool.evaluate\"\nresource = \"around\"\nstage = 20\nrank = 0\n"
            .to_owned();
    }
    if guest == OBJECTS {
        return "[plugin]\npublisher = \"tests\"\nname = \"objects\"\nversion = \"1.0.0\"\n\
                world = \"loadout:plugin/step@0.1.0\"\ndescription = \"Refuses.\"\n\
                [[steps]]\nname = \"idle\"\nmessage = \"macro.delete\"\nstage = 20\nrank = 0\n"
            .to_owned();
    }
    if guest == HANDLER {
        let head = "[plugin]\npublisher = \"tests\"\nname = \"changes\"\nversion = \"1.0.0\"\n\
                    world = \"loadout:plugin/step@0.1.0\"\ndescription = \"Does what it is told.\"\n\
                    [limits]\ndeadline-ms = 1000\n";
        let steps = STEPS.iter().enumerate().map(|(rank, (name, message, stage, rest))| {
            format!("[[steps]]\nname = \"{name}\"\nmessage = \"{message}\"\nstage = {stage}\nrank = {rank}\n{rest}")
        });
        return steps.fold(head.to_owned(), |text, step| text + &step);
    }
    if guest == STEP {
        return format!(
            "[plugin]\npublisher = \"tests\"\nname = \"{kind}\"\nversion = \"0.1.0\"\n\
             world = \"loadout:plugin/upgrade@0.1.0\"\ndescription = \"Misbehaves.\"\n\
             [upgrade]\nreader = 1\n[[upgrade.tables]]\nname = \"old_desk\"\nwith = [\"old_chair\"]\n\
             [limits]\ndeadline-ms = 2000\n"
        );
    }
    let limits = if SHORT_DEADLINE.contains(&guest) { "[limits]\ndeadline-ms = 50\n" } else { "" };
    format!(
        "[plugin]\npublisher = \"tests\"\nname = \"{kind}\"\nversion = \"0.1.0\"\n\
         world = \"loadout:plugin/tool@0.1.0\"\ndescription = \"Misbehaves.\"\n\
         [tool]\nkinds = [\"{kind}\"]\n{limits}"
    )
}
