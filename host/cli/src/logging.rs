//! Log lines, on standard error.

use std::io::{self, IsTerminal};

use anyhow::Context as _;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            without_bodies(lines.finish()).init();
        }
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            without_bodies(lines.with_ansi(colours).with_target(false).finish()).init();
        }
    }
    Ok(())
}

/// Silences kube's client, whatever the filter says: it logs whole response bodies that it can't
/// parse, which may be Secrets. `mizzen_live` reports failed requests.
fn without_bodies<S: Subscriber>(lines: S) -> impl Subscriber {
    lines.with(filter_fn(|line| !line.target().starts_with("kube_client")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn response_bodies_are_not_logged_whatever_the_filter_says() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let lines = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("info,kube_client=trace,kube_client::client=trace"))
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(without_bodies(lines.finish()), || {
            tracing::warn!(target: "kube_client::client", "password of a Secret");
            tracing::warn!(target: "kube_client", "password of a Secret");
            tracing::info!("another line");
        });
        let text = String::from_utf8_lossy(&buffer.0.lock()).into_owned();
        assert!(text.contains("another line"), "{text}");
        assert!(!text.contains("password"), "{text}");
    }
}
