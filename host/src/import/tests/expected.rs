//! Tests of plugins that an archive names: tools that they may have hidden there are hidden here.

use crate::domain::{Plugin, State};

use super::*;

fn naming(plugins: &str) -> Files {
    let mut all = Files::fabrikam();
    all.put("loadout/plugins.json", plugins);
    all
}

/// The outcome for `contoso/guard`, which decides about macros there. `there` is the plugin of that name here.
fn becomes(there: Option<Plugin>) -> String {
    let here = match there {
        Some(plugin) => base_and(&base(), Kind::Plugin, "contoso/guard", serde_json::to_value(plugin).unwrap()),
        None => base(),
    };
    let mut plan =
        plan(&naming(r#"{"contoso/guard": {"rules": ["macros"], "steps": ["scripts"]}}"#).zip(), &here).unwrap();
    let noted = plan.expect_plugins(&here);
    let change = plan.changes.changes.iter().find_map(|change| match change {
        Change::Put { item: AnyItem::Plugin(plugin), .. } => Some(serde_json::to_string(&plugin.answers_for).unwrap()),
        _ => None,
    });
    assert_eq!(noted.len(), usize::from(change.is_some()));
    let warned = plan.report.warnings.iter().filter(|it| it.code == "plugin-missing").count();
    let account = account(&plan, "loadout/plugins.json", "contoso/guard");
    let outcome = account.split(':').next().unwrap_or_default().to_owned();
    format!("{outcome}, {warned} warned, {}", change.as_deref().unwrap_or("nothing written"))
}

#[test]
fn a_plugin_that_is_named_and_does_not_serve_here_is_waited_for() {
    let version: crate::domain::PluginVersion = "1.0.0".parse().unwrap();
    let versions: std::collections::BTreeMap<_, _> = [(version, "0".repeat(64).parse().unwrap())].into();
    let installed = Plugin { versions, ..Plugin::default() };
    let told = [
        ("nowhere", None),
        ("only installed", Some(installed.clone())),
        ("switched off", Some(Plugin { state: State::Inactive, ..installed.clone() })),
        ("serves", Some(Plugin { active: Some(version), ..installed })),
    ]
    .map(|(what, there)| format!("{what}: {}", becomes(there)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    nowhere: created, 1 warned, {"rules":["macros"],"steps":["scripts"]}
    only installed: updated, 1 warned, {"rules":["macros"],"steps":["scripts"]}
    switched off: unchanged, 1 warned, nothing written
    serves: unchanged, 0 warned, nothing written
    "#);
}

#[test]
fn a_list_of_plugins_that_no_export_wrote_is_quarantined() {
    let many = (0..5_000).map(|at| format!("\"k{at}\"")).collect::<Vec<_>>().join(",");
    let many = format!("{{\"a/b\": {{\"rules\": [{many}]}}}}");
    let of = |plugins: &str, name: &str, table: &str| account(&planned(&naming(plugins)), table, name);
    let (file, path) = ("loadout", "loadout/plugins.json");
    let told = [
        of("[]", path, file),
        of(&many, path, file),
        of(r#"{"a/b": {"rulez": []}}"#, path, file),
        of(r#"{"../x": {"rules": ["a"]}}"#, "../x", path),
        of(r#"{"a/b": {"rules": ["A B"]}}"#, "a/b", path),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    quarantined: `loadout/plugins.json` is no list of tool kinds by plugin: invalid type: sequence, expected a map at line 1 column 0
    quarantined: `loadout/plugins.json` names 1 plugins and 5000 tool kinds: 200 and 4096 are possible
    quarantined: `loadout/plugins.json` is no list of tool kinds by plugin: unknown field `rulez`, expected one of `rules`, `guards`, `steps` at line 1 column 16
    quarantined: a plugin is called `publisher/name`
    quarantined: `answersFor.rules`: `A B` is no tool kind: use a-z, 0-9 and `-`
    ");
}
