//! Tokens with a role, from a file or a secret that may be changed while the program runs.
//!
//! ```json
//! {"tokens": [
//!   {"name": "dashboard", "role": "read", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
//!   {"name": "ada", "role": "admin", "token": "a-secret-of-at-least-32-characters"}
//! ]}
//! ```
//! One that is gone, or makes no sense, is taken for one that is being written for [`GRACE`]; after that no token is
//! known any more, so that whoever deletes it has revoked them all. That time begins when it was last seen whole, by a look
//! every [`EVERY`] ([`Tokens::watch`]): a server that nobody asks anything takes note as well.
//!
//! What is kept in memory is a digest of each, and a digest of what a request brings is compared with all of them in
//! constant time. Neither is ever logged.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use scaling_api::Role;
use serde::Deserialize;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;

use super::document::{Document, Place, Stamp};

/// Shorter tokens can be guessed.
pub const SHORTEST_TOKEN: usize = 32;

/// How long the tokens before go on to be used while the file is missing or makes no sense: writers that do not replace
/// it in one step leave half of it, or none, for a moment.
pub const GRACE: Duration = Duration::from_secs(30);

/// How often the document is looked at while nobody asks.
pub const EVERY: Duration = Duration::from_secs(5);

/// A document that could not be read is tried anew after this, although it looks the same: a change of owner or mode does not
/// show in its time and size.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// Longer ones are no tokens; nothing longer is hashed.
const LONGEST_TOKEN: usize = 512;

/// Why tokens cannot be used. No message holds one.
#[derive(Debug, Error)]
pub enum TokenError {
    /// They cannot be read.
    #[error("cannot read the tokens in {place}: {source}")]
    Unreadable {
        /// Where they lie.
        place: Place,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// They have another form.
    #[error("the tokens in {place} are not usable: {what}")]
    Unusable {
        /// Where they lie.
        place: Place,
        /// What is wrong, by line or by the token's name.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    tokens: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: Role,
    token: Option<String>,
    sha256: Option<String>,
}

/// A token that is known.
struct Known {
    name: String,
    role: Role,
    digest: [u8; 32],
}

/// Who presented a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token's name.
    pub name: String,
    /// Its role.
    pub role: Role,
}

/// The tokens of a document.
pub struct Tokens {
    document: Arc<Document>,
    grace: Duration,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    stamp: Option<Stamp>,
    known: Vec<Known>,
    /// When the document was last seen whole.
    seen: Instant,
    /// Since when it may have been missing or made no sense: since it was last seen whole.
    unusable: Option<Instant>,
    /// When one that could not be read was last tried.
    tried: Option<Instant>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("place", self.document.place()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Reads them.
    ///
    /// # Errors
    /// A document that cannot be read, has another form, or holds no token.
    pub fn read(document: impl Into<Arc<Document>>) -> Result<Self, TokenError> {
        let document = document.into();
        let stamp = document.stamp();
        let known = load(&document)?;
        Ok(Self {
            document,
            grace: GRACE,
            loaded: Mutex::new(Loaded { stamp, known, seen: Instant::now(), unusable: None, tried: None }),
        })
    }

    /// The same with another [`GRACE`].
    #[cfg(test)]
    pub(super) fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Whose token it is; `None` for one that is not known. A document that has changed is read anew before.
    pub fn bearer(&self, token: &str) -> Option<Bearer> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut loaded);
        find(&loaded.known, token)
    }

    /// Looks at the document again and again, until nobody has the tokens any more.
    pub async fn watch(tokens: Weak<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(tokens) = tokens.upgrade() else { return };
            tokens.look();
        }
    }

    fn look(&self) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut loaded);
    }

    fn refresh(&self, loaded: &mut Loaded) {
        let stamp = self.document.stamp();
        let is_new = stamp != loaded.stamp;
        if is_new || loaded.tried.is_some_and(|tried| tried.elapsed() >= AGAIN) {
            loaded.stamp = stamp;
            match load(&self.document) {
                Ok(known) => {
                    tracing::info!(target: "scaling::integration", tokens = known.len(), "the tokens were read anew");
                    (loaded.known, loaded.unusable, loaded.tried) = (known, None, None);
                }
                Err(error) => {
                    let seconds = self.grace.as_secs();
                    if is_new {
                        tracing::error!(
                            target: "scaling::integration", %error, seconds, "the tokens before are used for some seconds more"
                        );
                    }
                    loaded.tried = Some(Instant::now());
                    loaded.unusable.get_or_insert(loaded.seen);
                }
            }
        }
        if loaded.unusable.is_none() {
            loaded.seen = Instant::now();
        }
        let is_over = loaded.unusable.is_some_and(|since| since.elapsed() >= self.grace);
        if is_over && !loaded.known.is_empty() {
            tracing::error!(target: "scaling::integration", place = %self.document.place(), "no token is known any more");
            loaded.known.clear();
        }
    }
}

