//! Filters and pages as EC2 has them.

use serde::Deserialize;

use crate::wire::AwsError;

/// A filter: a name and the values that it lets through; `*` in a value stands for any text, `?` for one character.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Filter {
    /// Name.
    pub name: String,
    /// Any of these.
    #[serde(rename = "Value")]
    pub values: Vec<String>,
}

impl Filter {
    /// Whether any of something's values under this filter's name fits. `None`, an unknown name, is the service's
    /// error.
    pub fn takes(&self, values: Option<Vec<String>>) -> Result<bool, AwsError> {
        let values = values.ok_or_else(|| {
            AwsError::new("InvalidParameterValue", format!("The filter '{}' is invalid", self.name))
        })?;
        Ok(values.iter().any(|value| self.values.iter().any(|pattern| fits(pattern, value))))
    }
}

/// Whether a text fits a pattern, in which `*` stands for any text and `?` for any one character.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where the last star stands, and how much of the text it has taken so far.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while let Some(letter) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => (at, seen) = (at + 1, seen + 1),
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, seen) = (place + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|left| *left == '*')
}

/// Keeps what all filters let through, `values` telling something's values by filter name.
pub fn keep<T>(
    items: &mut Vec<T>,
    filters: &[Filter],
    values: impl Fn(&T, &str) -> Option<Vec<String>>,
) -> Result<(), AwsError> {
    for filter in filters {
        let mut kept = Vec::with_capacity(items.len());
        for item in items.drain(..) {
            if filter.takes(values(&item, &filter.name))? {
                kept.push(item);
            }
        }
        *items = kept;
    }
    Ok(())
}

/// How many results a page may have: `MaxResults` as it was given, and the least and most that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub Option<i64>, pub i64, pub i64);

impl Size {
    fn choose(self) -> Result<usize, AwsError> {
        let Self(asked, least, most) = self;
        let Some(asked) = asked else { return Ok(usize::MAX) };
        let side = if asked < least {
            format!("greater than {least}")
        } else if asked > most {
            format!("less than {most}")
        } else {
            return Ok(usize::try_from(asked).unwrap_or(usize::MAX));
        };
        Err(AwsError::new(
            "InvalidParameterValue",
            format!("Value ( {asked} ) for parameter maxResults is invalid. Expecting a value {side}."),
        ))
    }

    /// Refuses a size beside the ids of what is asked for.
    pub fn not_with(self, ids: &[String], what: &str) -> Result<(), AwsError> {
        match self.0.filter(|_| !ids.is_empty()) {
            Some(_) => Err(AwsError::new(
                "InvalidParameterCombination",
                format!("The parameter {what} cannot be used with the parameter maxResults"),
            )),
            None => Ok(()),
        }
    }
}

/// Cuts a page; the token is the number of the next item.
pub fn page<T>(items: Vec<T>, token: Option<&str>, size: Size) -> Result<(Vec<T>, Option<String>), AwsError> {
    let size = size.choose()?;
    let first = match token {
        None | Some("") => 0,
        Some(token) => token
            .parse()
            .map_err(|_| AwsError::new("InvalidNextToken", format!("The token '{token}' is invalid.")))?,
    };
    let total = items.len();
    let page: Vec<T> = items.into_iter().skip(first).take(size).collect();
    let next = first.saturating_add(page.len());
    Ok((page, (next < total).then(|| next.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_a_question_mark_for_one_character() {
        for (pattern, text, expected) in [
            ("m7i.*", "m7i.large", true),
            ("m7i.*", "m6i.large", false),
            ("*large", "m7i.xlarge", true),
            ("m*.large", "m7i.large", true),
            ("large", "m7i.large", false),
            ("*", "", true),
            ("m?i.large", "m7i.large", true),
            ("m?i.large", "mi.large", false),
            ("*?rge", "large", true),
            ("a*b*c", "axbxbc", true),
            ("a*b*c", "axbxb", false),
            ("m5.*", "m5.large", true),
            ("m5.*", "m5a.large", false),
            ("r*", "r7g.large", true),
            ("*3*", "t3.micro", true),
            ("m5.large", "m5.large", true),
            ("m5", "m5.large", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn pages_join_to_the_whole() {
        let (first, token) = page(vec![1, 2, 3], None, Size(Some(2), 1, 5)).unwrap();
        let (second, end) = page(vec![1, 2, 3], token.as_deref(), Size(Some(2), 1, 5)).unwrap();
        assert_eq!((first, second, end), (vec![1, 2], vec![3], None));
        let size = Size(None, 1, 5);
        assert_eq!(page(vec![1], Some("x"), size).unwrap_err().code, "InvalidNextToken");
        assert_eq!(page(vec![1, 2], None, size).unwrap(), (vec![1, 2], None));
    }

    #[test]
    fn a_size_outside_of_its_bounds_and_one_beside_ids_are_refused() {
        for (asked, told) in [(0, "greater than 5"), (-1, "greater than 5"), (1001, "less than 1000")] {
            let error = page(vec![1], None, Size(Some(asked), 5, 1000)).unwrap_err();
            assert_eq!(error.code, "InvalidParameterValue");
            assert!(error.message.contains(told), "{}", error.message);
        }
        let error = Size(Some(5), 5, 1000).not_with(&["i-0".to_owned()], "instancesSet").unwrap_err();
        assert_eq!(error.code, "InvalidParameterCombination");
    }
}
