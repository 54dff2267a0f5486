//! What the solution says its target must own, and whether it does.

use crate::domain::Kind;

use super::report::Dependency;
use super::rows::Rows;
use super::work::Work;

/// The kinds that tables become.
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

/// Reports every dependency. One that is missing is a warning: what needs it is imported without it.
pub(super) fn check(work: &mut Work<'_>, rows: &Rows) {
    for required in &work.solution.dependencies {
        let kind = KINDS.iter().find(|(table, _)| *table == required.table).map(|(_, kind)| *kind);
        let here = kind.is_some_and(|kind| work.base.canonical(kind, &required.name).is_some());
        let satisfied = here || rows.contain(&required.table, &required.name);
        if !satisfied {
            let message = format!(
                "needs `{}` of `{}`, which is not here: install {} first, or import without it",
                required.name,
                required.table,
                required.solution.as_deref().unwrap_or("what owns it")
            );
            let place = format!("{}/{}", required.dependent_table, required.dependent_name);
            work.report.warn("dependency-missing", place, message);
        }
        work.report.dependencies.push(Dependency {
            required_table: required.table.clone(),
            required_name: required.name.clone(),
            solution: required.solution.clone(),
            dependent_table: required.dependent_table.clone(),
            dependent_name: required.dependent_name.clone(),
            satisfied,
        });
    }
}
