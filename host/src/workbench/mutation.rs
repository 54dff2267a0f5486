//! Mutants of a component: the same component with one condition of its sources changed.
//!
//! Works on the compiled code, so nothing is compiled again, and needs line tables to find the place of a condition in
//! the sources. Makes valid mutants, and does not know whether a case notices them.

mod lines;
mod splice;

use std::ops::Range;
use std::sync::Arc;

use wasmparser::{BinaryReaderError, FunctionBody, Operator, Parser, Payload};

use lines::Lines;

/// A place in a component where a condition can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The file of the sources, as the compiler names it.
    pub file: Arc<str>,
    /// The line, counted from one.
    pub line: u32,
    /// The column, counted from one; 0 if the compiler kept none.
    pub column: u32,
    /// The change to the condition.
    pub change: Mutated,
    at: usize,
    /// The content of the sections and bodies it is in, the outermost first.
    around: Arc<[Range<usize>]>,
}

/// The change that makes a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutated {
    /// A condition holds where it did not, and the other way round.
    TurnedRound,
    /// A comparison holds for equal values where it did not, or the other way round.
    AtItsBoundary,
    /// Of several arms, the next one is taken.
    NextArm,
}

/// The component cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("its code cannot be read: {0}")]
pub struct Unreadable(String);

/// One module, while it is read.
#[derive(Default)]
struct Module<'a> {
    around: Vec<Range<usize>>,
    code: Range<usize>,
    bodies: Vec<FunctionBody<'a>>,
    custom: Vec<(&'a str, &'a [u8])>,
}

impl Mutation {
    /// Returns all mutations of a component, in the order of its code. None where it has no line tables.
    pub fn all(component: &[u8]) -> Result<Vec<Self>, Unreadable> {
        let unreadable = |error: BinaryReaderError| Unreadable(error.to_string());
        let mut found = Vec::new();
        let (mut open, mut next) = (Vec::<Module<'_>>::new(), Vec::new());
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(unreadable)? {
                Payload::Version { .. } => {
                    let outer = open.last().map(|outer| outer.around.clone()).unwrap_or_default();
                    let around = outer.into_iter().chain(next.pop()).collect();
                    open.push(Module { around, ..Module::default() });
                }
                Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                    next.push(unchecked_range)
                }
                Payload::CodeSectionStart { range, .. } => {
                    if let Some(module) = open.last_mut() {
                        module.code = range;
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    if let Some(module) = open.last_mut() {
                        module.bodies.push(body);
                    }
                }
                Payload::CustomSection(section) => {
                    if let Some(module) = open.last_mut() {
                        module.custom.push((section.name(), section.data()));
                    }
                }
                Payload::End(_) => {
                    if let Some(module) = open.pop() {
                        module.mutations(&mut found).map_err(unreadable)?;
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Returns the component with this mutation.
    pub fn applied(&self, component: &[u8]) -> Vec<u8> {
        let operator = component.get(self.at).copied().unwrap_or_default();
        match self.change {
            Mutated::TurnedRound => splice::spliced(component, &self.around, self.at, 0, &[I32_EQZ]),
            Mutated::AtItsBoundary => {
                let other = boundary(operator).unwrap_or(operator);
                splice::spliced(component, &self.around, self.at, 1, &[other])
            }
            Mutated::NextArm => splice::spliced(component, &self.around, self.at, 0, &NEXT),
        }
    }

    /// Returns the component with a trap in this place: a case that reaches it fails.
    pub fn ended(&self, component: &[u8]) -> Vec<u8> {
        splice::spliced(component, &self.around, self.at, 0, &[UNREACHABLE])
    }
}

impl Module<'_> {
    fn mutations(&self, found: &mut Vec<Mutation>) -> Result<(), BinaryReaderError> {
        let lines = Lines::read(&self.custom, self.code.len());
        if lines.is_empty() {
            return Ok(());
        }
        for body in &self.bodies {
            let mut around: Option<Arc<[Range<usize>]>> = None;
            for operator in body.get_operators_reader()?.into_iter_with_offsets() {
                let (operator, at) = operator?;
                let Some(change) = change(&operator) else { continue };
                let Some(place) = lines.at(at.saturating_sub(self.code.start)) else { continue };
                let around = around.get_or_insert_with(|| {
                    self.around.iter().cloned().chain([self.code.clone(), body.range()]).collect()
                });
                let (file, around) = (Arc::clone(&place.file), Arc::clone(around));
                found.push(Mutation { file, line: place.line, column: place.column, change, at, around });
            }
        }
        Ok(())
    }
}

const UNREACHABLE: u8 = 0x00;
const I32_EQZ: u8 = 0x45;

/// `i32.const 1`, `i32.add`.
const NEXT: [u8; 3] = [0x41, 1, 0x6a];

/// Returns the change that an operator allows.
fn change(operator: &Operator<'_>) -> Option<Mutated> {
    use Operator as O;
    match operator {
        O::BrIf { .. } | O::If { .. } | O::Select | O::TypedSelect { .. } => Some(Mutated::TurnedRound),
        O::BrTable { .. } => Some(Mutated::NextArm),
        O::I32LtS | O::I32LtU | O::I32GtS | O::I32GtU | O::I32LeS | O::I32LeU | O::I32GeS | O::I32GeU => {
            Some(Mutated::AtItsBoundary)
        }
        O::I64LtS | O::I64LtU | O::I64GtS | O::I64GtU | O::I64LeS | O::I64LeU | O::I64GeS | O::I64GeU => {
            Some(Mutated::AtItsBoundary)
        }
        _ => None,
    }
}

/// Returns the comparison that differs only for equal values.
fn boundary(operator: u8) -> Option<u8> {
    // Less, greater, less or equal, greater or equal: each signed and unsigned, for 32 bits from 0x48 on, for 64 bits
    // from 0x53 on.
    match operator {
        0x48..=0x4b | 0x53..=0x56 => Some(operator + 4),
        0x4c..=0x4f | 0x57..=0x5a => Some(operator - 4),
        _ => None,
    }
}
