//! A change as a step is shown it. What it is shown as JSON is read into types of the step's.

use serde::de::DeserializeOwned;

use crate::reading::read;
use crate::{Fault, Stage};

/// A change of configuration, as a step is asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The id of the event, the same each time a step is asked about it.
    pub id: String,
    /// The step that is asked, by its name in the manifest.
    pub step: String,
    /// The message, such as `profile.update`.
    pub message: String,
    /// The stage: when the step is asked.
    pub stage: Stage,
    /// How often this step was asked about this event, this time included.
    pub attempt: u32,
    /// The items that change, at least one.
    pub targets: Vec<Target>,
    pub(crate) shared: Vec<(String, String)>,
    pub(crate) properties: Vec<(String, String)>,
}

/// One item that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The collection, such as `profiles`.
    pub kind: String,
    /// The item.
    pub unique_name: String,
    /// The attributes that really differ, as paths such as `productivityPane.mode`.
    pub changed: Vec<String>,
    pub(crate) values: String,
    pub(crate) images: Vec<(String, String)>,
}

impl Event {
    /// Returns the value that an earlier step of the same change shared under a key. A value that does not fit is the
    /// fault `bad-shared`.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.delete", "stage": 20, "shared": { "seen": 3 },
    ///     "targets": [{ "kind": "macros", "uniqueName": "contoso_mail" }],
    /// }));
    /// assert_eq!(event.shared::<u32>("seen")?, Some(3));
    /// assert_eq!(event.shared::<String>("seen").unwrap_err().code(), "bad-shared");
    /// assert_eq!(event.shared::<u32>("else")?, None);
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn shared<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        let found = self.shared.iter().find(|(known, _)| known == key);
        found.map(|(_, json)| read(json, &format!("shared.{key}"), "bad-shared")).transpose()
    }

    /// Returns the author of the change.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.delete", "stage": 20, "author": "ada", "targets": [],
    /// }));
    /// assert_eq!(event.author(), Some("ada"));
    /// ```
    pub fn author(&self) -> Option<&str> {
        self.property("author")
    }

    /// Returns the reason that the author gave for the change.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.delete", "stage": 20, "reason": "tidying", "targets": [],
    /// }));
    /// assert_eq!(event.reason(), Some("tidying"));
    /// ```
    pub fn reason(&self) -> Option<&str> {
        self.property("reason")
    }

    /// Returns another property of the event by name. Later hosts may add more of them.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.delete", "stage": 20, "author": "ada",
    ///     "targets": [{ "kind": "macros", "uniqueName": "contoso_mail" }],
    /// }));
    /// assert_eq!((event.property("author"), event.author(), event.reason()), (Some("ada"), Some("ada"), None));
    /// ```
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Target {
    /// Returns the new values of the attributes that differ, as many of them as `T` has; `null` for a removed one.
    /// Values that do not fit are the fault `bad-values`.
    ///
    /// Make every attribute of `T` optional: attributes that do not differ are left out.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// #[derive(serde::Deserialize)]
    /// struct Macro { name: Option<String> }
    ///
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.update", "stage": 20,
    ///     "targets": [{ "kind": "macros", "uniqueName": "contoso_mail", "values": { "name": "Mail" } }],
    /// }));
    /// assert_eq!(event.targets[0].values::<Macro>()?.name.as_deref(), Some("Mail"));
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn values<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        read(&self.values, &format!("{}/{}", self.kind, self.unique_name), "bad-values")
    }

    /// Returns an image that the manifest asked for, by its alias, with as many attributes as `T` has. None if there is
    /// none, as before an item is made. One that does not fit is the fault `bad-image`.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "macro.update", "stage": 20,
    ///     "targets": [{ "kind": "macros", "uniqueName": "contoso_mail", "images": { "before": { "name": "Mail" } } }],
    /// }));
    /// let before: Option<serde_json::Value> = event.targets[0].image("before")?;
    /// assert_eq!(before.unwrap()["name"], "Mail");
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn image<T: DeserializeOwned>(&self, alias: &str) -> Result<Option<T>, Fault> {
        let found = self.images.iter().find(|(known, _)| known == alias);
        found.map(|(_, json)| read(json, alias, "bad-image")).transpose()
    }

    /// Returns whether an attribute or a part of it differs.
    ///
    /// ```
    /// # use loadout_sdk::testing::event;
    /// let event = event(serde_json::json!({
    ///     "step": "guard", "message": "profile.update", "stage": 20, "targets": [{
    ///         "kind": "profiles", "uniqueName": "contoso_rep",
    ///         "changed": ["productivityPane.mode"], "values": { "productivityPane": { "mode": "hidden" } },
    ///     }],
    /// }));
    /// let target = &event.targets[0];
    /// assert!(target.changes("productivityPane") && target.changes("productivityPane.mode"));
    /// assert!(!target.changes("productivityPane.tools") && !target.changes("product"));
    /// ```
    pub fn changes(&self, path: &str) -> bool {
        let within =
            |changed: &String| changed.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.changed.iter().any(within)
    }
}
