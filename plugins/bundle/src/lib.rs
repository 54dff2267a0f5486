//! The built-in plugins, compiled to components with their manifests inside.
//!
//! The host treats them like any other plugin: same checks, same limits, no privileges.

/// A plugin as it would be installed from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundled {
    /// The plugin's name, as in its manifest.
    pub name: &'static str,
    /// The component, manifest included.
    pub component: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));
