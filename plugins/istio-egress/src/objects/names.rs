//! The objects' names, short enough for every label that is derived from them.

use std::fmt;

use mizzen_sdk::names::is_label;

/// The start of objects' names: the name of their owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

/// The end of objects' names: the part of the owner's endpoints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part(Ending);

/// How a part is separated from the prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// One of a few words of letters: by `-`, as in Dynatrace's operator.
    Word(String),
    /// A label chosen by a user: by `.`, which no label contains. With `-`, `db-2` would also be
    /// the second entry of `db`.
    Label(String),
}

/// Why a text can't be part of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` can't be part of an object's name: write up to {most} characters, lower case letters, digits and `-`"
)]
pub struct NameError {
    name: String,
    most: usize,
}

/// With longer names, a label of a host that is derived from them could be longer than DNS allows.
const MOST: usize = 40;

// === impl Prefix ===

impl Prefix {
    /// Checks an object's name of up to 40 characters.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let fits = name.len() <= MOST && name.split('.').all(is_label);
        if fits { Ok(Self(name.into())) } else { Err(NameError { name: name.into(), most: MOST }) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Part ===

impl Part {
    /// Checks a label of up to 40 characters.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let fits = name.len() <= MOST && is_label(name);
        if fits { Ok(Self(Ending::Label(name.into()))) } else { Err(NameError { name: name.into(), most: MOST }) }
    }

    /// Checks a word of up to 40 lower case letters, e.g. `oneagent`.
    pub fn word(name: &str) -> Result<Self, NameError> {
        let fits = (1..=MOST).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase());
        if fits { Ok(Self(Ending::Word(name.into()))) } else { Err(NameError { name: name.into(), most: MOST }) }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Ending::Word(name) | Ending::Label(name)) = &self.0;
        f.write_str(name)
    }
}

/// The name of an entry of a form, counted from 0. It determines its components, so no two entries
/// of a prefix share a name.
pub(super) fn of(prefix: &Prefix, part: Option<&Part>, form: &str, at: usize) -> String {
    let number = if at == 0 { String::new() } else { format!("-{}", at + 1) };
    match part.map(|part| &part.0) {
        None => format!("{prefix}-{form}{number}"),
        Some(Ending::Word(part)) => format!("{prefix}-{form}-{part}{number}"),
        Some(Ending::Label(part)) => format!("{prefix}-{form}{number}.{part}"),
    }
}

/// A unique host, which no DNS ever resolves (RFC 2606).
pub(super) fn synthetic(namespace: &str, prefix: &Prefix, part: Option<&Part>, at: usize) -> String {
    let part = part.map(|part| format!("-{part}")).unwrap_or_default();
    let number = if at == 0 { String::new() } else { format!("{}.", at + 1) };
    format!("{number}ip{part}.{prefix}.{namespace}.mizzen.invalid")
}
