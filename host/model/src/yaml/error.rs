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
    #[error("key `{0}` is a duplicate; remove one of the two")]
    DuplicateKey(String),
    /// Anything else, in the parser's words.
    #[error("{0}")]
    Other(String),
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

// === impl SyntaxError ===

impl SyntaxError {
    /// The error without its place: the parser counts lines from the start of the document, not of the file.
    pub(super) fn without_place(error: &serde_saphyr::Error) -> Self {
        match (Self::of(error), error.location()) {
            (Self::Other(message), Some(at)) => {
                let place = format!(" at line {}, column {}", at.line(), at.column());
                Self::Other(message.strip_suffix(&place).unwrap_or(&message).to_owned())
            }
            (error, _) => error,
        }
    }

    /// The error of a whole text.
    pub(super) fn of(error: &serde_saphyr::Error) -> Self {
        if let serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } = error.without_snippet() {
            return Self::DuplicateKey(key.clone());
        }
        // For users: without advice on the parser's options, and in one line.
        let message = error.render_with_options(serde_saphyr::render_options! {
            formatter: &serde_saphyr::UserMessageFormatter,
            snippets: serde_saphyr::SnippetMode::Off,
        });
        Self::Other(message.lines().next().unwrap_or_default().to_owned())
    }
}
