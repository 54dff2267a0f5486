//! Is built for another world, whatever its manifest says.
#![cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "the bindings are generated"))]
#![expect(missing_docs, reason = "the bindings are generated")]

wit_bindgen::generate!({ path: "../../wit", world: "upgrade" });

use exports::loadout::plugin::upgrade_step::{Fault, Guest, Migration, Note, Page};

struct Step;

impl Guest for Step {
    fn check(_page: Page) -> Result<Vec<Note>, Fault> {
        Ok(Vec::new())
    }

    fn migrate(_page: Page) -> Result<Migration, Fault> {
        Ok(Migration { upserts: Vec::new(), quarantine: Vec::new(), notes: Vec::new() })
    }
}

#[cfg(target_arch = "wasm32")]
export!(Step);
#[cfg(not(target_arch = "wasm32"))]
const _: fn(Page) -> Result<Migration, Fault> = <Step as Guest>::migrate;
