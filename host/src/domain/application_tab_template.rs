//! Application tab templates: reusable pages with parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::item::item_basics;
use super::*;

/// A reusable page (`msdyn_applicationtabtemplate`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationTabTemplate {
    /// For administrators; never shown at run time.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive templates are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Shown on the tab; slugs allowed. Without it the page names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized<200>>,
    /// The kind of page.
    pub page_type: PageType,
    /// Whether a person may close the tab; an anchor never closes (ruling 8.8).
    #[serde(default = "closable")]
    pub closable: bool,
    /// Parameters of the page; slugs allowed in every value. `null` is a parameter without a value.
    #[serde(default)]
    #[schema(schema_with = parameters)]
    pub parameters: BTreeMap<String, Option<Text<2048>>>,
    /// Where the template came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

fn parameters() -> Schema {
    let text = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(2048))
        .pattern(Some(super::text::PLAIN));
    let parameters = ObjectBuilder::new()
        .description(Some(
            "Parameters of the page; slugs allowed in every value. `null` is a parameter without a value.",
        ))
        .additional_properties(Some(Schema::from(text)));
    parameters.into()
}

fn closable() -> bool {
    true
}

/// A kind of page (`msdyn_pagetype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageType {
    /// Rows of a table.
    EntityList,
    /// One row, or the form for a new one.
    EntityRecord,
    /// A web resource of the environment.
    WebResource,
    /// A control; internal use.
    Control,
    /// A dashboard.
    Dashboard,
    /// Search.
    Search,
    /// A page of another site.
    ThirdPartyWebsite,
    /// A custom page.
    CustomPage,
}

impl PageType {
    /// The parameters without which the page cannot open.
    ///
    /// `dashboardId` is not among them: without it the default dashboard shows.
    pub fn required_parameters(self) -> &'static [&'static str] {
        match self {
            Self::EntityList | Self::EntityRecord => &["entityName"],
            Self::WebResource => &["webresourceName"],
            Self::Search => &["searchText"],
            Self::ThirdPartyWebsite => &["url"],
            Self::CustomPage => &["name"],
            Self::Control | Self::Dashboard => &[],
        }
    }
}

impl ApplicationTabTemplate {
    /// Longest JSON form of all parameters together, in characters (`msdyn_templateparameters`).
    pub const PARAMETERS_MAX: usize = 2048;

    /// The value of `parameter`, if it has one that is not empty.
    pub fn parameter(&self, parameter: &str) -> Option<&str> {
        let value = self.parameters.get(parameter)?.as_ref()?.as_str();
        if value.is_empty() { None } else { Some(value) }
    }

    /// Reports addresses that no session could open.
    fn check_addresses(&self, problems: &mut Problems) {
        let parameters =
            self.parameters.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_ref()?.as_str())));
        for (key, text) in parameters {
            let is_url = self.page_type == PageType::ThirdPartyWebsite && key == "url";
            let begins = |with| address::begins_with(text.trim(), with);
            let is_https = begins("https://") && !begins("https:///") && !begins(r"https://\");
            if is_url && !text.is_empty() && !is_https && !text.trim().starts_with(['{', '$']) {
                problems.question("parameters.url", format!("`{text}` must begin with `https://` and a host"));
            } else if self.page_type != PageType::Search && address::runs_code(text) {
                problems.question(format!("parameters.{key}"), address::RUNS);
            }
        }
    }
}

impl Item for ApplicationTabTemplate {
    item_basics!(ApplicationTabTemplate, named, stateful);

    fn check(&self, problems: &mut Problems) {
        if let Some(title) = &self.title {
            slug::check_localized(title, "title", problems);
        }
        for (key, value) in &self.parameters {
            let at = format!("parameters.{key}");
            if key.is_empty() || key.chars().count() > 100 {
                problems.refuse(&at, "the name of a parameter has 1 to 100 characters");
            }
            if let Some(value) = value {
                slug::check(value.as_str(), &at, problems);
            }
        }
        for required in self.page_type.required_parameters() {
            if self.parameter(required).is_none() {
                problems.question(
                    format!("parameters.{required}"),
                    "the page cannot open without this parameter: give it a value",
                );
            }
        }
        self.check_addresses(problems);
    }
}
