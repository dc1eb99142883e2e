//! A renderer's time: it stands still, and advances only when the renderer waits.
//!
//! A pure function returns the same whenever it is called, so it must not see the host's time. Code that sleeps still
//! ends: waiting advances this clock, at once and by exactly the time waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::{Caller, Extern, Linker};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::limits::SUBSCRIPTIONS;

/// The wall clock at the beginning of every rendering: 2020-01-01T00:00:00Z, as time since the Unix epoch.
const BEGINNING: Duration = Duration::from_hours(18_262 * 24);

/// The monotonic clock at that time, in nanoseconds: as of a machine that was just started. Not zero, which some guests
/// take for a missing clock (Go's runtime ends then).
const STARTED: u64 = 1_000_000_000;

/// Errors of WASI preview 1.
const SUCCESS: i32 = 0;
const FAULT: i32 = 21;
const INVALID: i32 = 28;

/// The time of one rendering, in nanoseconds since it began.
#[derive(Clone, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

/// An event that a guest waits for.
struct Subscription {
    userdata: [u8; 8],
    /// 0: a clock, 1: reading, 2: writing.
    kind: u8,
    /// The time of a clock that it waits for, in nanoseconds since the beginning.
    due: u64,
}

impl Clock {
    fn elapsed(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn reach(&self, due: u64) {
        self.0.fetch_max(due, Ordering::Relaxed);
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        BEGINNING + Duration::from_nanos(self.elapsed())
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        STARTED.saturating_add(self.elapsed())
    }
}

/// Replaces the `poll_oneoff` that waits. Standard input and output are in memory, so they are always ready.
pub(super) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    clock: impl Fn(&T) -> &Clock + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "poll_oneoff",
        move |mut caller: Caller<'_, T>, subscriptions: u32, events: u32, count: u32, happened: u32| {
            let clock = clock(caller.data()).clone();
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return INVALID };
            poll(&clock, memory.data_mut(&mut caller), Arguments { subscriptions, events, count, happened })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The arguments of `poll_oneoff`: addresses in the guest's memory, and the number of its subscriptions.
#[derive(Clone, Copy)]
struct Arguments {
    subscriptions: u32,
    events: u32,
    count: u32,
    /// Where the number of events is written.
    happened: u32,
}

/// Carries out `poll_oneoff` on a guest's memory, and advances the clock to the first event. Returns WASI's error code.
fn poll(clock: &Clock, memory: &mut [u8], Arguments { subscriptions, events, count, happened }: Arguments) -> i32 {
    if count == 0 || count > SUBSCRIPTIONS {
        return INVALID;
    }
    let mut waiting = Vec::new();
    for at in 0..count {
        let Some(bytes) = slice(memory, subscriptions, at, 48) else { return FAULT };
        let Some(subscription) = Subscription::read(bytes, clock) else { return INVALID };
        waiting.push(subscription);
    }
    let any_file = waiting.iter().any(|subscription| subscription.kind != 0);
    if !any_file && let Some(first) = waiting.iter().map(|subscription| subscription.due).min() {
        clock.reach(first);
    }
    let now = clock.elapsed();
    let ready = waiting.iter().filter(|subscription| subscription.kind != 0 || subscription.due <= now);
    let mut number = 0_u32;
    for subscription in ready {
        let Some(event) = slice(memory, events, number, 32) else { return FAULT };
        event.fill(0);
        event[..8].copy_from_slice(&subscription.userdata);
        event[10] = subscription.kind;
        // Bytes that can be read or written.
        event[16] = u8::from(subscription.kind != 0);
        number += 1;
    }
    let Some(written) = slice(memory, happened, 0, 4) else { return FAULT };
    written.copy_from_slice(&number.to_le_bytes());
    SUCCESS
}

/// Returns the record at an index of an array in the guest's memory.
fn slice(memory: &mut [u8], start: u32, at: u32, size: usize) -> Option<&mut [u8]> {
    let from = usize::try_from(start).ok()?.checked_add(usize::try_from(at).ok()?.checked_mul(size)?)?;
    memory.get_mut(from..from.checked_add(size)?)
}

