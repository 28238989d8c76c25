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
mod tests {
    use super::*;

    fn with_row(row: &str) -> String {
        format!(
            "# a comment\nname,vcpu,memory_mib,architecture,class\nm7i.large,2,8192,x86_64,general\n{row}\n"
        )
    }

    fn fault(row: &str) -> CatalogueError {
        Catalogue::parse(&with_row(row)).unwrap_err()
    }

    #[test]
    fn every_embedded_row_parses() {
        let strict = Catalogue::parse(EMBEDDED).unwrap();
        assert_eq!(&strict, Catalogue::embedded());
        let rows = EMBEDDED.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(strict.len(), rows);
        assert!(rows >= 250, "{rows} types");
    }

    #[test]
    fn every_class_and_both_architectures_are_present() {
        use InstanceClass::{Burstable, Compute, General, Memory};
        for class in [General, Compute, Memory, Burstable] {
            for architecture in [Architecture::X86_64, Architecture::Arm64] {
                let present = Catalogue::embedded()
                    .iter()
                    .any(|each| each.class == class && each.architecture == architecture);
                assert!(present, "{class} {architecture}");
            }
        }
    }

    #[test]
    fn figures_fit_the_class() {
        for each in Catalogue::embedded().iter() {
            let gib_per_vcpu = each.memory.0 / 1024.0 / each.vcpu.0;
            let (letter, plausible) = match each.class {
                InstanceClass::General => ('m', 4.0..=4.0),
                InstanceClass::Compute => ('c', 2.0..=2.0),
                InstanceClass::Memory => ('r', 8.0..=8.0),
                InstanceClass::Burstable => ('t', 0.25..=4.0),
            };
            assert!(each.vcpu.0 >= 1.0 && each.vcpu.0.fract() == 0.0, "{each:?}");
            assert!(plausible.contains(&gib_per_vcpu), "{each:?}: {gib_per_vcpu} GiB per vCPU");
            assert!(each.name.as_str().starts_with(letter), "{each:?}");
            let graviton = each.name.family().as_bytes().get(2) == Some(&b'g');
            assert_eq!(graviton, each.architecture == Architecture::Arm64, "{each:?}");
        }
    }

    #[test]
    fn well_known_types_have_their_figures() {
        let expected = [
            ("t3.micro", 2.0, 1024.0, Architecture::X86_64, InstanceClass::Burstable),
            ("t4g.small", 2.0, 2048.0, Architecture::Arm64, InstanceClass::Burstable),
            ("m7i.large", 2.0, 8192.0, Architecture::X86_64, InstanceClass::General),
            ("m7g.medium", 1.0, 4096.0, Architecture::Arm64, InstanceClass::General),
            ("c7i.4xlarge", 16.0, 32768.0, Architecture::X86_64, InstanceClass::Compute),
            ("c5.18xlarge", 72.0, 147_456.0, Architecture::X86_64, InstanceClass::Compute),
            ("r7a.48xlarge", 192.0, 1_572_864.0, Architecture::X86_64, InstanceClass::Memory),
        ];
        for (name, vcpu, mebibytes, architecture, class) in expected {
            let expected = InstanceType {
                name: TypeName::new(name),
                vcpu: Vcpu(vcpu),
                memory: Mebibytes(mebibytes),
                architecture,
                class,
            };
            assert_eq!(Catalogue::embedded().get_str(name), Some(&expected));
        }
    }

