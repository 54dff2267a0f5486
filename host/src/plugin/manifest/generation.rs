//! The generation of the contract that this host offers: versions of it that are one to hosts and plugins.
//!
//! Looks at names alone. Whether the types behind them fit is found out when a component is bound.

/// The package of the contract.
pub(in crate::plugin) const PACKAGE: &str = "loadout:plugin/";

/// How each version of the generation begins.
pub(in crate::plugin) const GENERATION: &str = "0.1.";

/// The world of tool plugins.
pub(in crate::plugin) const TOOL_WORLD: &str = "loadout:plugin/tool@0.1.0";

/// The world of plugins that take part in changes of configuration.
pub(in crate::plugin) const STEP_WORLD: &str = "loadout:plugin/step@0.1.0";

/// The world of plugins with steps around the rules of tools.
pub(in crate::plugin) const TOOL_STEP_WORLD: &str = "loadout:plugin/tool-step@0.1.0";

/// The world of plugins that upgrade old environments.
pub(in crate::plugin) const UPGRADE_WORLD: &str = "loadout:plugin/upgrade@0.1.0";

/// Whether `name`, such as `loadout:plugin/tool@0.1.3`, is `offered` in some version of the generation.
pub(in crate::plugin) fn is_one(name: &str, offered: &str) -> bool {
    let parts = name.split_once('@').zip(offered.split_once('@'));
    parts.is_some_and(|((name, version), (offered, _))| name == offered && version.starts_with(GENERATION))
}

/// Whether a name is one of the contract, in another generation.
pub(in crate::plugin) fn is_of_another(name: &str) -> bool {
    let version = name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@'));
    version.is_some_and(|(_, version)| !version.starts_with(GENERATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_generation_are_one() {
        for (name, one, another) in [
            ("loadout:plugin/tool@0.1.0", true, false),
            ("loadout:plugin/tool@0.1.12", true, false),
            ("loadout:plugin/tool@0.2.0", false, true),
            ("loadout:plugin/tool@0.10.0", false, true),
            ("loadout:plugin/tool@1.0.0", false, true),
            ("loadout:plugin/step@0.1.0", false, false),
            ("loadout:plugin/tool", false, false),
            ("wasi:cli/exit@0.2.0", false, false),
        ] {
            assert_eq!((is_one(name, "loadout:plugin/tool@0.1.0"), is_of_another(name)), (one, another), "{name}");
        }
    }
}
