//! Plugins by administrators: how they come, serve, change and go.

mod bundles;
mod generations;
mod lifecycle;
mod lost_components;
mod rollout;
mod schemas;
mod settings;
mod signatures;
