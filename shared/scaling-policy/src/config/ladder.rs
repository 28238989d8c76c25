//! Which instance types may be chosen.

use scaling_fleet::{Catalogue, InstanceType, TypeName};

use super::fault::{Faults, Path};
use super::group::{LadderRule, Mode, Platform, TypeBounds};
use super::origin::Origin;
use super::read::nearest;
use super::source::LadderSource;

const PATH: &str = "ladder";

/// Resolves the ladder, and says where it holds no type that `bounds` allow.
pub(super) fn resolve(
    source: Option<&LadderSource>,
    (platform, mode): (Platform, Mode),
    bounds: &TypeBounds,
    at: Origin<'_>,
    faults: &mut Faults,
) -> LadderRule {
    let rule = rule(source, (platform, mode), at, faults);
    let catalogue = Catalogue::embedded();
    let fits = |known: &InstanceType| bounds.allow(known.vcpu, known.memory);
    let is_empty = platform == Platform::Aws
        && match &rule {
            LadderRule::FamilyOfCurrent => false,
            LadderRule::Types(types) => !types.iter().filter_map(|name| catalogue.get(name)).any(fits),
            LadderRule::Families(families) => {
                !families.iter().flat_map(|family| catalogue.family(family)).any(fits)
            }
        };
    if is_empty && at.is_sound(&[PATH, "resources"], faults) {
        let what = "has no type within the bounds of `resources`, so the type is never changed";
        at.warning(PATH, what, "widen `resources`, or list types that fit", faults);
    }
    rule
}

/// The ladder is either a list of types or one of families.
fn rule(
    source: Option<&LadderSource>,
    (platform, mode): (Platform, Mode),
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
            let types = names("types", types, platform, at, faults);
            if types.len() == 1 && mode == Mode::Vertical {
                let rule = "leaves vertical scaling no choice: it has one type";
                at.warning("ladder/types", rule, "list at least two types of different size", faults);
            }
            LadderRule::Types(types.iter().map(TypeName::new).collect())
        }
        (None, Some(families)) => LadderRule::Families(names("families", families, platform, at, faults)),
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

/// The names of one list (`types` or `families`), each once.
fn names(
    key: &str,
    given: &[String],
    platform: Platform,
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
        if kept.contains(name) {
            at.warning(&path, "is listed twice", "keep one of them", faults);
            continue;
        }
        if platform == Platform::Aws {
            check_name(key, name, &path, at, faults);
        }
        kept.push(name.clone());
    }
    kept
}

/// On AWS a name has a form, and the catalogue knows what it stands for.
fn check_name(key: &str, name: &str, path: &str, at: Origin<'_>, faults: &mut Faults) {
    let (is_formed, rule, fix) = if key == "types" {
        (is_type_name(name), "must be an instance type", "write it as family.size, such as m7i.large")
    } else {
        (is_family(name), "must be a family", "write the part before the dot, such as m7i")
    };
    if !is_formed {
        at.error(path, rule, fix, faults);
        return;
    }
    let catalogue = Catalogue::embedded();
    let known = if key == "types" {
        catalogue.get_str(name).is_some()
    } else {
        catalogue.family(name).next().is_some()
    };
    if !known {
        at.warning(path, "is not in the catalogue, so it is never chosen", suggestion(key, name), faults);
    }
}

/// What to write instead of a name that the catalogue does not have.
fn suggestion(key: &str, name: &str) -> String {
    let types = Catalogue::embedded().iter().map(|known| &known.name);
    let near = if key == "types" {
        nearest(name, types.map(TypeName::as_str))
    } else {
        nearest(name, types.map(TypeName::family))
    };
    near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean `{near}`?"))
}

/// Prices of types that the catalogue does not have are used for nothing, unless programs name their own types.
pub(super) fn check_prices<'n>(
    key: &'static str,
    names: impl Iterator<Item = &'n String>,
    faults: &mut Faults,
) {
    for name in names.filter(|name| Catalogue::embedded().get_str(name).is_none()) {
        let at = Path::Root.key(key).key(name).to_string();
        faults.warning(
            &at,
            None,
            "is the price of a type that is not in the catalogue",
            suggestion("types", name),
        );
    }
}

fn is_type_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(family, size)| is_family(family) && is_family(size))
}

fn is_family(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