impl Subscription {
    fn read(bytes: &[u8], clock: &Clock) -> Option<Self> {
        let userdata = bytes.get(..8)?.try_into().ok()?;
        let kind = *bytes.get(8)?;
        let mut due = 0;
        if kind == 0 {
            let id = u32::from_le_bytes(bytes.get(16..20)?.try_into().ok()?);
            let timeout = u64::from_le_bytes(bytes.get(24..32)?.try_into().ok()?);
            let absolute = bytes.get(40)? & 1 == 1;
            let beginning = u64::try_from(BEGINNING.as_nanos()).ok()?;
            due = match (id, absolute) {
                // The wall clock, and the monotonic one.
                (0, true) => timeout.saturating_sub(beginning),
                (1, true) => timeout.saturating_sub(STARTED),
                (0 | 1, false) => clock.elapsed().saturating_add(timeout),
                _ => return None,
            };
        }
        (kind <= 2).then_some(Self { userdata, kind, due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses of a test's events, and of their number.
    const EVENTS: u32 = 1_000;
    const HAPPENED: u32 = 2_000;

    /// Whether a timeout is a point in time or a time from now.
    #[derive(Clone, Copy)]
    enum Timeout {
        At(u64),
        In(u64),
    }

    fn subscribe(memory: &mut [u8], at: usize, kind: u8, id: u8, timeout: Timeout) {
        let (timeout, absolute) = match timeout {
            Timeout::At(time) => (time, true),
            Timeout::In(time) => (time, false),
        };
        let bytes = &mut memory[at * 48..(at + 1) * 48];
        bytes[0] = u8::try_from(at).unwrap();
        bytes[8] = kind;
        bytes[16] = id;
        bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
        bytes[40] = u8::from(absolute);
    }

    fn arguments(subscriptions: u32, count: u32, happened: u32) -> Arguments {
        Arguments { subscriptions, events: EVENTS, count, happened }
    }

    /// Returns the user data of each event.
    fn polled(clock: &Clock, memory: &mut [u8], count: u32) -> Vec<u8> {
        assert_eq!(poll(clock, memory, arguments(0, count, HAPPENED)), SUCCESS);
        let events = u32::from_le_bytes(memory[HAPPENED as usize..HAPPENED as usize + 4].try_into().unwrap());
        (0..events as usize).map(|at| memory[EVENTS as usize + at * 32]).collect()
    }

    #[test]
    fn only_waiting_advances_the_clock_by_exactly_the_time_waited_for() {
        let (clock, mut memory) = (Clock::default(), vec![0; 4096]);
        assert_eq!((HostWallClock::now(&clock), HostWallClock::now(&clock)), (BEGINNING, BEGINNING));
        subscribe(&mut memory, 0, 0, 1, Timeout::In(5_000));
        subscribe(&mut memory, 1, 0, 1, Timeout::In(3_000));
        assert_eq!(polled(&clock, &mut memory, 2), [1]);
        assert_eq!(HostMonotonicClock::now(&clock), STARTED + 3_000);
        assert_eq!(HostWallClock::now(&clock), BEGINNING + Duration::from_micros(3));
    }

    #[test]
    fn a_guest_can_wait_for_a_point_in_time_on_either_clock() {
        let (clock, mut memory) = (Clock::default(), vec![0; 4096]);
        let wall = u64::try_from(BEGINNING.as_nanos()).unwrap() + 7_000;
        subscribe(&mut memory, 0, 0, 0, Timeout::At(wall));
        subscribe(&mut memory, 1, 0, 1, Timeout::At(STARTED + 7_000));
        assert_eq!(polled(&clock, &mut memory, 2), [0, 1]);
        assert_eq!(HostMonotonicClock::now(&clock), STARTED + 7_000);
    }

    #[test]
    fn a_file_is_ready_at_once_and_does_not_advance_the_clock() {
        let (clock, mut memory) = (Clock::default(), vec![0; 4096]);
        subscribe(&mut memory, 0, 0, 1, Timeout::In(5_000));
        subscribe(&mut memory, 1, 1, 0, Timeout::In(0));
        assert_eq!(polled(&clock, &mut memory, 2), [1]);
        assert_eq!(HostMonotonicClock::now(&clock), STARTED);
    }

    #[test]
    fn invalid_subscriptions_and_addresses_are_errors_of_wasi() {
        let (clock, mut memory) = (Clock::default(), vec![0; 4096]);
        let mut wrong = |arguments| poll(&clock, &mut memory, arguments);
        assert_eq!(wrong(arguments(0, 0, HAPPENED)), INVALID);
        assert_eq!(wrong(arguments(0, u32::MAX, HAPPENED)), INVALID);
        assert_eq!(wrong(arguments(u32::MAX, 1, HAPPENED)), FAULT);
        assert_eq!(wrong(arguments(0, 1, 4095)), FAULT);
        subscribe(&mut memory, 0, 9, 0, Timeout::In(0));
        assert_eq!(poll(&clock, &mut memory, arguments(0, 1, HAPPENED)), INVALID);
    }
}
