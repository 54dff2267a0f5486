//! The reads of a rule about the person and the session.

use crate::found::Found;
use crate::host::asked_of_any_host;
use crate::source::{Reads, Source};
use crate::workflow::Workflow;
use crate::{Fault, Rendered};

/// The table of conversations, as `sourceEntity` and settings name it.
pub const CONVERSATION: &str = "msdyn_ocliveworkitem";

/// The person and the session a rule decides for. Every method is a read, recorded by the host. Within a
/// call, context and library give equal answers to equal reads; records, knowledge and requests go outside each time.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    source: &'a Source,
}

impl<'a> Session<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    /// Returns the value of one key of the session's context, such as `customerName` or `anchor.ticketnumber`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("customerName", "Ada");
    /// assert_eq!(fixture.session().get("customerName").as_deref(), Some("Ada"));
    /// ```
    pub fn get(&self, key: &str) -> Option<String> {
        self.source.get(key)
    }

    /// Returns the same value, to be read as a number, a switch or a day.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("visits", "3");
    /// assert_eq!(fixture.session().read("visits").number::<u32>()?, Some(3));
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn read(&self, key: &str) -> Found {
        Found::new(key, self.get(key))
    }

    /// Returns whether the person has a security role, assigned directly or contained in an assigned role.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().role("contoso_agent");
    /// assert!(fixture.session().has_role("contoso_agent"));
    /// ```
    pub fn has_role(&self, role: &str) -> bool {
        self.source.has_role(role)
    }

    /// Returns whether the person has a licence, such as `chat`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().licence("chat");
    /// assert!(fixture.session().has_licence("chat") && !fixture.session().has_licence("voice"));
    /// ```
    pub fn has_licence(&self, licence: &str) -> bool {
        self.source.has_licence(licence)
    }

    /// Returns the channel of the session's conversation, such as `chat`. None for record sessions and outside a
    /// session.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().channel("chat");
    /// assert_eq!(fixture.session().channel().as_deref(), Some("chat"));
    /// ```
    pub fn channel(&self) -> Option<String> {
        self.source.channel()
    }

    /// Returns the workstream the conversation came through.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().workstream("contoso_calls");
    /// assert_eq!(fixture.session().workstream().as_deref(), Some("contoso_calls"));
    /// ```
    pub fn workstream(&self) -> Option<String> {
        self.source.workstream()
    }

    /// Returns the table of the record the session is about, such as `incident`. None for conversations and outside a
    /// session.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().entity("incident");
    /// assert_eq!(fixture.session().entity().as_deref(), Some("incident"));
    /// ```
    pub fn entity(&self) -> Option<String> {
        self.source.entity()
    }

    /// Returns the session template in force. None outside a session.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().session_template("contoso_case");
    /// assert_eq!(fixture.session().session_template().as_deref(), Some("contoso_case"));
    /// ```
    pub fn session_template(&self) -> Option<String> {
        self.source.session_template()
    }

    /// Returns the profile in force.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().profile("contoso_rep");
    /// assert_eq!(fixture.session().profile(), "contoso_rep");
    /// ```
    pub fn profile(&self) -> String {
        self.source.profile()
    }

    /// Returns the language of the person's screen, as a Windows language code such as 1033.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().languages(1036, 1033);
    /// assert_eq!(fixture.session().language(), 1036);
    /// ```
    pub fn language(&self) -> u32 {
        self.source.language()
    }

    /// Returns the language of the organisation, the fallback where there is nothing in the person's own.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().languages(1036, 1033);
    /// assert_eq!(fixture.session().base_language(), 1033);
    /// ```
    pub fn base_language(&self) -> u32 {
        self.source.base_language()
    }

    /// Returns the app that asks, such as `customer-service-workspace`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// assert_eq!(fixture.session().app(), "customer-service-workspace");
    /// ```
    pub fn app(&self) -> String {
        self.source.app()
    }

    /// Replaces the slugs of a text, such as `Call from {customerName}`, by values of the session's context.
    ///
    /// Values are as customers wrote them: escape the outcome where it becomes part of an address, a query or markup.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("customerName", "Ada");
    /// let rendered = fixture.session().render("Call from {customerName} about {anchor.title}");
    /// assert_eq!((rendered.text.as_str(), rendered.unresolved), ("Call from Ada about ", vec!["{anchor.title}".to_owned()]));
    /// ```
    pub fn render(&self, template: &str) -> Rendered {
        self.source.render(template)
    }

    /// Runs a workflow definition, with the slugs of its conditions replaced, and returns the script that it sets as
    /// the default, if it sets one. A definition that cannot be run is the fault `bad-workflow`, as is one that cannot
    /// be read.
    ///
    /// ```
    /// use loadout_sdk::testing::Fixture;
    /// use loadout_sdk::workflow::Workflow;
    ///
    /// let workflow = Workflow::parse(r#"{ "actions": { "C": { "type": "If",
    ///     "expression": { "equals": ["${tier}", "gold"] },
    ///     "actions": { "S": { "type": "SetDefaultAgentScript", "inputs": { "scriptUniqueName": "contoso_gold" } } }
    /// } } }"#)?;
    /// let fixture = Fixture::new().context("tier", "gold");
    /// assert_eq!(fixture.session().default_script(&workflow)?.as_deref(), Some("contoso_gold"));
    /// assert_eq!(Fixture::new().session().default_script(&workflow)?, None);
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn default_script(&self, workflow: &Workflow) -> Result<Option<String>, Fault> {
        Ok(workflow.default_script(&|text| self.render(text).text)?)
    }

    /// Returns the table the session is about: that of its record, or [`CONVERSATION`]. None outside a session.
    ///
    /// ```
    /// use loadout_sdk::{CONVERSATION, testing::Fixture};
    ///
    /// assert_eq!(Fixture::new().entity("incident").session().table().as_deref(), Some("incident"));
    /// assert_eq!(Fixture::new().channel("chat").session().table().as_deref(), Some(CONVERSATION));
    /// assert_eq!(Fixture::new().session().table(), None);
    /// ```
    pub fn table(&self) -> Option<String> {
        self.entity().or_else(|| self.channel().map(|_| CONVERSATION.to_owned()))
    }

    /// Returns whether there is a session. Without one, as on the home screen, there is no table, channel or template.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().channel("chat");
    /// assert!(fixture.session().is_open() && !Fixture::new().session().is_open());
    /// ```
    pub fn is_open(&self) -> bool {
        self.session_template().is_some() || self.table().is_some()
    }

    asked_of_any_host!("session");
}
