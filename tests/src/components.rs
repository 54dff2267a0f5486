//! The built-in components and the guests in one catalog, for tests that need real rules.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use loadout::domain::trace::{Unwatched, Watch};
use loadout::plugin::{Catalog, Config, Limits};

use crate::guests;
use crate::host::compiled;

/// The built-in components, with the guests as neighbours.
///
/// Only components whose manifest says so are stopped by the clock, so that a busy machine changes no answer.
pub static RULES: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(watched_by(Arc::new(Unwatched))));

/// The same, with every call seen by `watch`.
pub fn watched_by(watch: Arc<dyn Watch>) -> Catalog {
    watched_beside(&[], watch)
}

/// The same, with `more` as further neighbours.
pub fn watched_beside(more: &[(&str, &[u8])], watch: Arc<dyn Watch>) -> Catalog {
    let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
    let config = Config { limits, slot_timeout: Duration::from_secs(60), watch, ..Config::default() };
    let mut components: Vec<(&str, &[u8])> = loadout_plugins::ALL.iter().map(|it| (it.name, it.component)).collect();
    components.extend(guests::ALL);
    components.extend(more);
    let (catalog, _) = Catalog::load(&components, Some(&compiled()), config).expect("the engine starts");
    catalog
}
