//! What the arguments of `scaling simulate` mean.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use scaling_simulator::Trace;
use scaling_simulator::competition::Contender;
use scaling_simulator::oracle::MOST_TYPES;
use scaling_simulator::trace::PROFILE;
use scaling_simulator::world::MachineType;

/// The type that everybody runs on where none is named.
pub(super) const TYPE: &str = "m7i.xlarge";

/// Who takes part, each once.
pub(super) fn contenders(names: &[String]) -> Result<Vec<Contender>> {
    let names = listed(names);
    if names.contains(&"all") {
        return Ok(Contender::all());
    }
    let known = || Contender::all().into_iter().map(Contender::name).collect::<Vec<_>>().join(", ");
    ensure!(!names.is_empty(), "--policies names nobody; there are: {}, and all", known());
    names
        .into_iter()
        .map(|name| {
            Contender::from_name(name)
                .with_context(|| format!("there is no policy `{name}`; there are: {}, and all", known()))
        })
        .collect()
}

/// The parts of a list in their order, each once, without the spaces around the commas.
fn listed(names: &[String]) -> Vec<&str> {
    let mut listed: Vec<&str> = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if !listed.contains(&name) {
            listed.push(name);
        }
    }
    listed
}

pub(super) fn types(names: &[String]) -> Result<Arc<[MachineType]>> {
    let names = if names.is_empty() { vec![TYPE] } else { listed(names) };
    ensure!(!names.is_empty(), "--types names none; leave it out for {TYPE}");
    ensure!(
        names.len() <= MOST_TYPES,
        "--types names {} types; choose at most {MOST_TYPES} of them: the oracle would take too long over more",
        names.len()
    );
    names
        .into_iter()
        .map(|name| {
            MachineType::of(name).with_context(|| {
                format!("`{name}` is no instance type with a known price; an example is {TYPE}")
            })
        })
        .collect()
}

/// The traces in these files. Results are told apart by the files' names without ending.
pub(super) fn traces(paths: &[PathBuf], weeks: Option<u64>) -> Result<Vec<Trace>> {
    let drawn = weeks.map(|_| (PROFILE.to_owned(), "the shipped profile (--profile)".to_owned()));
    let files = paths.iter().map(|path| (name_of(path), path.display().to_string()));
    let named: Vec<(String, String)> = files.chain(drawn).collect();
    for (index, (name, path)) in named.iter().enumerate() {
        if let Some((_, other)) = named[..index].iter().find(|(other, _)| other == name) {
            bail!(
                "{other} and {path} would both be `{name}` in the results, which could not be told apart: copy one of them \
                 to another name"
            );
        }
    }
    ensure!(!named.is_empty(), "name a file with --trace, or a number of weeks with --profile");
    let mut traces: Vec<Trace> = paths.iter().map(|path| read(path)).collect::<Result<_>>()?;
    traces.extend(weeks.map(Trace::profile));
    Ok(traces)
}

fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn read(path: &Path) -> Result<Trace> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the trace {}", path.display()))?;
    Trace::from_csv(&name_of(path), &text).with_context(|| format!("the trace {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_policy_is_answered_with_the_known_ones() {
        let error = contenders(&["hybird".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`hybird`") && error.contains("target-tracking-tuned"), "{error}");
        assert_eq!(contenders(&["all".to_owned()]).unwrap(), Contender::all());
    }

    #[test]
    fn a_list_of_nothing_is_refused() {
        for nothing in [vec![""], vec![" ", ""]] {
            let nothing: Vec<String> = nothing.into_iter().map(str::to_owned).collect();
            let error = contenders(&nothing).unwrap_err().to_string();
            assert!(error.contains("--policies names nobody") && error.contains("hybrid"), "{error}");
            let error = types(&nothing).unwrap_err().to_string();
            assert!(error.contains("--types names none"), "{error}");
        }
    }

    #[test]
    fn a_list_may_have_spaces_and_names_each_once() {
        let names = |list: &str| list.split(',').map(str::to_owned).collect::<Vec<_>>();
        let found = contenders(&names("hybrid, oracle,hybrid,")).unwrap();
        assert_eq!(found, [Contender::Hybrid, Contender::Oracle]);
        assert_eq!(types(&names("m7i.large, m7i.xlarge,m7i.large")).unwrap().len(), 2);
    }

    #[test]
    fn more_types_than_the_oracle_can_choose_from_are_refused() {
        let of = |size| ["m7i", "c7i", "r7i"].map(|family| format!("{family}.{size}"));
        let mut names = ["large", "xlarge", "2xlarge"].map(of).concat();
        let error = types(&names).unwrap_err().to_string();
        assert!(error.contains("names 9 types") && error.contains("at most 8"), "{error}");
        names.pop();
        assert_eq!(types(&names).unwrap().len(), 8);
    }

    #[test]
    fn two_files_of_one_name_are_refused_before_they_are_read() {
        let fault = |paths: &[&str], weeks| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            traces(&paths, weeks).unwrap_err().to_string()
        };
        for (error, expected) in [
            (fault(&["a/load.csv", "b/load.csv"], None), "a/load.csv and b/load.csv would both be `load`"),
            (fault(&["a/load.csv", "a/load.txt"], None), "would both be `load`"),
            (fault(&["shipped-profile.csv"], Some(1)), "and the shipped profile (--profile) would both be"),
            (fault(&[], None), "--profile"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn every_competitor_takes_part_at_its_usual_setting_and_tuned() {
        let names = ["fixed", "target-tracking", "step-scaling", "predictive", "hpa", "hpa-vpa", "threshold"];
        for name in names {
            assert!(contenders(&[name.to_owned(), format!("{name}-tuned")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_unknown_type_is_refused_and_none_means_the_usual_one() {
        let error = types(&["m7i.huge".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`m7i.huge`"), "{error}");
        assert_eq!(types(&[]).unwrap()[0].name.as_str(), TYPE);
    }

    #[test]
    fn a_trace_that_is_not_there_or_not_one_is_named() {
        let folder = std::env::temp_dir();
        let error = read(&folder.join("no-such-trace.csv")).unwrap_err().to_string();
        assert!(error.contains("no-such-trace.csv"), "{error}");
    }
}
