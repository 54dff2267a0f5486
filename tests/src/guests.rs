//! The guests of `guests/examples` as components: one constant each, [`ALL`] of them, and
//! [`for_each_guest`](crate::for_each_guest).

use loadout_plugin_build::embed_manifest;

use crate::host::Failure;

/// The component of a rule about the tool kind `kind`, as version `version` of the plugin `tests/<name>`.
pub fn rule(guest: &[u8], name: &str, version: &str, kind: &str) -> Result<Vec<u8>, Failure> {
    Ok(embed_manifest(guest, &manifest(name, version, kind))?)
}

/// The manifest of such a component.
pub fn manifest(name: &str, version: &str, kind: &str) -> String {
    include_str!("../guests/rule.toml.in").replace("@NAME@", name).replace("@VERSION@", version).replace("@KIND@", kind)
}

/// The manifest of steps without the steps: `world` is `step` for those in changes of configuration, and `tool-step`
/// for those around rules.
pub fn steps(name: &str, version: &str, world: &str) -> String {
    let head = include_str!("../guests/steps.toml.in");
    head.replace("@NAME@", name).replace("@VERSION@", version).replace("@WORLD@", world)
}

/// The same component with so much beside its code that a host takes it for one with a runtime.
pub fn heavy(component: &[u8]) -> Vec<u8> {
    /// What is heavy, in bytes, and the length of the section and of its name in LEB128.
    const PADDING: usize = 4 << 20;
    let name = b"padding";
    let mut length = Vec::new();
    let mut rest = 1 + name.len() + PADDING;
    while rest > 0x7f {
        length.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    [component, &[0], &length, &[name.len() as u8], name, &vec![0; PADDING]].concat()
}

/// The component of steps around rules, each as name, tool kinds, stage and rank, as version `version` of the plugin
/// `tests/<name>`. Without `limits`, a part of the manifest, it has all there is.
pub fn tool_steps(
    name: &str,
    version: &str,
    limits: &str,
    steps: &[(&str, &[&str], u32, i32)],
) -> Result<Vec<u8>, Failure> {
    let head = self::steps(name, version, "tool-step") + limits;
    let steps = steps.iter().map(|(name, kinds, stage, rank)| {
        format!(
            "[[steps]]\nname = \"{name}\"\nmessage = \"tool.evaluate\"\nresource = {kinds:?}\nstage = {stage}\nrank = {rank}\n"
        )
    });
    Ok(embed_manifest(AROUND, &steps.fold(head, |text, step| text + &step))?)
}

/// The component of steps in changes of configuration, each as name, message and stage, as version `version` of the
/// plugin `tests/<name>`.
pub fn handler(guest: &[u8], name: &str, version: &str, steps: &[(&str, &str, u32)]) -> Result<Vec<u8>, Failure> {
    let head = self::steps(name, version, "step");
    let steps = steps.iter().map(|(name, message, stage)| {
        format!("[[steps]]\nname = \"{name}\"\nmessage = \"{message}\"\nstage = {stage}\nrank = 0\n")
    });
    Ok(embed_manifest(guest, &steps.fold(head, |text, step| text + &step))?)
}

include!(concat!(env!("OUT_DIR"), "/guests.rs"));
