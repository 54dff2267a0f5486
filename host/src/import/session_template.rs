//! Imports session templates, with the tabs and scripts linked to them.
//!
//! The kind is `msdyn_sessiontype`, or else the older Boolean `msdyn_type`; if both exist and disagree, that is
//! reported (ruling 8.2). Links have no order in a solution: tabs get order 0, scripts are sorted by name, and existing
//! links keep their order. An expression that cannot be read is kept in the source and not used.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::source::guid;
use crate::domain::{
    AdditionalTab, ApplicationTabTemplate, CommunicationPanel, DefaultScript, Definition, Item, Kind, Name, Script,
    SessionKind, SessionTemplate, Text,
};

use super::customizations::Links;
use super::json;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const TEMPLATE: &str = "msdyn_sessiontemplate";

pub(crate) const KINDS: &[(i64, SessionKind)] = &[(0, SessionKind::Generic), (1, SessionKind::Entity)];
pub(crate) const PANELS: &[(i64, CommunicationPanel)] = &[
    (162_450_000, CommunicationPanel::Minimized),
    (162_450_001, CommunicationPanel::Hidden),
    (162_450_002, CommunicationPanel::Docked),
];

/// Plans all session templates, with their links.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, links: &mut Links) {
    let mut drafts = Drafts::new();
    let script_ids = script_ids(work);
    for row in rows.take(TEMPLATE) {
        let Some((component, row, template)) = work.read(row, template) else { continue };
        let name = row.name.clone();
        let template = complete(work, component, row, template, &script_ids);
        drafts.begin(component, &name, template);
    }
    attach(work, links, &mut drafts, "msdyn_applicationtabtemplateid", |template: &mut SessionTemplate, tab| {
        template.tabs.push(AdditionalTab { template: tab, order: 0 });
    });
    attach(work, links, &mut drafts, "msdyn_productivityagentscriptid", |template: &mut SessionTemplate, script| {
        template.scripts.push(script);
    });
    for (name, template) in drafts.iter_mut() {
        put_in_order(template, work.existing(name));
    }
    drafts.put(work, TEMPLATE);
}

/// Orders the links, which are a set without order: those that exist `here` keep their order.
fn put_in_order(template: &mut SessionTemplate, here: Option<&SessionTemplate>) {
    let tabs = here.into_iter().flat_map(|here| &here.tabs);
    let orders: BTreeMap<_, _> = tabs.map(|tab| (&tab.template, tab.order)).collect();
    for tab in &mut template.tabs {
        tab.order = orders.get(&tab.template).copied().unwrap_or(0);
    }
    template.tabs.sort_by(|a, b| (a.order, &a.template).cmp(&(b.order, &b.template)));
    template.tabs.dedup();
    let scripts = here.into_iter().flat_map(|here| &here.scripts);
    let places: BTreeMap<_, _> = scripts.enumerate().map(|(place, script)| (script, place)).collect();
    template.scripts.sort_by_cached_key(|it| (places.get(it).copied().unwrap_or(usize::MAX), it.clone()));
    template.scripts.dedup();
}

/// The values of a row before its look-ups are resolved.
struct Raw {
    template: SessionTemplate,
    older: Option<SessionKind>,
    anchor: Option<String>,
    expression: Option<String>,
    build_expression: bool,
}

fn template(row: &mut Row) -> Result<Raw, Unreadable> {
    let older = row.switch("msdyn_type")?;
    let older = older.map(|entity| if entity { SessionKind::Entity } else { SessionKind::Generic });
    let kind = row.choice("msdyn_sessiontype", KINDS)?.or(older);
    let missing = || Unreadable("neither `msdyn_sessiontype` nor `msdyn_type` says of what kind it is".to_owned());
    let template = SessionTemplate {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        kind: kind.ok_or_else(missing)?,
        entity: row.text("msdyn_entity")?,
        title: row.localized("msdyn_title")?,
        title_on_anchor_tab: row.switch("msdyn_enabletitlesync")?.unwrap_or(false),
        communication_panel: row.choice("msdyn_panelstate", PANELS)?.unwrap_or_default(),
        icon: row
            .lookup("msdyn_sessionicon")
            .map(Text::new)
            .transpose()
            .map_err(|error| Unreadable(format!("`msdyn_sessionicon`: {error}")))?,
        anchor_tab: None,
        tabs: Vec::new(),
        scripts: Vec::new(),
        default_script: None,
        source: None,
    };
    Ok(Raw {
        template,
        older,
        anchor: row.lookup("msdyn_anchortab"),
        expression: row.plain("msdyn_expressiondata").filter(|text| !text.trim().is_empty()),
        build_expression: row.switch("msdyn_enablebuildexpression")?.unwrap_or(false),
    })
}

