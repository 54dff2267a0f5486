//! How deep the types of a component are nested.
//!
//! A reader of types reads an inner type by calling itself, and so does the validator of the engine: a deep nest would
//! end the process by its stack. So they are walked here first, with a stack that is counted.

use wasmparser::{BinaryReader, BinaryReaderError, ComponentType, ComponentTypeDeclaration};

use super::malformed;
use crate::plugin::inspect::error::{LoadError, cap};

/// What a toolchain makes of WIT is nested two or three deep.
const DEEPEST: u64 = 16;

const COMPONENT_TYPE: u8 = 0x41;
const INSTANCE_TYPE: u8 = 0x42;
/// A declaration that is a type.
const INNER_TYPE: u8 = 0x01;

/// Counts the types in a section that lies at `offset`, inner ones included.
pub(super) fn count(section: &[u8], offset: usize) -> Result<u64, LoadError> {
    let mut reader = BinaryReader::new(section, offset);
    let mut types = u64::from(reader.read_var_u32().map_err(malformed)?);
    let outermost = types;
    // How many declarations are still to be read, on each level.
    let mut open: Vec<u32> = Vec::new();
    for _ in 0..outermost {
        open.extend(begin(&mut reader).map_err(malformed)?);
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            if peek(&reader).map_err(malformed)? == INNER_TYPE {
                reader.read_u8().map_err(malformed)?;
                types += 1;
                open.extend(begin(&mut reader).map_err(malformed)?);
                cap("types nested in each other", open.len() as u64, DEEPEST)?;
            } else {
                reader.read::<ComponentTypeDeclaration<'_>>().map_err(malformed)?;
            }
        }
    }
    Ok(types)
}

/// Begins a type: the number of its declarations, if it has any; else it is read to its end.
fn begin(reader: &mut BinaryReader<'_>) -> Result<Option<u32>, BinaryReaderError> {
    match peek(reader)? {
        COMPONENT_TYPE | INSTANCE_TYPE => {
            reader.read_u8()?;
            reader.read_var_u32().map(Some)
        }
        _ => reader.read::<ComponentType<'_>>().map(|_| None),
    }
}

fn peek(reader: &BinaryReader<'_>) -> Result<u8, BinaryReaderError> {
    reader.clone().read_u8()
}
