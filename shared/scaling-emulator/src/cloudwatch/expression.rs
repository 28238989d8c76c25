//! Metric math: the common part of it, read into a tree.
//!
//! Numbers, ids of other queries, `+ - * / ^`, comparisons, `AND` and `OR`, parentheses, `METRICS()`, lists in brackets,
//! and the functions of [`Function`]. What else CloudWatch knows (search, insights, bands) is refused as it refuses a
//! fault.

use serde::{Deserialize, Serialize};

/// A tree of operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// The id of another query.
    Id(String),
    /// All metrics of the request, in order: `METRICS()`.
    Metrics,
    /// Those with this text in their id: `METRICS("errors")`.
    MetricsLike(String),
    /// Several in brackets.
    List(Vec<Expression>),
    /// Two joined by an operator.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// A function of arguments.
    Call(Function, Vec<Expression>),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<=`
    LessOrEqual,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `AND` or `&&`
    And,
    /// `OR` or `||`
    Or,
}

/// Signs of operators that bind alike; longer ones come before those that they begin with.
type Signs = &'static [(&'static str, Operator)];

const OR: Signs = &[("||", Operator::Or), ("OR", Operator::Or)];
const AND: Signs = &[("&&", Operator::And), ("AND", Operator::And)];
const COMPARE: Signs = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];
const SUM: Signs = &[("+", Operator::Add), ("-", Operator::Subtract)];
const PRODUCT: Signs = &[("*", Operator::Multiply), ("/", Operator::Divide)];

impl Operator {
    /// The result. `None` where there is none: division by 0, and powers that are no number.
    pub fn apply(self, left: f64, right: f64) -> Option<f64> {
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let result = match self {
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::LessOrEqual => truth(left <= right),
            Self::GreaterOrEqual => truth(left >= right),
            Self::Less => truth(left < right),
            Self::Greater => truth(left > right),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Or => truth(left != 0.0 || right != 0.0),
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
        };
        result.is_finite().then_some(result)
    }
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Function {
    /// Of a list: the sum at each time. Of one metric: the sum of all its points.
    Sum,
    /// The mean likewise.
    Avg,
    /// The smallest likewise.
    Min,
    /// The largest likewise.
    Max,
    /// A metric with its missing points filled: with a number or metric, `REPEAT`, or `LINEAR`.
    Fill,
    /// Without the sign.
    Abs,
    /// Rounded up.
    Ceil,
    /// Rounded down.
    Floor,
    /// A metric's period in seconds.
    Period,
    /// From each point to the next.
    Diff,
    /// The same by second.
    Rate,
    /// The sum of all points so far.
    RunningSum,
    /// The standard deviation, as [`Function::Sum`] gathers.
    Stddev,
    /// How many metrics a list has.
    MetricCount,
    /// How many points, as [`Function::Sum`] gathers.
    DatapointCount,
    /// The natural logarithm.
    Log,
    /// The decimal logarithm.
    Log10,
    /// The first metric of an array.
    First,
    /// The last metric of an array.
    Last,
    /// An array in the order of its metrics' mean, smallest, largest or sum.
    Sort,
    /// Part of an array.
    Slice,
    /// An array without the metrics that have no points.
    RemoveEmpty,
    /// A number as a metric.
    TimeSeries,
    /// The day of the month of each point.
    Date,
    /// The day of the week, 1 for Monday.
    Day,
    /// The time in seconds since 1970.
    Epoch,
    /// The hour.
    Hour,
    /// The minute.
    Minute,
    /// The month.
    Month,
    /// The year.
    Year,
    /// One of two, by a condition.
    If,
    /// The quota that stands beside a metric of usage.
    ServiceQuota,
}

impl Function {
    const TABLE: [(&'static str, Self); 32] = [
        ("SUM", Self::Sum),
        ("AVG", Self::Avg),
        ("MIN", Self::Min),
        ("MAX", Self::Max),
        ("FILL", Self::Fill),
        ("ABS", Self::Abs),
        ("CEIL", Self::Ceil),
        ("FLOOR", Self::Floor),
        ("PERIOD", Self::Period),
        ("DIFF", Self::Diff),
        ("RATE", Self::Rate),
        ("RUNNING_SUM", Self::RunningSum),
        ("STDDEV", Self::Stddev),
        ("METRIC_COUNT", Self::MetricCount),
        ("DATAPOINT_COUNT", Self::DatapointCount),
        ("LOG", Self::Log),
        ("LOG10", Self::Log10),
        ("FIRST", Self::First),
        ("LAST", Self::Last),
        ("SORT", Self::Sort),
        ("SLICE", Self::Slice),
        ("REMOVE_EMPTY", Self::RemoveEmpty),
        ("TIME_SERIES", Self::TimeSeries),
        ("DATE", Self::Date),
        ("DAY", Self::Day),
        ("EPOCH", Self::Epoch),
        ("HOUR", Self::Hour),
        ("MINUTE", Self::Minute),
        ("MONTH", Self::Month),
        ("YEAR", Self::Year),
        ("IF", Self::If),
        ("SERVICE_QUOTA", Self::ServiceQuota),
    ];

    /// Whether it takes an array of metrics as a whole.
    pub fn takes_an_array(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Sort | Self::Slice | Self::RemoveEmpty)
    }
}

/// Words that stand where an id can: how `FILL` fills, and what `SORT` sorts by and how.
const WORDS: [&str; 8] = ["REPEAT", "LINEAR", "AVG", "MIN", "MAX", "SUM", "ASC", "DESC"];

/// Deepest nesting read.
const MAX_DEPTH: usize = 50;

/// Reads an expression.
///
/// # Errors
/// What cannot be read, and where, for people.
pub fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.whole()?;
    match parser.peek() {
        None => Ok(expression),
        Some(c) => Err(format!("Unexpected {c:?} at position {}", parser.at)),
    }
}

impl Expression {
    /// Hands each id that it names to `visit`.
    pub fn ids<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Number(_) | Self::Metrics | Self::MetricsLike(_) => {}
            Self::Id(id) if WORDS.contains(&id.as_str()) => {}
            Self::Id(id) => visit(id),
            Self::List(items) | Self::Call(_, items) => items.iter().for_each(|item| item.ids(visit)),
            Self::Binary(_, left, right) => {
                left.ids(visit);
                right.ids(visit);
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    /// The next character behind white space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start().len();
        rest.trim_start().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(c) => format!("Expected {wanted:?} but found {c:?} at position {}", self.at),
            None => format!("Expected {wanted:?} at the end"),
        })
    }

    fn operator(&mut self, signs: Signs) -> Option<Operator> {
        self.peek();
        let rest = self.text.get(self.at..)?;
        let found = signs.iter().find(|(sign, _)| {
            // A word ends where no letter follows.
            rest.strip_prefix(*sign).is_some_and(|after| {
                !sign.starts_with(char::is_alphabetic)
                    || !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            })
        });
        let (sign, operator) = found?;
        self.at += sign.len();
        Some(*operator)
    }

    /// An expression with all operators, by how strongly they bind.
    fn whole(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The expression is nested too deeply".to_owned());
        }
        let whole = self.joined(&[OR, AND, COMPARE, SUM, PRODUCT])?;
        self.depth -= 1;
        Ok(whole)
    }

    fn joined(&mut self, levels: &[Signs]) -> Result<Expression, String> {
        let Some((signs, stronger)) = levels.split_first() else { return self.power() };
        let mut left = self.joined(stronger)?;
        while let Some(operator) = self.operator(signs) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.joined(stronger)?));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, String> {
        let mut negative = false;
        while self.take('-') {
            negative = !negative;
        }
        let mut base = self.term()?;
        if self.take('^') {
            let exponent = self.exponent()?;
            base = Expression::Binary(Operator::Power, Box::new(base), Box::new(exponent));
        }
        if negative {
            let zero = Box::new(Expression::Number(0.0));
            base = Expression::Binary(Operator::Subtract, zero, Box::new(base));
        }
        Ok(base)
    }

    /// An exponent; powers bind to the right.
    fn exponent(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The expression is nested too deeply".to_owned());
        }
        let exponent = self.power();
        self.depth -= 1;
        exponent
    }

    fn term(&mut self) -> Result<Expression, String> {
        match self.peek() {
            Some('(') => {
                self.expect('(')?;
                let inside = self.whole()?;
                self.expect(')')?;
                Ok(inside)
            }
            Some('[') => {
                self.expect('[')?;
                self.items(']').map(Expression::List)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() => self.word(),
            Some(c) => Err(format!("Unexpected {c:?} at position {}", self.at)),
            None => Err("Unexpected end".to_owned()),
        }
    }

    fn items(&mut self, end: char) -> Result<Vec<Expression>, String> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.whole()?);
            if !self.take(',') {
                self.expect(end)?;
                return Ok(items);
            }
        }
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn number(&mut self) -> Result<Expression, String> {
        let digits = self.run(|c| c.is_ascii_digit() || c == '.').to_owned();
        digits.parse().map(Expression::Number).map_err(|_| format!("{digits} is not a number"))
    }

    /// What stands in the parentheses of `METRICS`: nothing, or a text in quotation marks.
    fn metrics(&mut self) -> Result<Expression, String> {
        let quote = self.peek().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            self.expect(')')?;
            return Ok(Expression::Metrics);
        };
        self.expect(quote)?;
        let part = self.run(|c| c != quote).to_owned();
        self.expect(quote)?;
        self.expect(')')?;
        Ok(Expression::MetricsLike(part))
    }

    fn word(&mut self) -> Result<Expression, String> {
        let word = self.run(|c| c.is_ascii_alphanumeric() || c == '_').to_owned();
        if !self.take('(') {
            let is_id = word.starts_with(|c: char| c.is_ascii_lowercase()) || WORDS.contains(&word.as_str());
            return if is_id { Ok(Expression::Id(word)) } else { Err(format!("Unrecognized symbol {word}")) };
        }
        if word == "METRICS" {
            return self.metrics();
        }
        let arguments = self.items(')')?;
        let function = Function::TABLE.iter().find(|(name, _)| *name == word).map(|(_, function)| *function);
        let function = function.ok_or_else(|| format!("Unsupported function {word}"))?;
        let wanted = match function {
            Function::Fill => 2..=2,
            Function::If | Function::Slice => 2..=3,
            Function::Sort => 3..=4,
            _ => 1..=1,
        };
        if !wanted.contains(&arguments.len()) {
            return Err(format!("{word} takes {} argument(s), not {}", wanted.end(), arguments.len()));
        }
        Ok(Expression::Call(function, arguments))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn operators_bind_as_in_arithmetic() {
        let id = |name: &str| Box::new(Expression::Id(name.to_owned()));
        let number = |n: f64| Box::new(Expression::Number(n));
        let expected = Expression::Binary(
            Operator::Add,
            id("m1"),
            Box::new(Expression::Binary(
                Operator::Multiply,
                number(100.0),
                Box::new(Expression::Binary(Operator::Power, id("m2"), number(2.0))),
            )),
        );
        assert_eq!(parse("m1 + 100*m2^2").unwrap(), expected);
        assert_eq!(
            parse("SUM(METRICS())").unwrap(),
            Expression::Call(Function::Sum, vec![Expression::Metrics])
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "m1 +",
            "(m1",
            "M1",
            "SEARCH('x', 'Sum')",
            "FILL(m1)",
            "m1 m2",
            "1.2.3",
            "IF(m1)",
            "m1 >",
            "m1 = 2",
            "m1 ORm2",
            "[m1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in ".{0,200}", open in "[(\\[^-]{0,400}") {
            let _ = parse(&text);
            let _ = parse(&open);
        }
    }
}
