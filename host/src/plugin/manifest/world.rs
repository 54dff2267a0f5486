//! The worlds of the contract: what a plugin of each may import of it, and what it exports.
//!
//! Says what `wit/worlds.wit` says; a test compares the two. Refuses nothing itself.

use super::provides::Provides;

/// A world, by the names of its interfaces.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::plugin) struct World {
    /// The interfaces of the contract that a plugin may import, without package and version.
    pub(in crate::plugin) imports: &'static [&'static str],
    /// The interface a plugin exports.
    pub(in crate::plugin) export: &'static str,
}

const TOOL: World = World {
    imports: &["context", "library", "records", "knowledge", "http", "trace"],
    export: "loadout:plugin/tool-rule@0.1.0",
};

const TOOL_STEP: World = World {
    imports: &["context", "library", "records", "knowledge", "http", "trace"],
    export: "loadout:plugin/evaluation-step@0.1.0",
};

const STEP: World = World {
    imports: &["library", "records", "knowledge", "http", "trace"],
    export: "loadout:plugin/configuration-step@0.1.0",
};

const UPGRADE: World = World { imports: &["library", "trace"], export: "loadout:plugin/upgrade-step@0.1.0" };

impl World {
    /// The world of a plugin that does this.
    pub(in crate::plugin) fn of(provides: &Provides) -> &'static Self {
        match provides {
            Provides::ToolRule { .. } => &TOOL,
            Provides::ToolSteps { .. } => &TOOL_STEP,
            Provides::ConfigurationSteps { .. } => &STEP,
            Provides::UpgradeStep(_) => &UPGRADE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plugin::manifest::generation::{STEP_WORLD, TOOL_STEP_WORLD, TOOL_WORLD, UPGRADE_WORLD};

    /// Designed, and no manifest can name it.
    const NOT_YET: &str = "tool-with-actions";

    /// The lines of each world in `wit/worlds.wit`, by its name.
    fn written() -> BTreeMap<&'static str, Vec<&'static str>> {
        let blocks = include_str!("../../../../wit/worlds.wit").split("\nworld ").skip(1);
        let world = |block: &'static str| {
            let (name, rest) = block.split_once(" {").unwrap();
            let (body, _) = rest.split_once('}').unwrap();
            (name, body.lines().map(str::trim).filter(|line| !line.is_empty()).collect())
        };
        blocks.map(world).filter(|(name, _)| *name != NOT_YET).collect()
    }

    #[test]
    fn each_world_is_as_it_is_written() {
        let known =
            [(TOOL_WORLD, &TOOL), (TOOL_STEP_WORLD, &TOOL_STEP), (STEP_WORLD, &STEP), (UPGRADE_WORLD, &UPGRADE)];
        let lines = known.map(|(name, world)| {
            let of_contract = |name: &'static str| name.strip_prefix("loadout:plugin/")?.strip_suffix("@0.1.0");
            let mut lines: Vec<_> = world.imports.iter().map(|import| format!("import {import};")).collect();
            lines.push(format!("export {};", of_contract(world.export).unwrap()));
            (of_contract(name).unwrap(), lines)
        });
        let written = written().into_iter().map(|(name, lines)| (name, lines.into_iter().map(String::from).collect()));
        assert_eq!(BTreeMap::from(lines), written.collect());
    }
}
