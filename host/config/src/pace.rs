//! Paces: how many disruptions may be in progress, how many may start per minute, and when.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// The limits of disruptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many disruptions may be in progress; `None`: any number.
    pub at_once: Option<NonZeroUsize>,
    /// How many disruptions may start within any 60 seconds; `None`: any number.
    pub per_minute: Option<NonZeroUsize>,
    /// When disruptions may start; empty: at any time.
    pub windows: Vec<Window>,
    /// How long a disruption may take; after that it counts as timed out and its place is free
    /// again.
    pub progress_deadline: Duration,
}

/// For each day of the week, from Monday, whether it is included.
pub(crate) type Days = [bool; 7];

/// A part of the day, on some days of the week, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which it opens.
    days: Days,
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// The default progress deadline: the default of Kubernetes' own `progressDeadlineSeconds`.
pub(crate) const DEFAULT_PROGRESS_DEADLINE: Duration = Duration::from_mins(10);

/// Why a text is not a part of a window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WindowError {
    #[error("`{0}` is not a valid day; write `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, or e.g. `Mon-Fri`")]
    Day(String),
    #[error("`{0}` is not a valid time of day; write e.g. `22:00`")]
    Time(String),
}

// === impl Pace ===

impl Pace {
    /// The next time at which a disruption may start; `None`: now.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.windows.iter().map(|window| window.opens(now).unwrap_or(now)).min()?;
        (next > now).then_some(next)
    }
}

// === impl Window ===

impl Window {
    /// A window from `from` to `to` on these days; to the `to` of the next day if that is not later
    /// than `from`.
    pub(crate) fn new(days: Days, from: Time, to: Time, zone: TimeZone) -> Self {
        Self { days, from, to, zone }
    }

    /// The next time at which it opens; `None`: it is open.
    fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let here = now.to_zoned(self.zone.clone());
        // A window that opened yesterday may still be open; within a week each window opens once.
        let mut spans = (-1..=7).filter_map(|days| self.span(&here, days));
        let next = spans.find(|span| span.end > now).map_or(Timestamp::MAX, |span| span.start);
        (next > now).then_some(next)
    }

    /// The time for which it is open, if it opens so many days from now. A local time that the
    /// clocks skip is the time after the gap; a window that they skip as a whole does not open on
    /// that day.
    fn span(&self, now: &Zoned, days: i64) -> Option<Range<Timestamp>> {
        let date = now.date().checked_add(days.days()).ok()?;
        if !self.days[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        let at = |date: Date, time| Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp());
        let span = at(date, self.from)?..at(last, self.to)?;
        (span.start < span.end).then_some(span)
    }
}

/// Parses days such as `Sat` or `Fri-Mon`.
pub(crate) fn days(text: &str) -> Result<Days, WindowError> {
    let wrong = || WindowError::Day(text.to_owned());
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let day = |name: &str| names.iter().position(|own| own.eq_ignore_ascii_case(name.trim())).ok_or_else(wrong);
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let mut days = [false; 7];
    let length = (last + 7 - first) % 7;
    (0..=length).for_each(|at| days[(first + at) % 7] = true);
    Ok(days)
}

/// Parses a time of day such as `22:00`; `24:00` is the midnight at the end of the day.
pub(crate) fn time(text: &str) -> Result<Time, WindowError> {
    let wrong = || WindowError::Time(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |part: &str| match part.len() {
        2 if part.bytes().all(|digit| digit.is_ascii_digit()) => part.parse().ok(),
        _ => None,
    };
    match (number(hour), number(minute)) {
        (Some(24), Some(0)) => Ok(Time::midnight()),
        (Some(hour), Some(minute)) => Time::new(hour, minute, 0, 0).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn pace(days: &str, from: &str, to: &str, zone: &str) -> Pace {
        let zone = TimeZone::get(zone).unwrap();
        let window = Window::new(super::days(days).unwrap(), time(from).unwrap(), time(to).unwrap(), zone);
        Pace { at_once: None, per_minute: None, windows: vec![window], progress_deadline: DEFAULT_PROGRESS_DEADLINE }
    }

    #[test]
    fn a_window_that_crosses_midnight_belongs_to_the_day_on_which_it_opens() {
        // 2026-01-02 is a Friday.
        let nights = pace("Mon-Fri", "22:00", "04:00", "UTC");
        assert_eq!(nights.opens(at("2026-01-02T22:00:00Z")), None);
        assert_eq!(nights.opens(at("2026-01-03T03:59:59Z")), None);
        assert_eq!(nights.opens(at("2026-01-03T04:00:00Z")), Some(at("2026-01-05T22:00:00Z")));
        assert_eq!(nights.opens(at("2026-01-02T12:00:00Z")), Some(at("2026-01-02T22:00:00Z")));
    }

    #[test]
    fn a_window_follows_its_time_zone_in_summer_and_winter() {
        let berlin = pace("Mon-Sun", "02:00", "03:00", "Europe/Berlin");
        assert_eq!(berlin.opens(at("2026-01-10T00:30:00Z")), Some(at("2026-01-10T01:00:00Z")));
        assert_eq!(berlin.opens(at("2026-07-10T00:30:00Z")), None);
        // On 2026-03-29 there is no 02:00 in Berlin: the start of the window moves by the skipped
        // hour, past its end.
        assert_eq!(berlin.opens(at("2026-03-29T00:59:00Z")), Some(at("2026-03-30T00:00:00Z")));
    }

    #[test]
    fn the_first_of_several_windows_counts_and_without_windows_it_is_always_open() {
        let mut both = pace("Sat", "00:00", "24:00", "UTC");
        both.windows.extend(pace("Wed", "10:00", "11:00", "UTC").windows);
        assert_eq!(both.opens(at("2026-01-02T12:00:00Z")), Some(at("2026-01-03T00:00:00Z")));
        assert_eq!(both.opens(at("2026-01-04T00:00:00Z")), Some(at("2026-01-07T10:00:00Z")));
        assert_eq!(Pace { windows: Vec::new(), ..both }.opens(at("2026-01-04T00:00:00Z")), None);
    }

    #[test]
    fn days_and_times_are_parsed_and_an_invalid_one_says_how_to_write_it() {
        assert_eq!(days("Sat-Mon"), Ok([true, false, false, false, false, true, true]));
        assert_eq!(days("sun").unwrap().iter().filter(|day| **day).count(), 1);
        for bad in ["", "Monday", "Mon-", "Mon,Tue"] {
            assert!(days(bad).unwrap_err().to_string().contains("`Mon-Fri`"), "{bad}");
        }
        for bad in ["", "22", "22:60", "25:00", "24:01", "2:00", "-1:00", "22:00:00"] {
            assert!(time(bad).unwrap_err().to_string().contains("`22:00`"), "{bad}");
        }
    }
}
