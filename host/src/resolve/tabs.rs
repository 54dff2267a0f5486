//! Tabs of a session: the anchor, then the others in order (domain 3.7, rulings 8.8, 8.9, 8.11).

use std::collections::BTreeMap;

use crate::domain::experience::{Outcome, Tab};
use crate::domain::{ApplicationTabTemplate, Environment, Name, PageType, SessionTemplate};
use crate::store::Snapshot;

use super::explain::{Account, line};
use super::{Facts, texts};

/// Most characters of an address that a warning shows.
const ADDRESS_SHOWN: usize = 200;

/// The additional tabs that open.
pub(super) fn additional(
    snapshot: &Snapshot,
    template: &SessionTemplate,
    environment: &Environment,
    facts: &Facts,
    account: &mut Account,
) -> Vec<Tab> {
    let mut placed: Vec<_> = template.tabs.iter().collect();
    placed.sort_by(|a, b| (a.order, &a.template).cmp(&(b.order, &b.template)));
    // The anchor counts, too (ruling 8.18).
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

/// The anchor a generic template names. It never closes, and opens whatever its parameters lack.
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

/// The anchor of a record session: the record itself.
pub(super) fn record_anchor(entity: &str, title: String, facts: &Facts) -> Tab {
    let mut parameters = BTreeMap::from([("entityName".to_owned(), entity.to_owned())]);
    let id = facts.context.get(&format!("anchor.{entity}id")).or_else(|| facts.context.get("entityId"));
    parameters.extend(id.map(|id| ("entityId".to_owned(), id.clone())));
    Tab { template: None, title, page_type: PageType::EntityRecord, closable: false, parameters }
}

/// The anchor of a conversation whose template names none (domain 3.6).
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

/// Parameters with their slugs replaced. A required one without a value keeps the tab shut, any other is left out.
fn parameters(
    name: &Name<ApplicationTabTemplate>,
    template: &ApplicationTabTemplate,
    facts: &Facts,
    account: &mut Account,
) -> Result<BTreeMap<String, String>, String> {
    let required = template.page_type.required_parameters();
    let mut values = BTreeMap::new();
    for key in template.parameters.keys() {
        account.go_on().map_err(|error| error.to_string())?;
        let Some(text) = template.parameter(key) else { continue };
        let rendered = account.render(facts, text);
        // Exports carry stray line ends and blanks around values; no parameter means them.
        let value = rendered.text.trim();
        if rendered.unresolved.is_empty() && !value.is_empty() {
            values.insert(key.clone(), value.to_owned());
        } else if !required.contains(&key.as_str()) {
            account.unresolved(&format!("parameter `{key}` of tab `{name}`"), &rendered.unresolved);
        } else {
            let slugs: Vec<String> = rendered.unresolved.iter().map(|slug| format!("`{slug}`")).collect();
            return Err(format!("parameter `{key}` needs {}, which has no value in this session", slugs.join(", ")));
        }
    }
    if let Some(missing) = required.iter().find(|key| !values.contains_key(**key)) {
        return Err(format!("parameter `{missing}` has no value"));
    }
    if template.page_type == PageType::ThirdPartyWebsite {
        let address = ["url", "data"].iter().filter_map(|key| values.get(*key)).map(String::as_str).collect::<String>();
        if !address.starts_with("https://") {
            let beginning: String = address.chars().take(ADDRESS_SHOWN).collect();
            return Err(format!("its address `{beginning}` does not begin with `https://`"));
        }
        values.insert("address".to_owned(), address);
    }
    Ok(values)
}

fn default_title(template: &ApplicationTabTemplate, parameters: &BTreeMap<String, String>, facts: &Facts) -> String {
    let page = ["entityName", "webresourceName", "name"].iter().find_map(|key| parameters.get(*key));
    page.cloned().unwrap_or_else(|| template.name.in_language(facts.language).to_owned())
}
