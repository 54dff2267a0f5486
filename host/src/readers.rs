//! The readers of bytes from outside, one function each: for the targets of `tests/fuzz`, and the test that runs them
//! over their seeds.
//!
//! A reader returns whether it accepts the bytes, and panics if one of its promises is broken. Fuzzing reaches the
//! program only through this module, and no other code uses it.

use loadout_workflow::Workflow;

use crate::domain::Problems;
use crate::domain::slug::{self, RENDERED_MAX, Template};
use crate::http;
use crate::import;
use crate::plugin::{LoadError, Loader, Manifest};
use crate::store::Snapshot;
use crate::upgrade;

/// A function that reads bytes and returns whether it accepts them.
pub type Reader = fn(&[u8]) -> bool;

/// All readers, by the name of the target and of the folder of its seeds.
pub const ALL: [(&str, Reader); 7] = [
    ("component", component),
    ("filter", filter),
    ("manifest", manifest),
    ("migration", migration),
    ("slug", slug),
    ("solution", solution),
    ("workflow", workflow),
];

/// Reads the sections of a component. Two readings of an accepted component must agree, and a panic inside is not
/// hidden.
pub fn component(bytes: &[u8]) -> bool {
    // Any result is acceptable here, but no panic.
    let _ = Loader::may_take_part(bytes);
    match Loader::inspect(bytes) {
        Ok(manifest) => {
            assert_eq!(Loader::manifest(bytes), Some(manifest), "the same component said two things");
            true
        }
        Err(LoadError::Broke) => panic!("looking at the component broke the host"),
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            false
        }
    }
}

/// Reads the text of `plugin.toml`.
pub fn manifest(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match Manifest::parse(text) {
        Ok(manifest) => {
            assert_eq!(Loader::manifest_in(text, 0), Some(manifest), "the same text said two things");
            true
        }
        Err(refused) => {
            assert!(refused.to_string().chars().count() < 2_000, "{refused}");
            false
        }
    }
}

/// Reads `customizations.xml` of an exported solution. The same bytes must make the same plan.
pub fn solution(bytes: &[u8]) -> bool {
    const ABOUT: &str = "<ImportExportXml><SolutionManifest><UniqueName>seed</UniqueName><Version>1.0</Version><Publisher>\
        <CustomizationPrefix>seed</CustomizationPrefix></Publisher></SolutionManifest></ImportExportXml>";
    let plan = || {
        let files = [("solution.xml", ABOUT.as_bytes()), ("customizations.xml", bytes)];
        let files = files.map(|(name, content)| (name.to_owned(), content.to_vec()));
        import::plan_files(files, &Snapshot::default()).map(|plan| plan.report)
    };
    match plan() {
        Ok(report) => {
            assert_eq!(plan().ok(), Some(report), "the same solution was two plans");
            true
        }
        Err(_) => false,
    }
}

/// Reads `data.xml` of a Configuration Migration package.
pub fn migration(bytes: &[u8]) -> bool {
    const SCHEMA: &[u8] = b"<entities><entity name='contoso_desk'/></entities>";
    let read = || upgrade::read_documents(SCHEMA, bytes).map(|records| format!("{records:?}"));
    match read() {
        Ok(records) => {
            assert_eq!(read().ok(), Some(records), "the same package was read in two ways");
            true
        }
        Err(_) => false,
    }
}

/// Reads the JSON of a workflow definition. Each script that is set must be one that the definition names.
pub fn workflow(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(workflow) = Workflow::parse(text) else { return false };
    if let Ok(Some(chosen)) = workflow.default_script(&|operand| operand.to_owned()) {
        assert!(workflow.scripts().contains(&chosen.as_str()), "`{chosen}` is set and not named");
    }
    true
}

/// Reads a text with slugs. The rendered text is bounded, and saving such a text is refused exactly if it cannot be
/// read.
pub fn slug(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut problems = Problems::default();
    slug::check(text, "title", &mut problems);
    let Ok(template) = Template::parse(text) else {
        assert!(!problems.0.is_empty(), "what cannot be read may be saved");
        return false;
    };
    assert!(problems.0.is_empty(), "what can be read may not be saved: {:?}", problems.0);
    let rendered = template.render(&mut |key: &str| Some(key.repeat(100)));
    assert!(rendered.text.len() <= RENDERED_MAX.max(text.len()), "{} bytes", rendered.text.len());
    if !template.is_dynamic() {
        assert_eq!(rendered.text, text, "a text without slugs stays as it is");
    }
    true
}

/// Reads a filter of a list.
pub fn filter(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(http::takes_filter)
}
