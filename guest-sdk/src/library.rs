//! The reads of a plugin about the configuration.

use serde::de::DeserializeOwned;

use crate::Fault;
use crate::source::{Reads, Source};

/// The configuration at the revision the answer is made from. A kind is the name of a collection, such as `scripts`.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    source: &'a Source,
}

impl<'a> Library<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    /// Returns one item, with as many of its attributes as `T` has. None if the item does not exist or is inactive.
    ///
    /// `T` must not refuse unknown attributes: later versions add some to items. An item that does not fit `T` is the
    /// fault `bad-item`.
    ///
    /// ```
    /// use loadout_sdk::testing::Fixture;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Macro { name: String }
    ///
    /// let fixture = Fixture::new().item("macros", "contoso_clone", serde_json::json!({ "name": "Clone the case" }));
    /// let found: Option<Macro> = fixture.session().library().item("macros", "contoso_clone")?;
    /// assert_eq!(found.unwrap().name, "Clone the case");
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn item<T: DeserializeOwned>(&self, kind: &str, unique_name: &str) -> Result<Option<T>, Fault> {
        let Some(text) = self.source.item(kind, unique_name) else { return Ok(None) };
        let mut json = serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(&mut json).map(Some).map_err(|error| {
            let (path, reason) = (error.path().to_string(), error.into_inner());
            Fault::new("bad-item", format!("`{path}` of `{unique_name}` in `{kind}`: {reason}"))
        })
    }

    /// Returns the unique names an item is linked to by one of its attributes, in order, without inactive ones.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().item("macros", "contoso_mail", serde_json::json!({})).item("scripts", "contoso_greet", serde_json::json!({ "steps": [{ "action": { "macro": "contoso_mail" } }] }));
    /// let library = fixture.session().library();
    /// assert_eq!(library.links("scripts", "contoso_greet", "steps.action.macro"), ["contoso_mail"]);
    /// ```
    pub fn links(&self, kind: &str, unique_name: &str, attribute: &str) -> Vec<String> {
        self.source.links(kind, unique_name, attribute)
    }

    /// Returns the unique names of all active items of a kind, sorted.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().item("macros", "contoso_mail", serde_json::json!({ "state": "inactive" }));
    /// assert!(fixture.session().library().names("macros").is_empty());
    /// ```
    pub fn names(&self, kind: &str) -> Vec<String> {
        self.source.names(kind)
    }
}
