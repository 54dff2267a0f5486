//! Checks which of the items that the solution requires exist here.

use std::collections::BTreeSet;

use crate::domain::Kind;
use crate::store::Snapshot;

use super::report::{Component, Dependency, Outcome, Report};
use super::solution::Required;

/// The kinds of items that rows of a table become.
pub(crate) const KINDS: &[(&str, Kind)] = &[
    ("msdyn_appconfiguration", Kind::Profile),
    ("msdyn_sessiontemplate", Kind::SessionTemplate),
    ("msdyn_applicationtabtemplate", Kind::ApplicationTabTemplate),
    ("msdyn_notificationtemplate", Kind::NotificationTemplate),
    ("msdyn_productivityagentscript", Kind::Script),
    ("msdyn_panetoolconfiguration", Kind::PaneTool),
    ("msdyn_smartassistconfig", Kind::SmartAssistConfiguration),
    ("msdyn_channelprovider", Kind::ChannelProvider),
    ("msdyn_applicationextension", Kind::ApplicationExtension),
    ("msdyn_liveworkstream", Kind::Workstream),
    ("appmodule", Kind::App),
    ("role", Kind::SecurityRole),
];

/// Reports every dependency. A missing one is a warning: the items that need it are imported without it. A row of the
/// archive counts only if it is imported.
pub(super) fn check(report: &mut Report, dependencies: &[Required], base: &Snapshot) {
    let arrives = |it: &&Component| !matches!(it.outcome, Outcome::Quarantined | Outcome::Skipped);
    let arriving: BTreeSet<(String, String)> =
        report.components.iter().filter(arrives).map(|it| (it.table.clone(), it.source_name.clone())).collect();
    let mut missing = Vec::new();
    for required in dependencies {
        let kind = KINDS.iter().find(|(table, _)| *table == required.table).map(|(_, kind)| *kind);
        let here = kind.is_some_and(|kind| base.canonical(kind, &required.name).is_some());
        let satisfied = here || arriving.contains(&(required.table.clone(), required.name.clone()));
        if !satisfied {
            let message = format!(
                "needs `{}` of `{}`, which is not here: install {} first, or import without it",
                required.name,
                required.table,
                required.solution.as_deref().unwrap_or("what owns it")
            );
            missing.push((format!("{}/{}", required.dependent_table, required.dependent_name), message));
        }
        report.dependencies.push(Dependency {
            required_table: required.table.clone(),
            required_name: required.name.clone(),
            solution: required.solution.clone(),
            dependent_table: required.dependent_table.clone(),
            dependent_name: required.dependent_name.clone(),
            satisfied,
        });
    }
    // Warnings about missing dependencies come first.
    let others = std::mem::take(&mut report.warnings);
    for (place, message) in missing {
        report.warn("dependency-missing", place, message);
    }
    report.warnings.extend(others);
    report.settle();
}
