//! Tabs of a session: the anchor, then the others in order (domain 3.7, rulings 8.8, 8.9, 8.11).

use std::collections::BTreeMap;

use crate::domain::experience::{Outcome, Tab};
use crate::domain::slug::Rendered;
use crate::domain::{ApplicationTabTemplate, Environment, Name, PageType, SessionTemplate, page_parameter};
use crate::store::Snapshot;

use super::explain::{Account, line};
use super::{Facts, texts};

/// Returns the additional tabs that open.
pub(super) fn additional(
    snapshot: &Snapshot,
    template: &SessionTemplate,
    environment: &Environment,
    facts: &Facts,
    account: &mut Account,
) -> Vec<Tab> {
    let mut placed: Vec<_> = template.tabs.iter().collect();
    placed.sort_by(|a, b| (a.order, &a.template).cmp(&(b.order, &b.template)));
    // The anchor counts as a tab, too (ruling 8.18).
    let room = usize::from(environment.tabs_max).saturating_sub(1);
    let mut open = Vec::new();
    for tab in placed {
        if account.go_on().is_err() {
            break;
        }
        let name = &tab.template;
        let outcome = if open.len() >= room {
            Err(format!("a session has at most {} tabs", environment.tabs_max))
        } else {
            resolve(snapshot, name, facts, account)
        };
        match outcome {
            Ok(tab) => {
                account.line(|| line("tab", Some(name.as_str()), Outcome::Opened, "the session template attaches it"));
                open.push(tab);
            }
            Err(reason) => {
                account.warn("tab-left-out", format!("tab `{name}` does not open: {reason}"));
                account.line(|| line("tab", Some(name.as_str()), Outcome::LeftOut, reason));
            }
        }
    }
    open
}

/// Returns the anchor that a generic template names, as a tab that never closes. Returns none, with a warning, if it
/// cannot open: the default anchor opens then.
pub(super) fn anchor(
    snapshot: &Snapshot,
    name: &Name<ApplicationTabTemplate>,
    facts: &Facts,
    account: &mut Account,
) -> Option<Tab> {
    match resolve(snapshot, name, facts, account) {
        Ok(tab) => Some(Tab { closable: false, ..tab }),
        Err(reason) => {
            account.warn(
                "anchor-replaced",
                format!("anchor tab `{name}` cannot open: {reason}; the default anchor opens"),
            );
            None
        }
    }
}

/// Returns the anchor of a record session: the record itself.
pub(super) fn record_anchor(entity: &str, title: String, facts: &Facts) -> Tab {
    let mut parameters = BTreeMap::from([("entityName".to_owned(), entity.to_owned())]);
    let id = facts.context.get(&format!("anchor.{entity}id")).or_else(|| facts.context.get("entityId"));
    parameters.extend(id.map(|id| ("entityId".to_owned(), id.clone())));
    Tab { template: None, title, page_type: PageType::EntityRecord, closable: false, parameters }
}

/// Returns the anchor of a conversation whose template names none (domain 3.6).
pub(super) fn conversation_anchor(facts: &Facts) -> Tab {
    let mut parameters = BTreeMap::from([("entityName".to_owned(), "msdyn_ocliveworkitem".to_owned())]);
    parameters.extend(facts.context.get("LiveWorkItemId").map(|id| ("entityId".to_owned(), id.clone())));
    let title = "Active Conversation".to_owned();
    Tab { template: None, title, page_type: PageType::EntityRecord, closable: false, parameters }
}

fn resolve(
    snapshot: &Snapshot,
    name: &Name<ApplicationTabTemplate>,
    facts: &Facts,
    account: &mut Account,
) -> Result<Tab, String> {
    let template = snapshot.active(name).ok_or("its template is inactive")?;
    let parameters = parameters(name, template, facts, account)?;
    let title = texts::title(template.title.as_ref(), &format!("the title of tab `{name}`"), facts, account, || {
        default_title(template, &parameters, facts)
    });
    Ok(Tab {
        template: Some(name.to_string()),
        title,
        page_type: template.page_type,
        closable: template.closable,
        parameters,
    })
}

/// Returns the parameters with their slugs replaced. A required parameter without a value keeps the tab shut; any other
/// is left out.
fn parameters(
    name: &Name<ApplicationTabTemplate>,
    template: &ApplicationTabTemplate,
    facts: &Facts,
    account: &mut Account,
) -> Result<BTreeMap<String, String>, String> {
    let page = template.page_type;
    let mut found = Found { name, required: page.required_parameters(), values: BTreeMap::new() };
    for key in template.parameters.keys() {
        account.go_on().map_err(|error| error.to_string())?;
        let Some(text) = template.parameter(key) else { continue };
        if page == PageType::ThirdPartyWebsite && matches!(key.as_str(), "url" | "data") {
            continue;
        }
        let rendered = account.with_values(facts, |values| page_parameter::render(page, key, text, values));
        let rendered = rendered.map_err(|unusable| format!("parameter `{key}`: {unusable}"))?;
        found.add(key, &rendered, account)?;
    }
    if let (PageType::ThirdPartyWebsite, Some(url)) = (page, template.parameter("url")) {
        let data = template.parameter("data");
        let website = account.with_values(facts, |values| page_parameter::website(url, data, values));
        let website = website.map_err(|unusable| format!("parameter `url`, with `data` behind it: {unusable}"))?;
        found.add("url", &website.url, account)?;
        if let Some(data) = &website.data {
            found.add("data", data, account)?;
        }
        found.values.extend(website.address.map(|address| ("address".to_owned(), address)));
    }
    match found.required.iter().find(|key| !found.values.contains_key(**key)) {
        Some(missing) => Err(format!("parameter `{missing}` has no value")),
        None => Ok(found.values),
    }
}

/// The parameters of a tab that have values.
struct Found<'a> {
    name: &'a Name<ApplicationTabTemplate>,
    required: &'static [&'static str],
    values: BTreeMap<String, String>,
}

impl Found<'_> {
    /// Takes a parameter, or leaves it out if it is empty or a slug in it has no value. Fails if a required one has
    /// such a slug.
    fn add(&mut self, key: &str, rendered: &Rendered, account: &mut Account) -> Result<(), String> {
        // Exports hold stray line ends and blanks around values, which are not a part of any parameter.
        let value = rendered.text.trim();
        if rendered.unresolved.is_empty() && !value.is_empty() {
            self.values.insert(key.to_owned(), value.to_owned());
        } else if !self.required.contains(&key) {
            account.unresolved(&format!("parameter `{key}` of tab `{}`", self.name), &rendered.unresolved);
        } else if !rendered.unresolved.is_empty() {
            let slugs: Vec<String> = rendered.unresolved.iter().map(|slug| format!("`{slug}`")).collect();
            return Err(format!("parameter `{key}` needs {}, which has no value in this session", slugs.join(", ")));
        }
        Ok(())
    }
}

fn default_title(template: &ApplicationTabTemplate, parameters: &BTreeMap<String, String>, facts: &Facts) -> String {
    let page = ["entityName", "webresourceName", "name"].iter().find_map(|key| parameters.get(*key));
    page.cloned().unwrap_or_else(|| template.name.in_language(facts.language).to_owned())
}
