//! What a guest finds in its WASI.

use async_trait::async_trait;
use mizzen_config::Limits;
use mizzen_model::{AccessError, Kind, Object, ObjectRef, Query};
use parking_lot::Mutex;
use wasmtime_wasi::HostMonotonicClock;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::filesystem::WasiFilesystemView as _;
use wasmtime_wasi::p2::OutputStream as _;
use wasmtime_wasi::p2::bindings::clocks::wall_clock;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::random::random;
use wasmtime_wasi::p2::bindings::sockets::network::IpAddressFamily;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::sockets::WasiSocketsView as _;

use wasmtime_wasi::WasiView as _;

use super::*;
use crate::guest::Guest;
use crate::limits::{LOG_LINE, LOG_LINES, STDERR};
use crate::lines::Lines;

/// The time of every call, in milliseconds since the Unix epoch.
const NOW: u64 = 1_700_000_000_123;

/// Records lines, and how often the time was read.
#[derive(Default)]
struct Recorder {
    lines: Mutex<Vec<(Level, String)>>,
    times: Mutex<u32>,
}

#[async_trait]
impl Reads for Recorder {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        Ok(None)
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        Ok(Vec::new())
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        Ok(0)
    }
    async fn serves(&self, _: &Kind) -> Result<bool, AccessError> {
        Ok(true)
    }
    fn now(&self) -> u64 {
        *self.times.lock() += 1;
        NOW
    }
    fn log(&self, level: Level, message: &str, _: &[(String, String)]) {
        self.lines.lock().push((level, message.to_owned()));
    }
}

fn guest(request: &str) -> (Guest, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (Guest::new(recorder.clone(), Limits::default(), Digest::of(request.as_bytes())), recorder)
}

fn random_bytes(guest: &mut Guest) -> Vec<u8> {
    random::Host::get_random_bytes(guest.ctx().ctx.random(), 32).unwrap()
}

#[test]
fn the_same_request_finds_the_same_randomness_and_another_one_does_not() {
    assert_eq!(random_bytes(&mut guest("a").0), random_bytes(&mut guest("a").0));
    assert_ne!(random_bytes(&mut guest("a").0), random_bytes(&mut guest("b").0));
    assert!(random::Host::get_random_bytes(guest("a").0.ctx().ctx.random(), 1 << 30).is_err());
}

#[test]
fn the_wall_clock_is_the_contracts_and_recorded_only_when_it_is_read() {
    let (mut guest, recorder) = guest("a");
    random_bytes(&mut guest);
    HostMonotonicClock::now(&guest.wasi.get().clock);
    assert_eq!(*recorder.times.lock(), 0);
    let now = wall_clock::Host::now(&mut guest.clocks()).unwrap();
    assert_eq!((now.seconds, now.nanoseconds / 1_000_000), (NOW / 1_000, 123));
    assert_eq!(*recorder.times.lock(), 1);
}

#[tokio::test]
async fn waiting_for_a_day_takes_no_time_and_advances_both_clocks() {
    let (mut guest, _) = guest("a");
    let day = 24 * 3_600 * 1_000_000_000;
    let before = HostMonotonicClock::now(&guest.wasi.get().clock);
    clocks::wait(&guest.wasi.get().clock, day).await;
    assert!(HostMonotonicClock::now(&guest.wasi.get().clock) - before >= day);
    assert!(wall_clock::Host::now(&mut guest.clocks()).unwrap().seconds >= NOW / 1_000 + 24 * 3_600);
}

#[test]
fn there_are_no_files_and_sockets_are_refused_without_a_trap() {
    let (mut guest, _) = guest("a");
    assert!(preopens::Host::get_directories(&mut guest.filesystem()).unwrap().is_empty());
    let refused = tcp_create_socket::Host::create_tcp_socket(&mut guest.sockets(), IpAddressFamily::Ipv4);
    let error = refused.err().unwrap();
    assert!(format!("{error:?}").contains("access-denied"), "{error:?}");
}

#[test]
fn standard_streams_become_bounded_log_lines() {
    let recorder = Arc::new(Recorder::default());
    let lines = Lines::new(recorder.clone());
    let mut stdout = Stream::new(Level::Info, lines.clone());
    for part in ["hel", "lo\r\nwor", "ld\n\n"] {
        assert!(stdout.write(part.into()).is_ok());
    }
    assert!(stdout.write("x".repeat(1 << 20).into()).is_ok());
    drop(stdout);
    let logged = std::mem::take(&mut *recorder.lines.lock());
    assert_eq!(logged[..2], [(Level::Info, "hello".to_owned()), (Level::Info, "world".to_owned())]);
    assert_eq!((logged.len(), logged[2].1.len()), (3, LOG_LINE));
    assert!(lines.last_words().is_none());
}

#[test]
fn a_flood_on_standard_error_is_bounded_and_its_end_is_kept() {
    let recorder = Arc::new(Recorder::default());
    let lines = Lines::new(recorder.clone());
    let mut stderr = Stream::new(Level::Warn, lines.clone());
    for _ in 0..1_000 {
        assert!(stderr.write("noise\n".repeat(1_000).into()).is_ok());
    }
    let traceback = "Traceback (most recent call last):\n  File \"app.py\", line 10, in reconcile\nKeyError: 'spec'\n";
    assert!(stderr.write(traceback.into()).is_ok());
    let words = lines.last_words().unwrap().to_string();
    assert!(words.ends_with("File \"app.py\", line 10, in reconcile | KeyError: 'spec'"), "{words}");
    assert!(words.len() < STDERR + 100, "{words}");
    assert_eq!(recorder.lines.lock().len(), LOG_LINES as usize + 1);
}

#[test]
fn a_guest_that_writes_byte_by_byte_is_quoted_whole() {
    let lines = Lines::new(Arc::new(Recorder::default()));
    let mut stderr = Stream::new(Level::Warn, lines.clone());
    for byte in b"panic: no team\n" {
        assert!(stderr.write(vec![*byte].into()).is_ok());
    }
    assert_eq!(lines.last_words().unwrap().to_string(), "after it wrote: panic: no team");
}

#[test]
fn what_a_runtime_adds_to_a_traceback_does_not_hide_the_exception() {
    let lines = Lines::new(Arc::new(Recorder::default()));
    let mut stderr = Stream::new(Level::Warn, lines.clone());
    assert!(stderr.write("a line\n".repeat(20).into()).is_ok());
    let written = "Traceback (most recent call last):\n  File \"/0/app.py\", line 29, in reconcile\nKeyError: 'nope'\n\
        thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1293:29:\nPython function threw an unexpected exception\n\
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
    assert!(stderr.write(written.into()).is_ok());
    let words = lines.last_words().unwrap().to_string();
    assert!(words.contains("File \"/0/app.py\", line 29, in reconcile | KeyError: 'nope' | "), "{words}");
}
