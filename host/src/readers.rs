//! The readers of bytes from elsewhere, one function each: for the targets of `tests/fuzz`, and the test that runs them
//! over their seeds.
//!
//! A reader says whether it takes the bytes, and panics where one of its promises is broken. This is the one door to
//! them, and nothing else of the program comes through it.

use loadout_workflow::Workflow;

use crate::domain::Problems;
use crate::domain::slug::{self, RENDERED_MAX, Template};
use crate::http;
use crate::import;
use crate::plugin::{LoadError, Manifest, Workshop};
use crate::store::Snapshot;
use crate::upgrade;

/// Reads bytes, and says whether they are taken.
pub type Reader = fn(&[u8]) -> bool;

/// Every reader, by the name of its target and of the folder of its seeds.
pub const ALL: [(&str, Reader); 7] = [
    ("component", component),
    ("filter", filter),
    ("manifest", manifest),
    ("migration", migration),
    ("slug", slug),
    ("solution", solution),
    ("workflow", workflow),
];

/// The sections of a component. What is taken says the same wherever it is read, and a panic inside is not hidden.
pub fn component(bytes: &[u8]) -> bool {
    // Whatever comes of it is an answer.
    let _ = Workshop::may_take_part(bytes);
    match Workshop::inspect(bytes) {
        Ok(manifest) => {
            assert_eq!(Workshop::manifest(bytes), Some(manifest), "the same component said two things");
            true
        }
        Err(LoadError::Broke) => panic!("looking at the component broke the host"),
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            false
        }
    }
}

/// The text of `plugin.toml`.
pub fn manifest(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match Manifest::parse(text) {
        Ok(manifest) => {
            assert_eq!(Workshop::manifest_in(text, 0), Some(manifest), "the same text said two things");
            true
        }
        Err(refused) => {
            assert!(refused.to_string().chars().count() < 2_000, "{refused}");
            false
        }
    }
}

/// `customizations.xml` of an exported solution. The same bytes are the same plan.
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

/// `data.xml` of a Configuration Migration package.
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

/// The JSON of a workflow definition. Each script that is set is one that the definition names.
pub fn workflow(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(workflow) = Workflow::parse(text) else { return false };
    if let Ok(Some(chosen)) = workflow.default_script(&|operand| operand.to_owned()) {
        assert!(workflow.scripts().contains(&chosen.as_str()), "`{chosen}` is set and not named");
    }
    true
}

/// A text with slugs. What is rendered has its bound, and saving such a text is refused exactly if it cannot be read.
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

/// A filter of a list.
pub fn filter(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(http::takes_filter)
}
