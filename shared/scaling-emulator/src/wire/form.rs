//! Form bodies of the query protocols: flat names such as `Tags.member.1.Key` read into a tree, and the tree into
//! typed input.
//!
//! A list is a branch whose children are numbered, under `member` in the query protocol and directly in EC2's. An
//! empty value stands for an empty list.

use std::collections::BTreeMap;

use serde::de::{self, DeserializeOwned, IntoDeserializer, MapAccess, Visitor, value};

/// Why a form does not fit an operation's input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A required member is absent.
    #[error("member `{0}` is missing")]
    Missing(String),
    /// A member has a value of the wrong kind.
    #[error("member `{member}`: {message}")]
    Invalid {
        /// Dotted name, empty while it is not known.
        member: String,
        /// What is wrong.
        message: String,
    },
    /// A member's text is no value of its kind.
    #[error("member `{member}`: `{value}` is not {wanted}")]
    Kind {
        /// Dotted name, empty while it is not known.
        member: String,
        /// The text.
        value: String,
        /// What it should be, such as `an integer`.
        wanted: &'static str,
    },
    /// A member has a value that the service's model does not allow.
    #[error("Value '{value}' at '{member}' failed to satisfy constraint: {rule}")]
    Constraint {
        /// Dotted name, empty while it is not known.
        member: String,
        /// The value.
        value: String,
        /// The rule, in the service's words.
        rule: String,
    },
}

/// A form as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    root: Branch,
}

type Branch = BTreeMap<String, Node>;

static EMPTY: Branch = Branch::new();

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Leaf(String),
    Branch(Branch),
}

/// Deepest nesting read; the services' own inputs need eight levels.
const MAX_DEPTH: usize = 16;

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body. What is not a pair is dropped, as the services do.
    pub fn parse(body: &[u8]) -> Self {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
        let mut form = Self::default();
        for (name, text) in pairs {
            form.insert(&name, text);
        }
        form
    }

    /// The text at a dotted name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut parts = name.split('.');
        let mut node = self.root.get(parts.next()?)?;
        for part in parts {
            node = match node {
                Node::Branch(children) => children.get(part)?,
                Node::Leaf(_) => return None,
            };
        }
        match node {
            Node::Leaf(text) => Some(text),
            Node::Branch(_) => None,
        }
    }

    /// The names at the top, such as `Tags` of `Tags.member.1.Key`.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.root.keys().map(String::as_str)
    }

    /// Everything that the form says, in the order of names: the same for the same call, however it is sent.
    pub fn said(&self) -> String {
        let said = self.root.iter().filter(|(name, _)| !is_of_sending(name));
        said.flat_map(|(name, node)| leaves(name, node)).collect()
    }

    /// Reads the form into an operation's input.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, FormError> {
        T::deserialize(Tree(&Node::Branch(self.root.clone())))
    }

    fn insert(&mut self, name: &str, text: String) {
        let parts: Vec<&str> = name.split('.').collect();
        let Some((last, path)) = parts.split_last().filter(|(_, path)| path.len() < MAX_DEPTH) else {
            return;
        };
        let mut branch = &mut self.root;
        for part in path {
            let child = branch.entry((*part).to_owned()).or_insert_with(|| Node::Branch(Branch::new()));
            if matches!(child, Node::Leaf(_)) {
                *child = Node::Branch(Branch::new());
            }
            let Node::Branch(children) = child else { return };
            branch = children;
        }
        branch.entry((*last).to_owned()).or_insert(Node::Leaf(text));
    }
}

/// Whether a parameter tells how a call is sent and not what it asks for: a call that is sent again has another signature.
fn is_of_sending(name: &str) -> bool {
    const OTHERS: [&str; 7] =
        ["AWSAccessKeyId", "DryRun", "Expires", "SecurityToken", "Signature", "Timestamp", "Version"];
    name.starts_with("X-Amz-")
        || name.starts_with("SignatureM")
        || name.starts_with("SignatureV")
        || OTHERS.contains(&name)
}

/// The texts below a name, each with its whole name and its length, so that no text can be taken for two.
fn leaves(name: &str, node: &Node) -> Vec<String> {
    match node {
        Node::Leaf(text) => vec![format!("{name}={}:{text}\n", text.len())],
        Node::Branch(children) => {
            children.iter().flat_map(|(child, node)| leaves(&format!("{name}.{child}"), node)).collect()
        }
    }
}

