//! What each address needs: the one table from method and route to a privilege.
//!
//! Refuses every call that is not in the table. A test fails for an operation of the OpenAPI document without a line
//! here, and for a line without an operation. Adding an address is one line below; those of the collections follow from
//! their kinds.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;

use crate::domain::Kind;
use crate::domain::access::{Caller, Privilege};

use super::problem::Refusal;

use Needs::{AnyToken, The};
use Privilege::*;

/// What a caller must have to make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// A token that serves, whatever its roles: the answer is about the caller alone.
    AnyToken,
    /// This privilege.
    The(Privilege),
}

/// Refuses what `caller` asks for beside the call itself, if it needs a privilege that `caller` does not have.
pub(super) fn also(caller: &Caller, is_asked: bool, privilege: Privilege) -> Result<(), Refusal> {
    if is_asked && !caller.has(privilege) { Err(Refusal::forbidden(caller.name(), privilege)) } else { Ok(()) }
}

/// What the table says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The call may be made by a caller that has this.
    Open(Needs),
    /// The address takes other methods only: these.
    OtherMethods(String),
    /// The table has no line for the route, so the call is refused.
    Nothing,
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// Every address under `/api/` but those of the collections.
const LINES: &[(Method, &str, Needs)] = &[
    (GET, "/api/v1/profiles/{uniqueName}/users", The(PeopleRead)),
    (POST, "/api/v1/profiles/{uniqueName}/users", The(PeopleWrite)),
    (PUT, "/api/v1/profiles/{uniqueName}/users/{login}", The(PeopleWrite)),
    (DELETE, "/api/v1/profiles/{uniqueName}/users/{login}", The(PeopleWrite)),
    (GET, "/api/v1/profiles/{uniqueName}/rank-and-roles", The(ConfigurationRead)),
    (PUT, "/api/v1/profiles/{uniqueName}/rank-and-roles", The(ConfigurationWrite)),
    (DELETE, "/api/v1/profiles/{uniqueName}/rank-and-roles", The(ConfigurationWrite)),
    (POST, "/api/v1/profiles/{uniqueName}/copy", The(ConfigurationWrite)),
    (GET, "/api/v1/default-profile", The(ConfigurationRead)),
    (PUT, "/api/v1/default-profile", The(ConfigurationWrite)),
    (DELETE, "/api/v1/default-profile", The(ConfigurationWrite)),
    (GET, "/api/v1/environment", The(ConfigurationRead)),
    (PUT, "/api/v1/environment", The(ConfigurationWrite)),
    (GET, "/api/v1/users/{login}/experience", The(ExperienceRead)),
    (POST, "/api/v1/experience", The(ExperienceRead)),
    (GET, "/api/v1/revisions", The(HistoryRead)),
    (POST, "/api/v1/imports", The(ConfigurationWrite)),
    (GET, "/api/v1/export", The(Export)),
    (GET, "/api/v1/plugins", The(ConfigurationRead)),
    (POST, "/api/v1/plugins", The(PluginInstall)),
    (GET, "/api/v1/plugins/{publisher}/{name}", The(ConfigurationRead)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}", The(PluginInstall)),
    (POST, "/api/v1/plugins/{publisher}/{name}/activate", The(PluginInstall)),
    (POST, "/api/v1/plugins/{publisher}/{name}/rollback", The(PluginInstall)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/state", The(PluginConfigure)),
    (GET, "/api/v1/plugins/{publisher}/{name}/versions/{version}", The(PluginInstall)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}/versions/{version}", The(PluginInstall)),
    (GET, "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", The(ConfigurationRead)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", The(PluginGrant)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", The(PluginGrant)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/tools/{kind}", The(PluginConfigure)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/steps/{step}", The(PluginConfigure)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/recording", The(PluginRecord)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}/recording", The(PluginRecord)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}/recordings", The(PluginRecord)),
    (GET, "/api/v1/recordings", The(PluginRecord)),
    (GET, "/api/v1/recordings/{id}", The(PluginRecord)),
    (DELETE, "/api/v1/recordings/{id}", The(PluginRecord)),
    (POST, "/api/v1/recordings/{id}/replay", The(PluginRecord)),
    (POST, "/api/v1/plugins/{publisher}/{name}/comparison", The(PluginInstall)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/promotion", The(PluginConfigure)),
    (PUT, "/api/v1/plugins/{publisher}/{name}/rollout", The(PluginInstall)),
    (GET, "/api/v1/plugins/{publisher}/{name}/rollout", The(PluginTraceRead)),
    (DELETE, "/api/v1/plugins/{publisher}/{name}/rollout", The(PluginInstall)),
    (GET, "/api/v1/plugins/{publisher}/{name}/statistics", The(PluginTraceRead)),
    (GET, "/api/v1/plugins/{publisher}/{name}/bundle", The(PluginInstall)),
    (GET, "/api/v1/plugin-bundle", The(PluginInstall)),
    (POST, "/api/v1/plugin-bundle", The(PluginInstall)),
    (GET, "/api/v1/trusted-publishers", The(ConfigurationRead)),
    (GET, "/api/v1/trusted-publishers/{publisher}", The(ConfigurationRead)),
    (PUT, "/api/v1/trusted-publishers/{publisher}", The(PluginTrust)),
    (DELETE, "/api/v1/trusted-publishers/{publisher}", The(PluginTrust)),
    (GET, "/api/v1/connectors", The(ConfigurationRead)),
    (GET, "/api/v1/connectors/{connector}", The(ConfigurationRead)),
    (PUT, "/api/v1/connectors/{connector}", The(PluginGrant)),
    (DELETE, "/api/v1/connectors/{connector}", The(PluginGrant)),
    (GET, "/api/v1/secrets", The(SecretWrite)),
    (PUT, "/api/v1/secrets/{name}", The(SecretWrite)),
    (DELETE, "/api/v1/secrets/{name}", The(SecretWrite)),
    (GET, "/api/v1/traces", The(PluginTraceRead)),
    (GET, "/api/v1/traces/{id}", The(PluginTraceRead)),
    (GET, "/api/v1/steps", The(ConfigurationRead)),
    (GET, "/api/v1/outbox", The(PluginTraceRead)),
    (POST, "/api/v1/outbox/{id}/retry", The(PluginConfigure)),
    (DELETE, "/api/v1/outbox", The(PluginConfigure)),
    (DELETE, "/api/v1/outbox/{id}", The(PluginConfigure)),
    (POST, "/api/v1/upgrade-plans", The(Upgrade)),
    (GET, "/api/v1/upgrade-plans/{plan}", The(Upgrade)),
    (GET, "/api/v1/upgrades", The(Upgrade)),
    (POST, "/api/v1/upgrades", The(Upgrade)),
    (POST, "/api/v1/upgrades/baseline", The(Upgrade)),
    (GET, "/api/v1/upgrades/{run}", The(Upgrade)),
    (GET, "/api/v1/upgrades/{run}/rows", The(Upgrade)),
    (GET, "/api/v1/upgrades/{run}/events", The(Upgrade)),
    (POST, "/api/v1/upgrades/{run}/resume", The(Upgrade)),
    (POST, "/api/v1/upgrades/{run}/abandon", The(Upgrade)),
    (POST, "/api/v1/upgrades/{run}/rollback", The(Upgrade)),
    (GET, "/api/v1/me", AnyToken),
    (GET, "/api/v1/access-roles", The(TokenManage)),
    (GET, "/api/v1/tokens", The(TokenManage)),
    (POST, "/api/v1/tokens", The(TokenManage)),
    (GET, "/api/v1/tokens/{name}", The(TokenManage)),
    (DELETE, "/api/v1/tokens/{name}", The(TokenManage)),
    (POST, "/api/v1/tokens/{name}/rotate", The(TokenManage)),
    (GET, "/api/v1/audit", The(AuditRead)),
];

type Table = HashMap<String, Vec<(Method, Needs)>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.is_collection()) {
        let collection = format!("/api/v1/{}", kind.collection());
        let (read, write) = (The(Privilege::to_read(kind)), The(Privilege::to_write(kind)));
        let item = [(GET, read), (PUT, write), (PATCH, write), (DELETE, write)];
        table.insert(format!("{collection}/{{uniqueName}}"), item.into());
        table.insert(collection, vec![(GET, read)]);
    }
    for (method, route, needs) in LINES {
        table.entry((*route).to_owned()).or_default().push((method.clone(), *needs));
    }
    table
});

