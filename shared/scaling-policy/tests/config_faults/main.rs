//! What a configuration may not be, and what is said of it: place, value, rule and fix.
//!
//! Each row is one mistake in an otherwise good document, and the one thing that is reported of it.

mod forms;
mod reports;
mod rules;

use scaling_policy::config::{Config, ConfigError, ConfigFault, Layers, Severity};

/// (document, pointer, value, what the rule says, what the fix says)
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn parse(document: &str) -> Result<Vec<ConfigFault>, ConfigError> {
    Config::parse(document.as_bytes(), &Layers::none()).map(|loaded| loaded.warnings)
}

fn errors(document: &str) -> Vec<ConfigFault> {
    let faults = parse(document).err().map(|error| error.faults).unwrap_or_default();
    faults.into_iter().filter(|fault| fault.severity == Severity::Error).collect()
}

fn check(found: &[ConfigFault], (document, pointer, value, rule, fix): Row) {
    let [fault] = found else {
        panic!("{document}\nwas expected to have one finding at {pointer}, and has {found:#?}");
    };
    assert_eq!((fault.pointer.as_str(), fault.value.as_str()), (pointer, value), "{document}");
    assert!(fault.rule.contains(rule), "{document}\nrule: {}", fault.rule);
    assert!(fault.fix.contains(fix), "{document}\nfix: {}", fault.fix);
}

fn each_is_refused(rows: &[Row]) {
    for row in rows {
        check(&errors(row.0), *row);
    }
}

/// Warnings but for that of the unnamed group, which has its own test.
fn warnings(document: &str) -> Vec<ConfigFault> {
    let found = parse(document).unwrap_or_else(|error| panic!("{document}\n{error}"));
    found.into_iter().filter(|fault| fault.pointer != "/group").collect()
}

fn each_is_warned_of(rows: &[Row]) {
    for row in rows {
        check(&warnings(row.0), *row);
    }
}