/// The truth that a text says. `None` for any other word.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

/// A node as serde reads it.
#[derive(Clone, Copy)]
struct Tree<'a>(&'a Node);

impl Tree<'_> {
    fn text(&self) -> Result<&str, FormError> {
        match self.0 {
            Node::Leaf(text) => Ok(text),
            Node::Branch(_) => Err(de::Error::custom("a single value was expected")),
        }
    }
}

impl de::Error for FormError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Invalid { member: String::new(), message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_owned())
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Constraint {
            member: String::new(),
            value: variant.to_owned(),
            rule: format!("Member must satisfy enum value set: [{}]", expected.join(", ")),
        }
    }
}

impl FormError {
    /// The same error, seen from the parent of `member`.
    fn inside(self, parent: &str) -> Self {
        match self {
            Self::Invalid { member, message } if member.is_empty() => {
                Self::Invalid { member: parent.to_owned(), message }
            }
            Self::Invalid { member, message } => {
                Self::Invalid { member: format!("{parent}.{member}"), message }
            }
            Self::Constraint { member, value, rule } => {
                let member = if member.is_empty() { parent.to_owned() } else { format!("{parent}.{member}") };
                Self::Constraint { member, value, rule }
            }
            Self::Kind { member, value, wanted } => {
                let member = if member.is_empty() { parent.to_owned() } else { format!("{parent}.{member}") };
                Self::Kind { member, value, wanted }
            }
            Self::Missing(member) => Self::Missing(format!("{parent}.{member}")),
        }
    }
}

/// Why a text is no number of a kind: it is none at all, or one beyond what the kind holds.
fn no_number(text: &str, least: i128, most: i128) -> FormError {
    let rule = match text.trim().parse::<i128>() {
        Ok(number) if number < least => format!("Member must have value greater than or equal to {least}"),
        Ok(number) if number > most => format!("Member must have value less than or equal to {most}"),
        _ => return of_other_kind(text, "an integer"),
    };
    FormError::Constraint { member: String::new(), value: text.to_owned(), rule }
}

