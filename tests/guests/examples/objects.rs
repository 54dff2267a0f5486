//! Takes part in changes, and refuses each of them. Written with the SDK, as its author would.

use loadout_sdk::step::{Event, Outcome, Step};
use loadout_sdk::{Fault, Host, NoSettings, export_step};

struct Objects;

impl Step for Objects {
    type Settings = NoSettings;

    fn execute(_: &Host<'_>, event: &Event, _: NoSettings) -> Result<Outcome, Fault> {
        Ok(Outcome::reject("never", format!("Nobody may do `{}`.", event.message)))
    }
}

export_step!(Objects);
