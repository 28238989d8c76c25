//! The three formats, and which of them a client wants.

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// Prometheus text, version 0.0.4.
    Prometheus,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of Content-Type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that an Accept header asks for (RFC 9110, section 12.5.1): the one with the highest weight, and
    /// among equals `default` first. Without a header, or with an empty one, it is `default`. `None` when nothing
    /// that can be written is acceptable.
    pub fn negotiate(accept: Option<&str>, default: Self) -> Option<Self> {
        let accept = accept.map(str::trim).filter(|accept| !accept.is_empty());
        let Some(accept) = accept else { return Some(default) };
        let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::parse).collect();
        let mut best: Option<(f64, Self)> = None;
        let order = [default, Self::Json, Self::Prometheus, Self::OpenMetrics];
        for format in order {
            let weight = format.weight(&ranges);
            if weight > 0.0 && best.is_none_or(|(highest, _)| weight > highest) {
                best = Some((weight, format));
            }
        }
        best.map(|(_, format)| format)
    }

    /// Whether an Accept header allows this format, whatever it would rather have.
    pub fn is_accepted(self, accept: Option<&str>) -> bool {
        let accept = accept.map(str::trim).filter(|accept| !accept.is_empty());
        accept.is_none_or(|accept| {
            let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::parse).collect();
            self.weight(&ranges) > 0.0
        })
    }

    const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::Prometheus => ("text", "plain"),
            Self::OpenMetrics => ("application", "openmetrics-text"),
        }
    }

    /// The version parameter; a range that names another one does not match.
    const fn version(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::Prometheus => Some("0.0.4"),
            Self::OpenMetrics => Some("1.0.0"),
        }
    }

    /// The weight of the most specific range that matches.
    fn weight(self, ranges: &[Range<'_>]) -> f64 {
        let matching = ranges.iter().filter_map(|range| Some((range.specificity(self)?, range.weight)));
        matching
            .max_by(|(one, a), (other, b)| one.cmp(other).then(a.total_cmp(b)))
            .map_or(0.0, |(_, weight)| weight)
    }
}

/// How much an Accept header wants a media type, from 0 (not at all) to 1, by the most specific of its ranges.
pub fn quality(accept: &str, (main, sub): (&str, &str)) -> f64 {
    let ranges = accept.split(',').filter_map(Range::parse);
    let matching = ranges.filter_map(|range| Some((range.closeness(main, sub)?, range.weight)));
    matching
        .max_by(|(one, a), (other, b)| one.cmp(other).then(a.total_cmp(b)))
        .map_or(0.0, |(_, weight)| weight)
}

/// One element of an Accept header.
struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    version: Option<&'a str>,
    weight: f64,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let mut range = Self { main, sub, version: None, weight: 1.0 };
        for part in parts {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.weight = value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
                "version" => range.version = Some(value),
                _ => {}
            }
        }
        Some(range)
    }

    /// How closely this range names the format; `None` when it doesn't.
    fn specificity(&self, format: Format) -> Option<u8> {
        let (main, sub) = format.media_type();
        match (self.closeness(main, sub)?, self.version) {
            (2, Some(version)) => (format.version() == Some(version)).then_some(3),
            (closeness, _) => Some(closeness),
        }
    }

    /// How closely this range names a media type, whatever its version; `None` when it doesn't.
    fn closeness(&self, main: &str, sub: &str) -> Option<u8> {
        let is = |range: &str, part: &str| range.eq_ignore_ascii_case(part);
        if is(self.main, main) && is(self.sub, sub) {
            return Some(2);
        }
        match (self.main, self.sub) {
            ("*", "*") => Some(0),
            (range, "*") if is(range, main) => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_with_the_highest_weight_is_written() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, expected) in [
            (None, Some(Format::Json)),
            (Some(""), Some(Format::Json)),
            (Some("*/*"), Some(Format::Json)),
            (Some("application/json"), Some(Format::Json)),
            (Some("Application/JSON"), Some(Format::Json)),
            (Some("application/*"), Some(Format::Json)),
            (Some("text/*"), Some(Format::Prometheus)),
            (Some("text/plain"), Some(Format::Prometheus)),
            (Some("text/plain;version=0.0.4"), Some(Format::Prometheus)),
            (Some("text/plain; version=\"0.0.4\"; q=0.3, application/json;q=0.2"), Some(Format::Prometheus)),
            (Some("application/openmetrics-text"), Some(Format::OpenMetrics)),
            (Some(prometheus_2), Some(Format::OpenMetrics)),
            (Some(prometheus_3), Some(Format::OpenMetrics)),
            (Some(browser), Some(Format::Json)),
            (Some("application/json;q=0, */*"), Some(Format::Prometheus)),
            (Some("text/html"), None),
            (Some("application/openmetrics-text;version=0.0.1"), None),
            (Some("application/json;q=0"), None),
            (Some("nonsense"), None),
        ] {
            assert_eq!(Format::negotiate(accept, Format::Json), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_format_can_be_accepted_without_being_preferred() {
        for (accept, expected) in [
            (None, true),
            (Some("text/html, */*;q=0.1"), true),
            (Some("application/json;q=0.5, text/plain"), true),
            (Some("text/plain"), false),
            (Some("*/*, application/json;q=0"), false),
        ] {
            assert_eq!(Format::Json.is_accepted(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_default_is_the_caller_s() {
        assert_eq!(Format::negotiate(None, Format::Prometheus), Some(Format::Prometheus));
        assert_eq!(Format::negotiate(Some("*/*"), Format::Prometheus), Some(Format::Prometheus));
    }
}
