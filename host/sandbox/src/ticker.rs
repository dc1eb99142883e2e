//! The thread that makes guests yield: it advances the engine's epoch while guests run, and sleeps while none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// The interval at which running guests yield: none keeps a thread from other tasks for longer.
const TICK: Duration = Duration::from_millis(5);

/// Ticks for as long as it lives.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Default)]
struct State {
    running: AtomicUsize,
    stopped: AtomicBool,
}

/// Keeps the ticker ticking until it is dropped.
pub(crate) struct Awake<'a>(&'a State);

impl Ticker {
    /// Starts a thread, as a runtime whose threads are all busy with guests could not tick.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let state = Arc::<State>::default();
        let ticking = Arc::clone(&state);
        let thread = thread::Builder::new().name("mizzen-ticker".into()).spawn(move || {
            while !ticking.stopped.load(Ordering::SeqCst) {
                if ticking.running.load(Ordering::SeqCst) == 0 {
                    // `wake` unparks this thread when it raises the number from zero, and an unpark
                    // before the park is not lost.
                    thread::park();
                } else {
                    thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { state, thread: thread.thread().clone() })
    }

    /// Makes it tick until the returned value is dropped.
    pub(crate) fn wake(&self) -> Awake<'_> {
        if self.state.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Awake(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_ends_with_the_ticker() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        let state = Arc::downgrade(&ticker.state);
        drop(ticker.wake());
        drop(ticker);
        while state.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