fn of_other_kind(text: &str, wanted: &'static str) -> FormError {
    FormError::Kind { member: String::new(), value: text.to_owned(), wanted }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $kind:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
            let text = self.text()?;
            let (least, most) = (i128::from($kind::MIN), i128::from($kind::MAX));
            visitor.$visit(text.trim().parse().map_err(|_| no_number(text, least, most))?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Tree<'de> {
    type Error = FormError;

    parsed!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    );

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        let text = self.text()?;
        visitor.visit_f64(text.trim().parse().map_err(|_| of_other_kind(text, "a number"))?)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        match self.0 {
            Node::Leaf(text) => visitor.visit_str(text),
            Node::Branch(children) if is_list(children) => self.deserialize_seq(visitor),
            Node::Branch(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        let text = self.text()?;
        visitor.visit_bool(truth(text).ok_or_else(|| of_other_kind(text, "true or false"))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FormError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        let items = match self.0 {
            Node::Leaf(text) if text.is_empty() => Vec::new(),
            Node::Leaf(_) => return Err(de::Error::custom("a list was expected")),
            Node::Branch(children) => items(children),
        };
        visitor.visit_seq(value::SeqDeserializer::new(items.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        match self.0 {
            Node::Branch(children) => visitor.visit_map(Members { rest: children.iter(), next: None }),
            Node::Leaf(text) if text.is_empty() => {
                visitor.visit_map(Members { rest: EMPTY.iter(), next: None })
            }
            Node::Leaf(_) => Err(de::Error::custom("a structure was expected")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FormError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FormError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, FormError> for Tree<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Whether the names of a branch are those of a list.
fn is_list(children: &Branch) -> bool {
    let numbers = |branch: &Branch| branch.keys().all(|key| key.parse::<u64>().is_ok());
    match children.get("member") {
        Some(Node::Branch(members)) => children.len() == 1 && numbers(members),
        _ => numbers(children),
    }
}

/// A list's items in the order of their numbers.
fn items(children: &Branch) -> Vec<Tree<'_>> {
    if let Some(Node::Branch(members)) = children.get("member") {
        return items(members);
    }
    let mut numbered: Vec<(u64, &Node)> =
        children.iter().filter_map(|(key, node)| Some((key.parse().ok()?, node))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, node)| Tree(node)).collect()
}

struct Members<'a> {
    rest: std::collections::btree_map::Iter<'a, String, Node>,
    next: Option<(&'a str, &'a Node)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FormError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FormError> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.next = Some((key, node));
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FormError> {
        let (key, node) = self.next.take().ok_or_else(|| de::Error::custom("a value without a name"))?;
        seed.deserialize(Tree(node)).map_err(|error| error.inside(key))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        name: String,
        #[serde(default)]
        size: Option<i32>,
        #[serde(default)]
        force: bool,
        #[serde(default)]
        tags: Vec<Tag>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
    }

    fn read(body: &str) -> Result<Input, FormError> {
        Form::parse(body.as_bytes()).read()
    }

    #[test]
    fn nested_lists_are_read_in_the_order_of_their_numbers() {
        for list in ["Tags.member.10.Key=b&Tags.member.2.Key=a", "Tags.10.Key=b&Tags.2.Key=a"] {
            let input = read(&format!("Action=X&Name=g%20h&Size=3&Force=true&{list}")).unwrap();
            let keys: Vec<&str> = input.tags.iter().map(|tag| tag.key.as_str()).collect();
            assert_eq!((input.name.as_str(), input.size, input.force), ("g h", Some(3), true));
            assert_eq!(keys, ["a", "b"]);
        }
        assert_eq!(read("Name=g&Tags=").unwrap().tags, []);
    }

    #[test]
    fn a_fault_names_the_member() {
        let invalid = |member: &str, message: &str| FormError::Invalid {
            member: member.to_owned(),
            message: message.to_owned(),
        };
        let kind = |member: &str, value: &str, wanted: &'static str| FormError::Kind {
            member: member.to_owned(),
            value: value.to_owned(),
            wanted,
        };
        for (body, expected) in [
            ("Size=1", FormError::Missing("Name".to_owned())),
            ("Name=g&Size=many", kind("Size", "many", "an integer")),
            ("Name=g&Force=perhaps", kind("Force", "perhaps", "true or false")),
            ("Name=g&Tags=x", invalid("Tags", "a list was expected")),
            ("Name.x=g", invalid("Name", "invalid type: map, expected a string")),
        ] {
            assert_eq!(read(body).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn what_the_model_does_not_allow_is_told_as_a_constraint() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        enum State {
            Stopped,
            Running,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Pool {
            state: Option<State>,
            size: Option<u32>,
        }
        impl Default for Pool {
            fn default() -> Self {
                Self { state: Some(State::Stopped).or(Some(State::Running)), size: None }
            }
        }
        for (body, member, rule) in [
            ("State=Gone", "State", "Member must satisfy enum value set: [Stopped, Running]"),
            ("Size=-3", "Size", "Member must have value greater than or equal to 0"),
            ("Size=4294967296", "Size", "Member must have value less than or equal to 4294967295"),
        ] {
            match Form::parse(body.as_bytes()).read::<Pool>().unwrap_err() {
                FormError::Constraint { member: at, rule: told, .. } => {
                    assert_eq!((at.as_str(), told.as_str()), (member, rule));
                }
                other => panic!("{body}: {other}"),
            }
        }
    }

    #[test]
    fn what_is_said_is_the_same_in_any_order_and_however_it_is_sent() {
        let said = |body: &str| Form::parse(body.as_bytes()).said();
        let one = said("Tag.1.Key=a&Tag.1.Value=b&Name=g");
        assert_eq!(one, "Name=1:g\nTag.1.Key=1:a\nTag.1.Value=1:b\n");
        assert_eq!(said("Name=g&X-Amz-Date=1&Tag.1.Value=b&DryRun=false&Tag.1.Key=a&SignatureMethod=m"), one);
        for other in ["Name=g&Tag.1.Key=a", "Name=g&Tag.1.Key=a&Tag.1.Value=c", "Name=g%0ATag.1.Key%3D1%3Aa"]
        {
            assert_ne!(said(other), one, "{other}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let deep = format!("{}=1", vec!["a"; 10_000].join("."));
        for body in [b"\xff\xfe=%zz&=&&=".as_slice(), b"a=1&a.b=2&a.b.c=3", deep.as_bytes(), b""] {
            let _ = Form::parse(body).read::<Input>();
        }
    }
}
