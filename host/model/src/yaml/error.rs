//! Why YAML can't be read.

use std::fmt;
use std::path::PathBuf;

/// Why a file or folder of YAML can't be read.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The file or folder can't be read.
    #[error("{}: {source}", .file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not encoded in UTF-8.
    #[error("{}: is {encoding}; save it as UTF-8", .file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
        /// How it is encoded instead.
        encoding: Encoding,
    },
    /// The file is not valid YAML.
    #[error("{}:{line}: {error}", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        error: SyntaxError,
    },
}

/// The encoding of a file that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-16, as some editors and shells on Windows write it.
    Utf16,
    /// Anything else.
    Unknown,
}

/// What is wrong with a text of YAML, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// A mapping has a key twice.
    #[error("key `{key}`{} is a duplicate; remove one of the two", of_mapping(.mapping))]
    DuplicateKey {
        /// The key.
        key: String,
        /// The path of the mapping; empty: the document itself.
        mapping: String,
    },
    /// A key is a mapping, a list, null, or a number with a fraction.
    #[error("a key{} is not a text; quote it", of_mapping(.0))]
    Key(String),
    /// A scalar has no value in JSON.
    #[error("`{}` is `{text}`, which {reason}", field_or_document(.field))]
    Scalar {
        /// The path of the scalar.
        field: String,
        /// Its text.
        text: String,
        /// What is wrong with it, and the way out.
        reason: String,
    },
    /// `<<` names something else than mappings.
    #[error("`<<`{} is not a mapping or a list of mappings", of_mapping(.0))]
    Merge(String),
    /// A merge sets a key that stands above it: the key wins in YAML, the merge with kubectl.
    #[error(
        "`<<`{} also has the key `{key}`, which stands above it, and tools differ in which one counts; move `<<` to \
         the top",
        of_mapping(.mapping)
    )]
    LateMerge {
        /// The key.
        key: String,
        /// The path of the mapping.
        mapping: String,
    },
    /// An alias stands within its own anchor.
    #[error("an alias stands within its own anchor")]
    AliasOfItself,
    /// The aliases would make the document very large.
    #[error("its aliases repeat too much; write the values out, or remove some")]
    TooManyAliases,
    /// Mappings and lists are nested too deep.
    #[error("is nested too deep")]
    TooDeep,
    /// A document ends with `...`, and another one follows.
    #[error("a document starts without `---`, and kubectl would ignore it; write `---` above it")]
    SecondDocument,
    /// Anything else, in the parser's words.
    #[error("{0}")]
    Other(String),
}

/// An error with its line in the text of a document, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) line: usize,
    pub(super) error: SyntaxError,
}

fn of_mapping(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in `{path}`") }
}

fn field_or_document(field: &str) -> &str {
    if field.is_empty() { "the document" } else { field }
}

// === impl Encoding ===

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf16 => "encoded in UTF-16",
            Self::Unknown => "not valid UTF-8",
        })
    }
}