fn complete(
    work: &mut Work<'_>,
    component: usize,
    row: Row,
    raw: Raw,
    script_ids: &BTreeSet<String>,
) -> SessionTemplate {
    let Raw { mut template, older, anchor, expression, build_expression } = raw;
    let place = format!("{TEMPLATE}/{}", row.name);
    let mut also = Vec::new();
    if let Some(older) = older.filter(|older| *older != template.kind) {
        let word = |kind| if kind == SessionKind::Entity { "entity" } else { "generic" };
        let message = format!(
            "`msdyn_sessiontype` says {}, `msdyn_type` says {}: the former counts",
            word(template.kind),
            word(older)
        );
        work.note(component, message.clone());
        work.report.warn("session-kind-disagrees", &place, message);
    }
    if template.kind == SessionKind::Generic
        && let Some(entity) = template.entity.take()
    {
        work.note(component, format!("a generic template has no entity: `{entity}` is kept in the source only"));
        also.push(("msdyn_entity", entity.to_string()));
    }
    if let Some(anchor) = anchor {
        template.anchor_tab = work.resolve::<ApplicationTabTemplate>(&anchor);
        if template.anchor_tab.is_none() {
            let reason = work.why_not(Kind::ApplicationTabTemplate, &anchor);
            let message = format!("the anchor tab is left out: {reason}");
            work.note(component, message.clone());
            work.report.warn("anchor-missing", &place, message);
            also.push(("msdyn_anchortab", anchor));
        }
    }
    if let Some(text) = expression {
        match expression_of(&text) {
            Ok(expression) => {
                warn_of_unknown_scripts(work, &place, &expression, script_ids);
                template.default_script = Some(DefaultScript { enabled: build_expression, expression });
            }
            Err(reason) => {
                let message = format!("the expression is kept in the source and not used: {reason}");
                work.note(component, message.clone());
                work.report.warn("expression-unreadable", &place, message);
                also.push(("msdyn_expressiondata", text));
            }
        }
    }
    template.source = row.source(work.solution.summary.managed, &also);
    template
}

/// Parses an expression. Refuses one that cannot be evaluated or written again.
fn expression_of(text: &str) -> Result<Definition, String> {
    json::read::<serde_json::Value>(text.as_bytes()).map_err(|error| format!("it is not JSON: {error}"))?;
    let definition = Definition::new(text).map_err(|error| error.to_string())?;
    definition.workflow().map_err(|error| error.to_string())?;
    Ok(definition)
}

/// The GUIDs of the sources of scripts here and in the archive.
fn script_ids(work: &Work<'_>) -> BTreeSet<String> {
    let here = work.here.all::<Script>().map(|(_, script)| script);
    let all = here.chain(work.planned::<Script>().map(|(_, script)| script));
    all.filter_map(|script| script.source.as_ref()?.id.clone()).collect()
}

/// Expressions name scripts by GUID. A GUID of no script is kept, and reported.
fn warn_of_unknown_scripts(work: &mut Work<'_>, place: &str, expression: &Definition, known: &BTreeSet<String>) {
    let Ok(workflow) = expression.workflow() else { return };
    for id in workflow.scripts().into_iter().filter_map(guid).filter(|id| !known.contains(id)) {
        let message = format!("the expression sets the script `{id}`, which is in no file and not here; it is kept");
        work.report.warn("expression-names-unknown-script", place, message);
    }
}

/// Resolves the links from session templates to the items of `T`, whose GUIDs are in `column`.
fn attach<T: Item>(
    work: &mut Work<'_>,
    links: &mut Links,
    drafts: &mut Drafts<SessionTemplate>,
    column: &str,
    add: impl Fn(&mut SessionTemplate, Name<T>),
) {
    for link in links.take("msdyn_sessiontemplateid", column) {
        let (name, target) = (link.end("msdyn_sessiontemplateid"), link.end(column));
        let Some(target) = work.resolve::<T>(target) else {
            let reason = work.why_not(T::KIND, target);
            work.leave_out(&link, reason);
            continue;
        };
        let Some(template) = drafts.open(work, name) else {
            let reason = work.why_not(Kind::SessionTemplate, name);
            work.leave_out(&link, reason);
            continue;
        };
        add(template, target);
        work.link(&link, Kind::SessionTemplate, name);
    }
}
