//! Standard output and standard error, for all commands.
//!
//! `println!` panics when its reader is gone (`mizzen plan | head -1`) or the disk is full.
//! Everything that a command prints goes through here instead: a closed standard output ends the
//! command quietly, and what can't be written to standard error is dropped, as there is nowhere
//! left to report it.

use std::fmt::Display;
use std::io::{self, Write};

use serde_json::Value;

use crate::style::{FAINT, WRONG};

/// Why standard output could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// The reader has closed it.
    #[error("standard output is closed")]
    Closed,
    /// Anything else, such as a full disk.
    #[error("standard output can't be written")]
    Failed(#[source] io::Error),
}

/// Writes to standard output, without colours where it is not a terminal.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    let mut out = anstream::stdout().lock();
    write(&mut out).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => OutputError::Closed,
        _ => OutputError::Failed(error),
    })
}

/// Writes a text to standard output as it is.
pub(crate) fn text(text: &str) -> Result<(), OutputError> {
    print(|out| out.write_all(text.as_bytes()))
}

/// Writes a line to standard output.
pub(crate) fn line(line: impl Display) -> Result<(), OutputError> {
    print(|out| writeln!(out, "{line}"))
}

/// Writes an error to standard error.
pub(crate) fn error(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{WRONG}error{WRONG:#}: {message}");
}

/// Writes a warning to standard error.
pub(crate) fn warning(message: impl Display) {
    note("warning", message);
}

/// Writes a message that is not an error to standard error, after its category.
pub(crate) fn note(what: &str, message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{FAINT}{what}{FAINT:#}: {message}");
}

/// Writes a line to standard error as it is.
pub(crate) fn plain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A JSON value as YAML; JSON, which is YAML too, should that ever fail.
pub(crate) fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}"))
}
