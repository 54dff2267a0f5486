//! The place in the sources of an instruction, by the line tables of a module.
//!
//! Treats tables that cannot be read as absent.

use std::sync::Arc;

use gimli::{AttributeValue, Dwarf, EndianSlice, LittleEndian, SectionId, Unit};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The lines of a module, by the offset of an instruction in its code.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<Row>);

/// The place of the instructions from an offset on, until that of the next row.
#[derive(Debug)]
struct Row {
    from: u64,
    place: Option<Place>,
}

/// A place in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Lines {
    /// Reads the tables among the custom sections of a module with so many bytes of code.
    pub(super) fn read(sections: &[(&str, &[u8])], code: usize) -> Self {
        if !sections.iter().any(|(name, _)| *name == SectionId::DebugLine.name()) {
            return Self::default();
        }
        Self::parse(sections, u64::try_from(code).unwrap_or(u64::MAX)).unwrap_or_default()
    }

    /// Returns whether there are no lines.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the place of the instruction at an offset.
    pub(super) fn at(&self, offset: usize) -> Option<&Place> {
        let offset = u64::try_from(offset).ok()?;
        let after = self.0.partition_point(|row| row.from <= offset);
        self.0.get(after.checked_sub(1)?)?.place.as_ref()
    }

    fn parse(sections: &[(&str, &[u8])], code: u64) -> gimli::Result<Self> {
        let section = |id: SectionId| {
            let found = sections.iter().find(|(name, _)| *name == id.name());
            Ok::<_, gimli::Error>(EndianSlice::new(found.map_or(&[][..], |(_, data)| data), LittleEndian))
        };
        let dwarf = Dwarf::load(section)?;
        let (mut rows, mut units) = (Vec::new(), dwarf.units());
        while let Some(header) = units.next()? {
            let unit = dwarf.unit(header)?;
            read_unit(&dwarf, &unit, code, &mut rows)?;
        }
        // Where one function ends and the next begins, the beginning counts.
        rows.sort_by_key(|row: &Row| (row.from, row.place.is_some()));
        Ok(Self(rows))
    }
}

fn read_unit(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>, code: u64, rows: &mut Vec<Row>) -> gimli::Result<()> {
    let Some(program) = unit.line_program.clone() else { return Ok(()) };
    let mut table = program.rows();
    let mut files: Vec<(u64, Arc<str>)> = Vec::new();
    let mut sequence = Vec::new();
    while let Some((header, row)) = table.next_row()? {
        let from = row.address();
        if row.end_sequence() {
            sequence.push(Row { from, place: None });
            // A function that was left out of the module has no code, and its table begins at no address of the code.
            let is_there = sequence.first().is_some_and(|first| (1..code).contains(&first.from));
            rows.extend(sequence.drain(..).filter(|_| is_there));
            continue;
        }
        let file = match files.iter().find(|(index, _)| *index == row.file_index()) {
            Some((_, known)) => Arc::clone(known),
            None => {
                let mut path = unit.comp_dir.map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
                if let Some(file) = row.file(header) {
                    join(&mut path, file.directory(header).and_then(|it| text(dwarf, unit, it)));
                    join(&mut path, text(dwarf, unit, file.path_name()));
                }
                let path: Arc<str> = path.into();
                files.push((row.file_index(), Arc::clone(&path)));
                path
            }
        };
        let small = |number: u64| u32::try_from(number).unwrap_or_default();
        let column = match row.column() {
            gimli::ColumnType::LeftEdge => 0,
            gimli::ColumnType::Column(column) => small(column.get()),
        };
        // Line 0 marks code that is not in the sources.
        let place = row.line().map(|line| Place { file, line: small(line.get()), column });
        sequence.push(Row { from, place });
    }
    Ok(())
}

fn text<'a>(dwarf: &Dwarf<Slice<'a>>, unit: &Unit<Slice<'a>>, value: AttributeValue<Slice<'a>>) -> Option<String> {
    Some(dwarf.attr_string(unit, value).ok()?.to_string_lossy().into_owned())
}

/// Appends a part to a path; an absolute part replaces the path.
fn join(path: &mut String, part: Option<String>) {
    let Some(part) = part.filter(|part| !part.is_empty()) else { return };
    if part.starts_with('/') || part.contains(":\\") {
        *path = part;
    } else if *path != part {
        *path = if path.is_empty() { part } else { format!("{path}/{part}") };
    }
}
