//! The data files, and how they are read.

use super::*;

fn with_row(row: &str) -> String {
    format!("# a comment\nname,vcpu,memory_mib,architecture,class\nm7i.large,2,8192,x86_64,general\n{row}\n")
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
    let expected =
        ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"];
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
        assert!(json.contains(each.class.as_str()) && json.contains(each.architecture.as_str()), "{json}");
    }
}

#[test]
fn an_empty_catalogue_answers() {
    let empty = Catalogue::parse("name,vcpu,memory_mib,architecture,class\n").unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.get_str("m7i.large"), None);
}
