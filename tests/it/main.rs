//! Promises made to people, kept or broken.

mod hostile;
mod layering;