/// Looks at every token that is known, whichever fits.
fn find(known: &[Known], token: &str) -> Option<Bearer> {
    if token.len() > LONGEST_TOKEN {
        return None;
    }
    let presented = digest(&SHA256, token.as_bytes());
    let mut found = u32::MAX;
    for (index, known) in (0..u32::MAX).zip(known) {
        found = u32::conditional_select(&found, &index, known.digest[..].ct_eq(presented.as_ref()));
    }
    let known = known.get(usize::try_from(found).ok()?)?;
    Some(Bearer { name: known.name.clone(), role: known.role })
}

fn load(document: &Document) -> Result<Vec<Known>, TokenError> {
    let place = || document.place().clone();
    let bytes = document.bytes().map_err(|source| TokenError::Unreadable { place: place(), source })?;
    parse(&bytes).map_err(|what| TokenError::Unusable { place: place(), what })
}

fn parse(bytes: &[u8]) -> Result<Vec<Known>, String> {
    // The deserializer's own words may quote what stands there.
    let Listed { tokens } = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!(
            "it must be {{\"tokens\": [{{\"name\", \"role\": \"read|operate|admin\", \"token\" or \"sha256\"}}]}}; it is \
             not at line {line}, column {column}"
        )
    })?;
    if tokens.is_empty() {
        return Err("it has no tokens".to_owned());
    }
    let mut known: Vec<Known> = Vec::with_capacity(tokens.len());
    for Entry { name, role, token, sha256 } in tokens {
        let digest = match (token, sha256) {
            (Some(token), None) => of_token(&token),
            (None, Some(hex)) => of_hex(&hex),
            _ => Err("needs either `token` or `sha256`".to_owned()),
        };
        let digest = digest.map_err(|what| format!("the token {name:?} {what}"))?;
        if name.trim().is_empty() {
            return Err("a token has no name".to_owned());
        }
        if let Some(other) = known.iter().find(|other| other.name == name || other.digest == digest) {
            return Err(format!(
                "the tokens {:?} and {name:?} have a name or a secret in common",
                other.name
            ));
        }
        known.push(Known { name, role, digest });
    }
    Ok(known)
}

fn of_token(token: &str) -> Result<[u8; 32], String> {
    let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible || !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&token.len()) {
        return Err(format!(
            "must have {SHORTEST_TOKEN} to {LONGEST_TOKEN} visible ASCII characters; `openssl rand -hex 32` prints one"
        ));
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    Ok(bytes)
}

