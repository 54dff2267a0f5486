//! The stages of a step: when it is asked. Refuses numbers that are no stage.

use crate::Fault;

/// The stage of a step: when it is asked. A step around a rule has only the stages 20 and 40.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// 10: before a change is checked.
    PreValidation,
    /// 20: before a change is written, or before a rule is asked.
    PreOperation,
    /// 40: after a change, or after a rule answered.
    PostOperation,
}

impl Stage {
    /// Returns the number, as manifests have it.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Stage::PreOperation.number(), 20);
    /// ```
    pub fn number(self) -> u32 {
        match self {
            Self::PreValidation => 10,
            Self::PreOperation => 20,
            Self::PostOperation => 40,
        }
    }
}

impl TryFrom<u32> for Stage {
    type Error = Fault;

    fn try_from(number: u32) -> Result<Self, Fault> {
        match number {
            10 => Ok(Self::PreValidation),
            20 => Ok(Self::PreOperation),
            40 => Ok(Self::PostOperation),
            other => Err(Fault::new("unknown-stage", format!("{other} is no stage; there are 10, 20 and 40"))),
        }
    }
}
