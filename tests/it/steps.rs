//! Steps of plugins: in changes of configuration, and around the rules of tools.

mod changes;
mod step_recordings;
mod tool_steps;