/// Returns what the table says of `method` at `route`. A caller that may send GET may also send HEAD.
pub(super) fn of(method: &Method, route: &str) -> Line {
    let Some(lines) = TABLE.get(route) else { return Line::Nothing };
    let wanted = if method == Method::HEAD { &GET } else { method };
    match lines.iter().find(|(method, _)| method == wanted) {
        Some((_, needs)) => Line::Open(*needs),
        None => {
            let methods: Vec<&str> = lines.iter().map(|(method, _)| method.as_str()).collect();
            let head = if methods.contains(&"GET") { ",HEAD" } else { "" };
            Line::OtherMethods(methods.join(",") + head)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::http::{openapi, routes};

    use super::*;

    #[test]
    fn the_table_has_a_line_for_every_operation_and_an_operation_for_every_line() {
        let (_, document) = routes().split_for_parts();
        let mut served = BTreeSet::new();
        for (path, mut item) in document.paths.paths.into_iter().filter(|(path, _)| path.starts_with("/api/")) {
            served.extend(openapi::operations(&mut item).map(|(method, _)| format!("{method} {path}")));
        }
        let lines = TABLE.iter().flat_map(|(route, lines)| lines.iter().map(move |(method, _)| (method, route)));
        let lines: Vec<String> = lines.map(|(method, route)| format!("{method} {route}")).collect();
        let known: BTreeSet<String> = lines.iter().cloned().collect();
        assert_eq!(known.len(), lines.len(), "a line stands twice");
        let closed: Vec<_> = served.difference(&known).collect();
        assert!(
            closed.is_empty(),
            "no caller may call these, because `http/privileges.rs` has no line for them: {closed:?}"
        );
        let idle: Vec<_> = known.difference(&served).collect();
        assert!(idle.is_empty(), "these lines of `http/privileges.rs` open nothing: {idle:?}");
    }

    #[test]
    fn what_each_call_needs() {
        let mut lines = Vec::new();
        for (route, calls) in TABLE.iter() {
            for (method, needs) in calls {
                let needs = match needs {
                    AnyToken => "any token".to_owned(),
                    The(privilege) => privilege.to_string(),
                };
                lines.push(format!("{} {method}: {needs}", route.trim_start_matches("/api/v1/")));
            }
        }
        lines.sort();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        access-roles GET: token.manage
        application-extensions GET: configuration.read
        application-extensions/{uniqueName} DELETE: configuration.write
        application-extensions/{uniqueName} GET: configuration.read
        application-extensions/{uniqueName} PATCH: configuration.write
        application-extensions/{uniqueName} PUT: configuration.write
        application-tab-templates GET: configuration.read
        application-tab-templates/{uniqueName} DELETE: configuration.write
        application-tab-templates/{uniqueName} GET: configuration.read
        application-tab-templates/{uniqueName} PATCH: configuration.write
        application-tab-templates/{uniqueName} PUT: configuration.write
        apps GET: configuration.read
        apps/{uniqueName} DELETE: configuration.write
        apps/{uniqueName} GET: configuration.read
        apps/{uniqueName} PATCH: configuration.write
        apps/{uniqueName} PUT: configuration.write
        audit GET: audit.read
        channel-providers GET: configuration.read
        channel-providers/{uniqueName} DELETE: configuration.write
        channel-providers/{uniqueName} GET: configuration.read
        channel-providers/{uniqueName} PATCH: configuration.write
        channel-providers/{uniqueName} PUT: configuration.write
        connectors GET: configuration.read
        connectors/{connector} DELETE: plugin.grant
        connectors/{connector} GET: configuration.read
        connectors/{connector} PUT: plugin.grant
        default-profile DELETE: configuration.write
        default-profile GET: configuration.read
        default-profile PUT: configuration.write
        environment GET: configuration.read
        environment PUT: configuration.write
        experience POST: experience.read
        export GET: export
        imports POST: configuration.write
        macros GET: configuration.read
        macros/{uniqueName} DELETE: productivity.write
        macros/{uniqueName} GET: configuration.read
        macros/{uniqueName} PATCH: productivity.write
        macros/{uniqueName} PUT: productivity.write
        me GET: any token
        notification-templates GET: configuration.read
        notification-templates/{uniqueName} DELETE: configuration.write
        notification-templates/{uniqueName} GET: configuration.read
        notification-templates/{uniqueName} PATCH: configuration.write
        notification-templates/{uniqueName} PUT: configuration.write
        outbox DELETE: plugin.configure
        outbox GET: plugin.trace.read
        outbox/{id} DELETE: plugin.configure
        outbox/{id}/retry POST: plugin.configure
        pane-tools GET: configuration.read
        pane-tools/{uniqueName} DELETE: productivity.write
        pane-tools/{uniqueName} GET: configuration.read
        pane-tools/{uniqueName} PATCH: productivity.write
        pane-tools/{uniqueName} PUT: productivity.write
        plugin-bundle GET: plugin.install
        plugin-bundle POST: plugin.install
        plugins GET: configuration.read
        plugins POST: plugin.install
        plugins/{publisher}/{name} DELETE: plugin.install
        plugins/{publisher}/{name} GET: configuration.read
        plugins/{publisher}/{name}/activate POST: plugin.install
        plugins/{publisher}/{name}/bundle GET: plugin.install
        plugins/{publisher}/{name}/comparison POST: plugin.install
        plugins/{publisher}/{name}/promotion PUT: plugin.configure
        plugins/{publisher}/{name}/recording DELETE: plugin.record
        plugins/{publisher}/{name}/recording PUT: plugin.record
        plugins/{publisher}/{name}/recordings DELETE: plugin.record
        plugins/{publisher}/{name}/rollback POST: plugin.install
        plugins/{publisher}/{name}/rollout DELETE: plugin.install
        plugins/{publisher}/{name}/rollout GET: plugin.trace.read
        plugins/{publisher}/{name}/rollout PUT: plugin.install
        plugins/{publisher}/{name}/state PUT: plugin.configure
        plugins/{publisher}/{name}/statistics GET: plugin.trace.read
        plugins/{publisher}/{name}/steps/{step} PUT: plugin.configure
        plugins/{publisher}/{name}/tools/{kind} PUT: plugin.configure
        plugins/{publisher}/{name}/versions/{version} DELETE: plugin.install
        plugins/{publisher}/{name}/versions/{version} GET: plugin.install
        plugins/{publisher}/{name}/versions/{version}/grant DELETE: plugin.grant
        plugins/{publisher}/{name}/versions/{version}/grant GET: configuration.read
        plugins/{publisher}/{name}/versions/{version}/grant PUT: plugin.grant
        profiles GET: configuration.read
        profiles/{uniqueName} DELETE: configuration.write
        profiles/{uniqueName} GET: configuration.read
        profiles/{uniqueName} PATCH: configuration.write
        profiles/{uniqueName} PUT: configuration.write
        profiles/{uniqueName}/copy POST: configuration.write
        profiles/{uniqueName}/rank-and-roles DELETE: configuration.write
        profiles/{uniqueName}/rank-and-roles GET: configuration.read
        profiles/{uniqueName}/rank-and-roles PUT: configuration.write
        profiles/{uniqueName}/users GET: people.read
        profiles/{uniqueName}/users POST: people.write
        profiles/{uniqueName}/users/{login} DELETE: people.write
        profiles/{uniqueName}/users/{login} PUT: people.write
        queues GET: configuration.read
        queues/{uniqueName} DELETE: configuration.write
        queues/{uniqueName} GET: configuration.read
        queues/{uniqueName} PATCH: configuration.write
        queues/{uniqueName} PUT: configuration.write
        recordings GET: plugin.record
        recordings/{id} DELETE: plugin.record
        recordings/{id} GET: plugin.record
        recordings/{id}/replay POST: plugin.record
        revisions GET: history.read
        scripts GET: configuration.read
        scripts/{uniqueName} DELETE: productivity.write
        scripts/{uniqueName} GET: configuration.read
        scripts/{uniqueName} PATCH: productivity.write
        scripts/{uniqueName} PUT: productivity.write
        secrets GET: secret.write
        secrets/{name} DELETE: secret.write
        secrets/{name} PUT: secret.write
        security-roles GET: configuration.read
        security-roles/{uniqueName} DELETE: configuration.write
        security-roles/{uniqueName} GET: configuration.read
        security-roles/{uniqueName} PATCH: configuration.write
        security-roles/{uniqueName} PUT: configuration.write
        session-templates GET: configuration.read
        session-templates/{uniqueName} DELETE: configuration.write
        session-templates/{uniqueName} GET: configuration.read
        session-templates/{uniqueName} PATCH: configuration.write
        session-templates/{uniqueName} PUT: configuration.write
        smart-assist-configurations GET: configuration.read
        smart-assist-configurations/{uniqueName} DELETE: productivity.write
        smart-assist-configurations/{uniqueName} GET: configuration.read
        smart-assist-configurations/{uniqueName} PATCH: productivity.write
        smart-assist-configurations/{uniqueName} PUT: productivity.write
        steps GET: configuration.read
        tokens GET: token.manage
        tokens POST: token.manage
        tokens/{name} DELETE: token.manage
        tokens/{name} GET: token.manage
        tokens/{name}/rotate POST: token.manage
        traces GET: plugin.trace.read
        traces/{id} GET: plugin.trace.read
        trusted-publishers GET: configuration.read
        trusted-publishers/{publisher} DELETE: plugin.trust
        trusted-publishers/{publisher} GET: configuration.read
        trusted-publishers/{publisher} PUT: plugin.trust
        upgrade-plans POST: upgrade
        upgrade-plans/{plan} GET: upgrade
        upgrades GET: upgrade
        upgrades POST: upgrade
        upgrades/baseline POST: upgrade
        upgrades/{run} GET: upgrade
        upgrades/{run}/abandon POST: upgrade
        upgrades/{run}/events GET: upgrade
        upgrades/{run}/resume POST: upgrade
        upgrades/{run}/rollback POST: upgrade
        upgrades/{run}/rows GET: upgrade
        users GET: people.read
        users/{login}/experience GET: experience.read
        users/{uniqueName} DELETE: people.write
        users/{uniqueName} GET: people.read
        users/{uniqueName} PATCH: people.write
        users/{uniqueName} PUT: people.write
        voice-profiles GET: configuration.read
        voice-profiles/{uniqueName} DELETE: configuration.write
        voice-profiles/{uniqueName} GET: configuration.read
        voice-profiles/{uniqueName} PATCH: configuration.write
        voice-profiles/{uniqueName} PUT: configuration.write
        workstreams GET: configuration.read
        workstreams/{uniqueName} DELETE: configuration.write
        workstreams/{uniqueName} GET: configuration.read
        workstreams/{uniqueName} PATCH: configuration.write
        workstreams/{uniqueName} PUT: configuration.write
        "#);
    }

    #[test]
    fn collections_differ_by_what_is_in_them() {
        for (method, route, expected) in [
            (GET, "/api/v1/profiles", The(ConfigurationRead)),
            (PUT, "/api/v1/profiles/{uniqueName}", The(ConfigurationWrite)),
            (PATCH, "/api/v1/scripts/{uniqueName}", The(ProductivityWrite)),
            (DELETE, "/api/v1/macros/{uniqueName}", The(ProductivityWrite)),
            (PUT, "/api/v1/pane-tools/{uniqueName}", The(ProductivityWrite)),
            (PUT, "/api/v1/smart-assist-configurations/{uniqueName}", The(ProductivityWrite)),
            (GET, "/api/v1/scripts/{uniqueName}", The(ConfigurationRead)),
            (GET, "/api/v1/users", The(PeopleRead)),
            (Method::HEAD, "/api/v1/users/{uniqueName}", The(PeopleRead)),
            (PATCH, "/api/v1/users/{uniqueName}", The(PeopleWrite)),
            (GET, "/api/v1/me", AnyToken),
        ] {
            assert_eq!(of(&method, route), Line::Open(expected), "{method} {route}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_open_to_nobody() {
        assert_eq!(of(&GET, "/api/v1/passwords"), Line::Nothing);
        assert_eq!(of(&GET, "/api/v1/profiles/contoso_rep"), Line::Nothing, "the table knows routes, not addresses");
        assert_eq!(of(&POST, "/api/v1/queues"), Line::OtherMethods("GET,HEAD".to_owned()));
        assert_eq!(of(&GET, "/api/v1/experience"), Line::OtherMethods("POST".to_owned()));
    }
}
