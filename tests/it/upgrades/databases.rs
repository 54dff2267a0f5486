//! Databases made by every released version open in this one, whole, and are copied before they are changed.

use std::fs;
use std::sync::Arc;

use loadout::domain::Kind;
use loadout::domain::experience::ExplainLevel;
use loadout::service::{Question, Service, Who};
use loadout::store::Store;
use loadout_tests::Done;
use loadout_tests::archive::root;
use loadout_tests::host::Failure;

use loadout_tests::components::RULES;

#[test]
fn a_database_of_every_released_shape_opens_and_answers() -> Done {
    let mut opened = 0;
    for entry in fs::read_dir(root().join("tests/fixtures/databases"))? {
        let file = entry?.path();
        let shape = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = tempfile::tempdir()?;
        fs::copy(&file, folder.path().join(Store::FILE))?;
        let looked = Store::look(folder.path()).err().map(|error| error.to_string());
        assert!(
            looked.is_some_and(|refusal| refusal.contains("start `loadout serve` once")),
            "{shape} is only looked at"
        );
        assert_eq!(fs::read(&file)?, fs::read(folder.path().join(Store::FILE))?);

        let service = Service::open(folder.path(), Arc::clone(&*RULES) as _)?;
        let answer = service.experience(&Question {
            who: Who::Login("kayla".parse()?),
            profile: None,
            app: "customer-service-workspace".to_owned(),
            session: None,
            explain: ExplainLevel::None,
            as_of: None,
        })?;
        let profile = serde_json::to_value(&answer)?["profile"]["uniqueName"].clone();
        assert_eq!(profile, "contoso_rep", "{shape} answers as it did");
        let upgrades = service.upgrades()?.len();
        assert_eq!(upgrades, usize::from(shape != "shape-1"), "{shape} keeps the upgrades it knew");
        let known = match shape.as_str() {
            "shape-4" => 1,
            "shape-5" => 2,
            _ => 0,
        };
        assert_eq!(service.store().tokens()?.len(), known, "{shape} keeps the tokens it knew");
        let installed = service.store().snapshot()?.entry(Kind::Plugin, "tests/well-behaved").is_some();
        assert_eq!(installed, known > 0, "{shape} keeps the plugins it knew");
        let names: Vec<String> = fs::read_dir(folder.path())?
            .map(|entry| Ok::<_, Failure>(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_, _>>()?;
        let of = format!("loadout-{shape}-revision-");
        let copies = names.iter().filter(|name| name.starts_with(&of) && name.ends_with("-backup.db"));
        assert_eq!(copies.count(), 1, "{shape} was not copied: {names:?}");
        opened += 1;
    }
    assert!(opened > 0);
    Ok(())
}
