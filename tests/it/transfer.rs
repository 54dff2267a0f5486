//! Environments that come from elsewhere and go elsewhere.

mod add_ons;
mod conflicts;
mod export;
mod import;
mod layouts;
mod left_behind;
