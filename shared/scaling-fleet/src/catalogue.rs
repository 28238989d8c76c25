//! EC2 instance types: what each offers in vCPU and memory.
//!
//! The figures are data (`data/instance_types.csv`, its header says from where and of which day), so that a new
//! family is a data change. Nothing is parsed before the first use: a function that scales one group in count
//! only never pays for it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::units::{Mebibytes, TypeName, Vcpu};

const EMBEDDED: &str = include_str!("../data/instance_types.csv");
const COLUMNS: [&str; 5] = ["name", "vcpu", "memory_mib", "architecture", "class"];

/// The instruction set of a type's processor. An image built for one does not run on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// Intel and AMD processors.
    #[serde(rename = "x86_64")]
    X86_64,
    /// AWS Graviton processors.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Architecture {
    /// The name as EC2 writes it: `x86_64` or `arm64`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Architecture {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "x86_64" => Ok(Self::X86_64),
            "arm64" => Ok(Self::Arm64),
            _ => Err(UnknownWord { expected: "`x86_64` or `arm64`" }),
        }
    }
}

/// What a family is balanced for, by the letter of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceClass {
    /// `m` families: 4 GiB per vCPU.
    General,
    /// `c` families: 2 GiB per vCPU.
    Compute,
    /// `r` families: 8 GiB per vCPU.
    Memory,
    /// `t` families: a baseline share of each vCPU, and credits to exceed it for a time.
    Burstable,
}

impl InstanceClass {
    /// The name in lower case, for example `general`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Compute => "compute",
            Self::Memory => "memory",
            Self::Burstable => "burstable",
        }
    }
}

impl fmt::Display for InstanceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for InstanceClass {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "general" => Ok(Self::General),
            "compute" => Ok(Self::Compute),
            "memory" => Ok(Self::Memory),
            "burstable" => Ok(Self::Burstable),
            _ => Err(UnknownWord { expected: "`general`, `compute`, `memory` or `burstable`" }),
        }
    }
}

/// A word that names no [`Architecture`] or [`InstanceClass`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct UnknownWord {
    expected: &'static str,
}

/// One instance type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceType {
    /// Its AWS name, such as `m7i.large`.
    pub name: TypeName,
    /// Default vCPU, above 0. For burstable types the most, not the baseline that they can sustain.
    pub vcpu: Vcpu,
    /// Memory in MiB, above 0; the operating system's own share is not subtracted.
    pub memory: Mebibytes,
    /// The instruction set.
    pub architecture: Architecture,
    /// What the family is balanced for.
    pub class: InstanceClass,
}

/// A fault in a data file, with the place and what to do about it. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// A column is missing from the line that names the columns.
    #[error("line {line}: there is no column `{column}`; name the columns in this line: {expected}")]
    MissingColumn {
        /// The line that names the columns.
        line: u64,
        /// The column that is missing.
        column: &'static str,
        /// All columns that are needed.
        expected: String,
    },
    /// A row is not CSV, or has another number of fields than the line that names the columns.
    #[error(
        "line {line}, column {column}: {reason}; give each row one field per column, separated by commas"
    )]
    Row {
        /// The line of the row.
        line: u64,
        /// The first column that is missing or too many; 1 when the row can't be read at all.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A field holds a value that its column does not allow.
    #[error("line {line}, column {column} (`{name}`): `{value}` {problem}; {fix}")]
    Value {
        /// The line of the row.
        line: u64,
        /// The position of the field in the row.
        column: usize,
        /// The name of its column.
        name: &'static str,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        fix: String,
    },
}

/// Instance types, looked up by name or by family.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// Ordered by family, vCPU, memory, name: a family is one slice.
    types: Vec<InstanceType>,
}

impl Catalogue {
    /// The types that this build knows. Parsed on the first call, then shared.
    pub fn embedded() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        // Tests prove that no row of the embedded file is faulty; one that were would not be offered.
        CATALOGUE
            .get_or_init(|| read(EMBEDDED).map_or_else(|_| Self::default(), |rows| rows.flatten().collect()))
    }

    /// Reads a catalogue from CSV: columns `name`, `vcpu`, `memory_mib`, `architecture` (`x86_64`, `arm64`) and
    /// `class` (`general`, `compute`, `memory`, `burstable`) in any order, further columns ignored, lines that
    /// begin with `#` skipped.
    ///
    /// # Errors
    /// The first fault, with its line and column: a column or field missing, a value out of range, a name twice.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        read(text)?.collect()
    }

    /// The type of this name.
    pub fn get(&self, name: &TypeName) -> Option<&InstanceType> {
        self.get_str(name.as_str())
    }

    /// The type of this name, for example `m7i.large`.
    pub fn get_str(&self, name: &str) -> Option<&InstanceType> {
        let family = name.split_once('.').map_or(name, |(family, _)| family);
        self.family(family).find(|candidate| candidate.name.as_str() == name)
    }

    /// The types of a family such as `m7i`, by vCPU and then by memory. Empty when the family is unknown.
    pub fn family(&self, family: &str) -> impl Iterator<Item = &InstanceType> {
        let from = self.types.partition_point(|each| each.name.family() < family);
        self.types[from..].iter().take_while(move |each| each.name.family() == family)
    }

    /// All types, by family, vCPU and memory.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &InstanceType> {
        self.types.iter()
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there is no type at all.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
}

