//! Which instance types may be chosen.

use scaling_fleet::TypeName;

use super::fault::Faults;
use super::group::{LadderRule, Mode, Platform};
use super::origin::Origin;
use super::source::LadderSource;

const PATH: &str = "ladder";

/// Resolves the ladder, which is either a list of types or one of families.
pub(super) fn resolve(
    source: Option<&LadderSource>,
    platform: Platform,
    mode: Mode,
    at: Origin<'_>,
    faults: &mut Faults,
) -> LadderRule {
    let sound = at.is_sound(&[PATH], faults);
    let Some(source) = source else {
        if sound && mode == Mode::Vertical && platform == Platform::Standalone {
            let rule =
                "must be given: vertical scaling needs types, and no catalogue knows those of standalone";
            at.error(PATH, rule, "list the types in `ladder.types`, with their `prices`", faults);
        }
        return LadderRule::FamilyOfCurrent;
    };
    match (&source.types, &source.families) {
        (Some(types), None) => {
            let is_type = |name: &str| platform == Platform::Standalone || is_type_name(name);
            let form = ("must be an instance type", "write it as family.size, such as m7i.large");
            let types = names("types", types, is_type, form, at, faults);
            if types.len() == 1 && mode == Mode::Vertical {
                let rule = "leaves vertical scaling no choice: it has one type";
                at.warning("ladder/types", rule, "list at least two types of different size", faults);
            }
            LadderRule::Types(types.iter().map(TypeName::new).collect())
        }
        (None, Some(families)) => {
            let form = ("must be a family", "write the part before the dot, such as m7i");
            LadderRule::Families(names("families", families, is_family, form, at, faults))
        }
        (given, _) => {
            if sound {
                let rule = if given.is_some() {
                    "must have only one of `types` and `families`"
                } else {
                    "must have `types` or `families`"
                };
                at.error(PATH, rule, "leave `ladder` out to use the running type's family", faults);
            }
            LadderRule::FamilyOfCurrent
        }
    }
}

/// The names of one list, each once.
fn names(
    key: &str,
    given: &[String],
    is_valid: impl Fn(&str) -> bool,
    (rule, fix): (&str, &str),
    at: Origin<'_>,
    faults: &mut Faults,
) -> Vec<String> {
    let path = format!("{PATH}/{key}");
    if !at.is_sound(&[&path], faults) {
        return given.to_vec();
    }
    if given.is_empty() {
        let rule = format!("must list {key}: with none, nothing can be chosen");
        at.error(&path, rule, "leave `ladder` out to use the running type's family", faults);
    }
    let mut kept: Vec<String> = Vec::new();
    for (index, name) in given.iter().enumerate() {
        let path = format!("{path}/{index}");
        if !is_valid(name) {
            at.error(&path, rule, fix, faults);
        } else if kept.contains(name) {
            at.warning(&path, "is listed twice", "keep one of them", faults);
        } else {
            kept.push(name.clone());
        }
    }
    kept
}

fn is_type_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(family, size)| is_family(family) && is_family(size))
}

fn is_family(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
