//! What fuzz targets try is tried here over their seeds: each is taken or refused as its name says, and so is what is
//! left of a damaged one.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use loadout::readers;
use loadout_tests::Done;
use loadout_tests::archive::root;
use loadout_tests::host::Failure;

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

/// The names in a folder below that of the targets.
fn names(below: &str) -> Result<BTreeSet<String>, Failure> {
    let names = fs::read_dir(folder().join(below))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// Damages of a seed: cut off, a byte replaced, a piece twice. The same with every run.
fn damaged(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = (0..seed.len()).step_by(seed.len() / 24 + 1);
    places.flat_map(move |at| {
        let mut replaced = seed.to_vec();
        replaced[at] ^= 1 << (at % 8);
        let twice = [&seed[..at], &seed[at / 2..]].concat();
        [seed[..at].to_vec(), replaced, twice]
    })
}

#[test]
fn every_seed_is_taken_or_refused_as_its_name_says_and_no_damage_breaks_a_reader() -> Done {
    for (name, read) in readers::ALL {
        let mut outcomes = BTreeSet::new();
        for seed in names(&format!("seeds/{name}"))? {
            let bytes = fs::read(folder().join("seeds").join(name).join(&seed))?;
            let expected = seed.split('-').next().unwrap_or_default().to_owned();
            let outcome = if read(&bytes) { "taken" } else { "refused" };
            assert_eq!(outcome, expected, "{name}/{seed}");
            outcomes.insert(expected);
            for damaged in damaged(&bytes) {
                read(&damaged);
            }
        }
        // A whole component is too large for a seed: those that come with the program are taken.
        if name == "component" {
            assert!(loadout_plugins::ALL.iter().all(|it| read(it.component)));
            outcomes.insert("taken".to_owned());
        }
        assert_eq!(outcomes.len(), 2, "{name} has seeds that are taken and seeds that are refused");
    }
    Ok(())
}

/// A reader without a target would never be tried, and a target without a reader would not compile.
#[test]
fn every_reader_has_its_target() -> Done {
    let readers: BTreeSet<String> = readers::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let targets = names("targets")?.iter().map(|file| file.trim_end_matches(".rs").to_owned()).collect();
    assert_eq!((&readers, &readers), (&targets, &names("seeds")?));
    let manifest = fs::read_to_string(folder().join("Cargo.toml"))?;
    for reader in &readers {
        let target = fs::read_to_string(folder().join(format!("targets/{reader}.rs")))?;
        assert!(target.contains(&format!("loadout::readers::{reader}(bytes)")), "{reader}: {target}");
        assert!(manifest.contains(&format!("path = \"targets/{reader}.rs\"")), "{reader} is in no manifest");
    }
    Ok(())
}
