//! A line that says why it takes a while, where somebody looks on: compiling a component for the first time takes seconds.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long nothing is said: a component that was compiled before is there at once.
const SOON: Duration = Duration::from_millis(200);

/// Waits for a component, and says so on standard error while it takes longer than a moment. Nothing is said where that is no terminal.
pub(crate) async fn while_loading<T>(file: &Path, loading: impl Future<Output = T>) -> T {
    let mut terminal = std::io::stderr();
    let shown = terminal.is_terminal();
    watched(file, loading, &mut terminal, shown).await
}

async fn watched<T>(file: &Path, loading: impl Future<Output = T>, out: &mut impl Write, shown: bool) -> T {
    let mut loading = std::pin::pin!(loading);
    if let Ok(loaded) = tokio::time::timeout(SOON, &mut loading).await {
        return loaded;
    }
    // Nobody is worse off when it can't be said.
    if shown {
        let _ = write!(out, "compiling {}: once, a few seconds …", file.display());
        let _ = out.flush();
    }
    let loaded = loading.await;
    if shown {
        let _ = write!(out, "\r\x1b[K");
        let _ = out.flush();
    }
    loaded
}

/// Waits for something that takes a minute; on a terminal, one line tells for what, and since when. The line is gone afterwards.
pub(crate) async fn while_waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let (since, mut ticks) = (Instant::now(), tokio::time::interval(SOON));
    loop {
        let line = tokio::select! {
            done = &mut work => {
                let _ = write!(terminal, "\r\x1b[K");
                return done;
            }
            _ = ticks.tick() => format!("\r\x1b[K{what} … {} s", since.elapsed().as_secs()),
        };
        let _ = write!(terminal, "{line}").and_then(|()| terminal.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(takes: Duration, shown: bool) -> String {
        let mut out = Vec::new();
        watched(Path::new("a.wasm"), tokio::time::sleep(takes), &mut out, shown).await;
        String::from_utf8(out).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_looks_on_is_told_what_takes_long_and_the_line_goes_again() {
        let said = said(SOON * 2, true).await;
        assert!(said.starts_with("compiling a.wasm") && said.ends_with("\r\x1b[K"), "{said:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_of_what_is_there_at_once_or_where_nobody_looks_on() {
        assert_eq!((said(SOON / 2, true).await, said(SOON * 2, false).await), (String::new(), String::new()));
    }
}