    #[test]
    fn every_type_is_found_by_its_name() {
        let catalogue = Catalogue::embedded();
        for each in catalogue.iter() {
            assert_eq!(catalogue.get(&each.name), Some(each));
        }
        for unknown in ["m7i.huge", "m7i", "", "zz9.large", "a.b"] {
            assert_eq!(catalogue.get_str(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_family_is_ordered_by_size_and_does_not_take_in_its_neighbours() {
        let sizes: Vec<_> = Catalogue::embedded().family("m7i").map(|each| each.name.size()).collect();
        let expected = [
            "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
            "48xlarge",
        ];
        assert_eq!(sizes, expected);
        assert_eq!(Catalogue::embedded().family("m7i-flex").count(), 7);
        assert_eq!(Catalogue::embedded().family("m7").count(), 0);

        // equal vCPU: by memory
        let burstable: Vec<_> = Catalogue::embedded().family("t3").map(|each| each.name.size()).collect();
        assert_eq!(burstable, ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"]);
    }

    #[test]
    fn columns_may_come_in_any_order_with_others_between() {
        let text = "class,note,name,memory_mib,vcpu,architecture\ngeneral, x , m7i.large ,8192,2,x86_64\n";
        let catalogue = Catalogue::parse(text).unwrap();
        assert_eq!(catalogue.iter().next(), Catalogue::embedded().get_str("m7i.large"));
    }

    #[test]
    fn faults_name_line_column_and_fix() {
        let cases = [
            (
                "m7i.xlarge,four,16384,x86_64,general",
                "line 4, column 2 (`vcpu`): `four` is not a number above 0; write one with a decimal point and no unit",
            ),
            (
                "m7i.xlarge,4,-1,x86_64,general",
                "line 4, column 3 (`memory_mib`): `-1` is not a number above 0; write one with a decimal point and no unit",
            ),
            (
                "m7i.xlarge,4,16384,sparc,general",
                "line 4, column 4 (`architecture`): `sparc` is not known here; expected `x86_64` or `arm64`",
            ),
            (
                "m7i.xlarge,4,16384,x86_64,huge",
                "line 4, column 5 (`class`): `huge` is not known here; expected `general`, `compute`, `memory` or `burstable`",
            ),
            (
                "m7i,4,16384,x86_64,general",
                "line 4, column 1 (`name`): `m7i` is not an instance type name; write family, dot, size, for example m7i.large",
            ),
            (
                "m7i.large,2,8192,x86_64,general",
                "line 4, column 1 (`name`): `m7i.large` is already on line 3; remove one of the two",
            ),
            (
                "m7i.xlarge,4,16384",
                "line 4, column 4: the row has 3 fields where 5 are named; give each row one field per column, separated by commas",
            ),
        ];
        for (row, message) in cases {
            assert_eq!(fault(row).to_string(), message);
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = Catalogue::parse("# x\nname,vcpu,memory_mib,class\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2: there is no column `architecture`; name the columns in this line: name, vcpu, memory_mib, \
             architecture, class"
        );
        assert!(matches!(Catalogue::parse(""), Err(CatalogueError::MissingColumn { column: "name", .. })));
    }

    #[test]
    fn comments_and_empty_lines_count() {
        for end in ["\n", "\r\n"] {
            let lines = [
                "# a",
                "",
                "name,vcpu,memory_mib,architecture,class",
                "# b",
                "",
                "# c",
                "m7i.large,2,8192,x86_64,general",
                "",
                "# d",
                "m7i.xlarge,0,1,x86_64,general",
                "",
            ];
            let error = Catalogue::parse(&lines.join(end)).unwrap_err();
            assert!(matches!(error, CatalogueError::Value { line: 10, column: 2, .. }), "{end:?}: {error}");
            let error = Catalogue::parse(&lines.join(end).replace("class", "klass")).unwrap_err();
            assert!(matches!(error, CatalogueError::MissingColumn { line: 3, .. }), "{end:?}: {error}");
        }
    }

    #[test]
    fn not_finite_is_not_a_number() {
        for value in ["inf", "NaN", "0", ""] {
            let error = fault(&format!("m7i.xlarge,{value},16384,x86_64,general"));
            assert!(matches!(error, CatalogueError::Value { line: 4, column: 2, .. }), "{value}: {error}");
        }
    }

    #[test]
    fn enums_read_what_they_write() {
        for each in Catalogue::embedded().iter() {
            assert_eq!(each.class.to_string().parse(), Ok(each.class));
            assert_eq!(each.architecture.to_string().parse(), Ok(each.architecture));
            let json = serde_json::to_string(each).unwrap();
            assert_eq!(serde_json::from_str::<InstanceType>(&json).unwrap(), *each);
            assert!(
                json.contains(each.class.as_str()) && json.contains(each.architecture.as_str()),
                "{json}"
            );
        }
    }

    #[test]
    fn an_empty_catalogue_answers() {
        let empty = Catalogue::parse("name,vcpu,memory_mib,architecture,class\n").unwrap();
        assert!(empty.is_empty());
        assert_eq!(empty.get_str("m7i.large"), None);
    }
}
