//! Filters and pages as EC2 has them.

use serde::Deserialize;

use crate::wire::AwsError;

/// A filter: a name and the values that it lets through; `*` in a value stands for any text.
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

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| &text[at..]).chain([""]).any(|tail| fits(rest, tail))
        }),
    }
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

/// Cuts a page; the token is the number of the next item.
pub fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    size: Option<usize>,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let first = match token {
        None | Some("") => 0,
        Some(token) => token
            .parse()
            .map_err(|_| AwsError::new("InvalidNextToken", format!("The token '{token}' is invalid.")))?,
    };
    let total = items.len();
    let size = size.unwrap_or(usize::MAX);
    let page: Vec<T> = items.into_iter().skip(first).take(size).collect();
    let next = first.saturating_add(page.len());
    Ok((page, (next < total).then(|| next.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("m7i.*", "m7i.large", true),
            ("m7i.*", "m6i.large", false),
            ("*large", "m7i.xlarge", true),
            ("m*.large", "m7i.large", true),
            ("large", "m7i.large", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn pages_join_to_the_whole() {
        let (first, token) = page(vec![1, 2, 3], None, Some(2)).unwrap();
        let (second, end) = page(vec![1, 2, 3], token.as_deref(), Some(2)).unwrap();
        assert_eq!((first, second, end), (vec![1, 2], vec![3], None));
        assert_eq!(page(vec![1], Some("x"), None).unwrap_err().code, "InvalidNextToken");
    }
}
