//! Log lines, on standard error.

use std::io::{self, IsTerminal};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging with a filter such as `info,mizzen_engine=debug`.
///
/// # Errors
/// The filter is invalid.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter: EnvFilter =
        filter.parse().with_context(|| format!("`--log {filter}`: write e.g. `info,mizzen_engine=debug`"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(colours).with_target(false).init();
        }
    }
    Ok(())
}
