//! Maps the refusal or failure of a step in a change to a refusal.

use axum::http::StatusCode;

use crate::domain::Problem;
use crate::http::problem::{Refusal as Answer, StepDetails};
use crate::pipeline::{Refusal, RegisteredStep};

use super::fault::{later, of_fault};

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Rejected { by, rejection } => {
                let (RegisteredStep { plugin, version, step }, rejection) = (*by, *rejection);
                let problem = Problem { attribute: rejection.attribute, message: rejection.message, tolerable: false };
                let named = !problem.attribute.is_empty();
                Self::new(StatusCode::BAD_REQUEST, "plugin.rejected", detail)
                    .with_errors(if named { vec![problem] } else { Vec::new() })
                    .with_step(StepDetails { plugin, version, step, code: rejection.code })
            }
            Refusal::Fault { by, fault } => {
                let (RegisteredStep { plugin, version, step }, fault) = (*by, *fault);
                let (status, code) = of_fault(&fault.code);
                let answer =
                    Self::new(status, code, detail).with_step(StepDetails { plugin, version, step, code: fault.code });
                later(answer, fault.retry_after)
            }
            Refusal::GivenUp => later(Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail), None),
            Refusal::Unknown { .. } => {
                let (status, code) = of_fault("plugin.not-ready");
                Self::new(status, code, detail)
            }
        }
    }
}
