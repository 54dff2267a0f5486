//! What plugins may do, and what stops them.

pub(crate) mod bombs;
pub(crate) mod capabilities;
mod confinement;
mod hostile;
mod load;
mod slow_hosts;
