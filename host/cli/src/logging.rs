//! Log lines, on standard error.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging. `filter` as in `info,mizzen_engine=debug`.
///
/// # Errors
/// When the filter makes no sense.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter: EnvFilter =
        filter.parse().with_context(|| format!("`--log {filter}`: write e.g. `info,mizzen_engine=debug`"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text => {
            let terminal =
                std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(terminal).with_target(false).init();
        }
    }
    Ok(())
}
