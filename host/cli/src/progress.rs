//! A line on the terminal while something takes long: compiling a component for the first time
//! takes seconds.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long nothing is shown: a component that was compiled before is loaded within this time.
const SOON: Duration = Duration::from_millis(200);

/// Returns the cursor to the start of the line and clears the line.
const CLEAR: &str = "\r\x1b[K";

/// Whether there is a terminal to show progress on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    Present,
    Absent,
}

/// Waits for a component. On a terminal, a line says so when it takes longer than a moment.
pub(crate) async fn while_loading<T>(file: &Path, loading: impl Future<Output = T>) -> T {
    let mut out = io::stderr();
    let terminal = if out.is_terminal() { Terminal::Present } else { Terminal::Absent };
    watched(file, loading, &mut out, terminal).await
}

async fn watched<T>(file: &Path, loading: impl Future<Output = T>, out: &mut impl Write, terminal: Terminal) -> T {
    let mut loading = std::pin::pin!(loading);
    if let Ok(loaded) = tokio::time::timeout(SOON, &mut loading).await {
        return loaded;
    }
    if terminal == Terminal::Absent {
        return loading.await;
    }
    // Progress that can't be shown is no reason to fail.
    let _ = write!(out, "compiling {}: once, a few seconds …", file.display()).and_then(|()| out.flush());
    let loaded = loading.await;
    let _ = write!(out, "{CLEAR}").and_then(|()| out.flush());
    loaded
}

/// Waits for something that takes minutes. On a terminal, a line shows what it is and how long it
/// has taken; the line is cleared afterwards.
pub(crate) async fn while_waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut out = io::stderr();
    if !out.is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let (since, mut ticks) = (Instant::now(), tokio::time::interval(SOON));
    loop {
        let line = tokio::select! {
            done = &mut work => {
                let _ = write!(out, "{CLEAR}");
                return done;
            }
            _ = ticks.tick() => format!("{CLEAR}{what} … {} s", since.elapsed().as_secs()),
        };
        let _ = write!(out, "{line}").and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(takes: Duration, terminal: Terminal) -> String {
        let mut out = Vec::new();
        watched(Path::new("a.wasm"), tokio::time::sleep(takes), &mut out, terminal).await;
        String::from_utf8(out).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_shows_what_takes_long_and_the_line_is_cleared() {
        let shown = shown(SOON * 2, Terminal::Present).await;
        assert!(shown.starts_with("compiling a.wasm") && shown.ends_with(CLEAR), "{shown:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_shown_for_what_loads_at_once_or_without_a_terminal() {
        let quick = shown(SOON / 2, Terminal::Present).await;
        assert_eq!((quick, shown(SOON * 2, Terminal::Absent).await), (String::new(), String::new()));
    }
}