impl FromIterator<InstanceType> for Catalogue {
    fn from_iter<I: IntoIterator<Item = InstanceType>>(types: I) -> Self {
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_by(by_family_and_size);
        Self { types }
    }
}

fn by_family_and_size(a: &InstanceType, b: &InstanceType) -> Ordering {
    a.name
        .family()
        .cmp(b.name.family())
        .then(a.vcpu.0.total_cmp(&b.vcpu.0))
        .then(a.memory.0.total_cmp(&b.memory.0))
        .then_with(|| a.name.cmp(&b.name))
}

type TypeResult = Result<InstanceType, CatalogueError>;

fn read(text: &str) -> Result<impl Iterator<Item = TypeResult>, CatalogueError> {
    Ok(Table::open(text, COLUMNS)?.map(|row| {
        let [name, vcpu, memory, architecture, class] = row?;
        Ok(InstanceType {
            name: name.type_name()?,
            vcpu: Vcpu(vcpu.positive()?),
            memory: Mebibytes(memory.positive()?),
            architecture: architecture.word()?,
            class: class.word()?,
        })
    }))
}

/// A CSV file of this crate: `#` lines, a line that names the columns, then one row per instance type, whose name
/// is in the first of the wanted columns.
pub(crate) struct Table<'a, const N: usize> {
    text: &'a str,
    columns: [(&'static str, usize); N],
    width: usize,
    records: csv::StringRecordsIntoIter<&'a [u8]>,
    lines_of_names: HashMap<String, u64>,
}

impl<'a, const N: usize> Table<'a, N> {
    /// Reads the line that names the columns and finds the wanted ones in it.
    pub(crate) fn open(text: &'a str, wanted: [&'static str; N]) -> Result<Self, CatalogueError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true) // a row of another length is this reader's fault to report, with its column
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
        let line = line_of(text, &header);
        let mut columns = wanted.map(|name| (name, 0));
        for (name, index) in &mut columns {
            *index = header.iter().position(|title| title == *name).ok_or_else(|| {
                CatalogueError::MissingColumn { line, column: name, expected: wanted.join(", ") }
            })?;
        }
        let lines_of_names = HashMap::new();
        Ok(Self { text, columns, width: header.len(), records: reader.into_records(), lines_of_names })
    }

    fn row(&mut self, record: &csv::StringRecord) -> Result<[Field; N], CatalogueError> {
        let line = line_of(self.text, record);
        if record.len() != self.width {
            let reason = format!("the row has {} fields where {} are named", record.len(), self.width);
            return Err(CatalogueError::Row { line, column: record.len().min(self.width) + 1, reason });
        }
        let fields = self.columns.map(|(name, index)| Field {
            line,
            column: index + 1,
            name,
            value: record.get(index).unwrap_or_default().to_owned(),
        });
        if let Some(name) = fields.first()
            && let Some(earlier) = self.lines_of_names.insert(name.value.clone(), line)
        {
            return Err(
                name.fault(format!("is already on line {earlier}"), "remove one of the two".to_owned())
            );
        }
        Ok(fields)
    }
}

impl<const N: usize> Iterator for Table<'_, N> {
    type Item = Result<[Field; N], CatalogueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        Some(record.map_err(|error| unreadable(&error)).and_then(|record| self.row(&record)))
    }
}

/// The line on which a record stands. The CSV reader's own position is where it began to look for the record, which
/// is before any comments and empty lines above it.
fn line_of(text: &str, record: &csv::StringRecord) -> u64 {
    let Some(start) = record.position() else { return 1 };
    let rest = usize::try_from(start.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    let skipped = rest.lines().take_while(|line| line.is_empty() || line.starts_with('#'));
    skipped.zip(start.line() + 1..).last().map_or(start.line(), |(_, line)| line)
}

fn unreadable(error: &csv::Error) -> CatalogueError {
    let line = error.position().map_or(1, csv::Position::line);
    CatalogueError::Row { line, column: 1, reason: error.to_string() }
}

/// One field of a row, which can say where it stands.
pub(crate) struct Field {
    line: u64,
    column: usize,
    name: &'static str,
    value: String,
}

impl Field {
    fn fault(&self, problem: String, fix: String) -> CatalogueError {
        let Self { line, column, name, value } = self;
        CatalogueError::Value { line: *line, column: *column, name, value: value.clone(), problem, fix }
    }

    /// An instance type name: family, dot, size.
    pub(crate) fn type_name(&self) -> Result<TypeName, CatalogueError> {
        match self.value.split_once('.') {
            Some((family, size)) if !family.is_empty() && !size.is_empty() => Ok(TypeName::new(&self.value)),
            _ => Err(self.fault(
                "is not an instance type name".to_owned(),
                "write family, dot, size, for example m7i.large".to_owned(),
            )),
        }
    }

    /// A finite number above 0.
    pub(crate) fn positive(&self) -> Result<f64, CatalogueError> {
        let number = self.value.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| {
            self.fault(
                "is not a number above 0".to_owned(),
                "write one with a decimal point and no unit".to_owned(),
            )
        })
    }

    /// A word out of a fixed set.
    pub(crate) fn word<T: FromStr<Err: fmt::Display>>(&self) -> Result<T, CatalogueError> {
        self.value
            .parse()
            .map_err(|error: T::Err| self.fault("is not known here".to_owned(), error.to_string()))
    }
}

#[cfg(test)]
mod tests;