fn of_hex(hex: &str) -> Result<[u8; 32], String> {
    let wrong = || "has a `sha256` that is not 64 hexadecimal digits".to_owned();
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn read(path: &Path) -> Result<Tokens, TokenError> {
        Tokens::read(Document::from(path.to_owned()))
    }

    fn one(name: &str, role: &str, secret: &str) -> String {
        format!(r#"{{"tokens": [{{"name": "{name}", "role": "{role}", "token": "{secret}"}}]}}"#)
    }

    #[test]
    fn a_token_is_known_by_its_secret_or_by_the_digest_of_it() {
        // printf 'another secret' | sha256sum
        let hex = "2A38EA589EA53942AAADC5460A48CF8E43F1092108D181A371451050758AAF51";
        let (_folder, path) = file(&format!(
            r#"{{"tokens": [{{"name": "ada", "role": "admin", "token": "{SECRET}"}},
                {{"name": "ci", "role": "read", "sha256": "{hex}"}}]}}"#
        ));
        let tokens = read(&path).unwrap();
        assert_eq!(tokens.bearer(SECRET), Some(Bearer { name: "ada".to_owned(), role: Role::Admin }));
        assert_eq!(tokens.bearer("another secret").unwrap().role, Role::Read);
        for wrong in ["", "x", &SECRET[1..], &format!("{SECRET}0"), hex, &"x".repeat(10_000)] {
            assert_eq!(tokens.bearer(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_that_stays_away_or_broken_revokes_every_token_until_it_is_whole_again() {
        for broken in [None, Some("{")] {
            let (_folder, path) = file(&one("ada", "read", SECRET));
            let tokens = read(&path).unwrap().with_grace(Duration::ZERO);
            assert!(tokens.bearer(SECRET).is_some());
            match broken {
                None => fs::remove_file(&path).unwrap(),
                Some(text) => fs::write(&path, text).unwrap(),
            }
            assert_eq!(tokens.bearer(SECRET), None, "{broken:?}");
            fs::write(&path, one("ada", "operate", SECRET)).unwrap();
            assert_eq!(tokens.bearer(SECRET).map(|bearer| bearer.role), Some(Role::Operate), "{broken:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_goes_away_is_noticed_while_nobody_asks() {
        let (_folder, path) = file(&one("ada", "read", SECRET));
        let tokens = Arc::new(read(&path).unwrap().with_grace(Duration::ZERO));
        let watching = tokio::spawn(Tokens::watch(Arc::downgrade(&tokens)));
        fs::remove_file(&path).unwrap();
        tokio::time::sleep(EVERY * 2).await;
        assert!(tokens.loaded.lock().unwrap().known.is_empty());
        drop(tokens);
        watching.await.unwrap();
    }

    #[test]
    fn the_grace_begins_when_the_file_was_last_seen_whole() {
        let (_folder, path) = file(&one("ada", "read", SECRET));
        let tokens = read(&path).unwrap();
        let seen = tokens.loaded.lock().unwrap().seen.checked_sub(GRACE).unwrap();
        tokens.loaded.lock().unwrap().seen = seen;
        fs::remove_file(&path).unwrap();
        assert_eq!(tokens.bearer(SECRET), None);
    }

    #[test]
    fn a_changed_file_is_read_anew_and_a_broken_one_changes_nothing_for_a_moment() {
        let (_folder, path) = file(&one("ada", "read", SECRET));
        let tokens = read(&path).unwrap();
        let newer = "another-secret-of-thirty-two-chars-or-more";
        fs::write(&path, one("ada", "operate", newer)).unwrap();
        assert_eq!((tokens.bearer(SECRET), tokens.bearer(newer).unwrap().role), (None, Role::Operate));
        fs::write(&path, "{").unwrap();
        assert!(tokens.bearer(newer).is_some());
        fs::remove_file(&path).unwrap();
        assert!(tokens.bearer(newer).is_some());
        fs::write(&path, one("ada", "read", SECRET)).unwrap();
        assert!(tokens.bearer(SECRET).is_some() && tokens.bearer(newer).is_none());
    }

    #[test]
    fn a_file_that_makes_no_sense_is_refused_without_telling_a_secret() {
        for (text, word) in [
            ("", "line 1"),
            ("{}", "line 1"),
            (r#"{"tokens": []}"#, "no tokens"),
            (&one("ada", "root", SECRET), "role"),
            (&one("ada", "read", "short"), "32"),
            (&one("ada", "read", "a secret with spaces in it, and long enough"), "visible"),
            (&one(" ", "read", SECRET), "no name"),
            (r#"{"tokens": [{"name": "ada", "role": "read"}]}"#, "either"),
            (r#"{"tokens": [{"name": "ada", "role": "read", "sha256": "12"}]}"#, "64"),
            (
                &format!(
                    r#"{{"tokens": [{{"name": "a", "role": "read", "token": "{SECRET}"}},
                        {{"name": "b", "role": "admin", "token": "{SECRET}"}}]}}"#
                ),
                "in common",
            ),
        ] {
            let (_folder, path) = file(text);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("tokens.json"), "{text}: {error}");
            assert!(!error.contains(SECRET) && !error.contains("short"), "{error}");
        }
        let missing = read(Path::new("no/such/tokens.json")).unwrap_err();
        assert!(matches!(missing, TokenError::Unreadable { .. }), "{missing}");
    }

    #[test]
    fn nothing_that_prints_tokens_prints_a_secret() {
        let (_folder, path) = file(&one("ada", "read", SECRET));
        let tokens = read(&path).unwrap();
        assert!(!format!("{tokens:?}").contains(SECRET));
    }
}
