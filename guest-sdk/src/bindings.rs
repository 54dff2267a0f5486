//! The generated side of the contract, and the bridge between it and the types authors see. Only in components.

/// Makes faults those of an interface. Each interface has a type of its own for them, however alike they are.
macro_rules! lower_faults {
    ($fault:path) => {
        impl From<$crate::Fault> for $fault {
            fn from(fault: $crate::Fault) -> Self {
                Self { code: fault.code().to_owned(), message: fault.message().to_owned() }
            }
        }
    };
}

mod imports;
pub mod step;
pub mod tool;
pub mod tool_step;
pub mod upgrade;

pub use imports::Imports;
