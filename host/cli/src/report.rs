//! How an error ends a command: one line for each, on standard error, and an exit code.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use crate::terminal::{self, OutputError};

/// The exit code when the reader of standard output is gone: what a shell reports of a program that
/// `SIGPIPE` ended.
const CLOSED: u8 = 128 + 13;

/// Several errors, each of which is a line of its own.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(crate) struct Errors(Vec<String>);

// === impl Errors ===

impl Errors {
    pub(crate) fn of(errors: impl IntoIterator<Item: Display>) -> Self {
        Self(errors.into_iter().map(|error| error.to_string()).collect())
    }

    /// Fails with these errors unless there are none.
    pub(crate) fn check(errors: impl IntoIterator<Item: Display>) -> Result<(), Self> {
        let errors = Self::of(errors);
        if errors.0.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Reports why a command failed.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(OutputError::Closed) = error.downcast_ref() {
        return ExitCode::from(CLOSED);
    }
    lines(error).iter().for_each(terminal::error);
    ExitCode::FAILURE
}

/// Each error in a line of its own.
pub(crate) fn lines(error: &anyhow::Error) -> Vec<String> {
    match error.downcast_ref() {
        Some(Errors(errors)) => errors.clone(),
        None => vec![chain(&**error)],
    }
}

/// An error and what caused it, in one line. Some libraries repeat the cause in their own message,
/// and some contexts are repeated in the cause: each is kept once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut messages = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        next = error.source();
        let cause = error.to_string();
        match messages.last() {
            Some(last) if last.ends_with(&cause) => continue,
            Some(last) if cause.starts_with(last.as_str()) => drop(messages.pop()),
            _ => {}
        }
        messages.push(cause);
    }
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn chained(error: &anyhow::Error) -> String {
        chain(&**error)
    }

    #[test]
    fn a_cause_that_its_error_repeats_is_reported_once() {
        let file = "a.wasm: No such file or directory (os error 2)";
        let error = anyhow!("No such file or directory (os error 2)").context(file).context("a.wasm");
        assert_eq!(chained(&error), file);
    }

    #[test]
    fn an_error_is_reported_with_all_of_its_causes() {
        assert_eq!(
            chained(&anyhow!("refused").context("no connection").context("start")),
            "start: no connection: refused"
        );
    }
}
