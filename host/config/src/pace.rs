//! How fast a reconciler may disrupt what others own: how many at once, how many in a minute, and when.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// How fast something that disrupts may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many may be under way at once; `None`: any number.
    pub at_once: Option<NonZeroUsize>,
    /// How many may begin within any 60 seconds; `None`: any number.
    pub per_minute: Option<NonZeroUsize>,
    /// When they may begin; empty: at any time.
    pub windows: Vec<Window>,
    /// How long a disruption may take; after that it counts as timed out and its place is free again.
    pub progress_deadline: Duration,
}

/// A part of the day, on some days of the week, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which it begins, from Monday.
    days: [bool; 7],
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// The progress deadline of a pace that names none: Kubernetes' own `progressDeadlineSeconds`.
pub(crate) const PROGRESS_DEADLINE: Duration = Duration::from_mins(10);

// === impl Pace ===

impl Pace {
    /// When something may next begin; `None`: now.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.windows.iter().map(|window| window.opens(now).unwrap_or(now)).min()?;
        (next > now).then_some(next)
    }
}

// === impl Window ===

impl Window {
    /// A window from `from` to `to` on the days (from Monday) that are so marked; where `to` is not later, to the next day's.
    pub(crate) fn new(days: [bool; 7], from: Time, to: Time, zone: TimeZone) -> Self {
        Self { days, from, to, zone }
    }

    /// When it next opens; `None`: it is open.
    fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let here = now.to_zoned(self.zone.clone());
        // One that began yesterday may still be open; a week from now each has begun once.
        let mut begins = (-1..=7).filter_map(|days| self.begins(&here, days));
        let next = begins.find(|(_, end)| *end > now).map_or(Timestamp::MAX, |(begin, _)| begin);
        (next > now).then_some(next)
    }

    /// From when to when it is open, if it begins so many days from now. A time that the clocks skip is
    /// the one after the gap; a window that they skip as a whole is not open on that day.
    fn begins(&self, now: &Zoned, days: i64) -> Option<(Timestamp, Timestamp)> {
        let date = now.date().checked_add(days.days()).ok()?;
        if !self.days[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        let at = |date: Date, time| Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp());
        let (begin, end) = (at(date, self.from)?, at(last, self.to)?);
        (begin < end).then_some((begin, end))
    }
}

/// The days that a text such as `Sat` or `Fri-Mon` names.
pub(crate) fn days(text: &str) -> Result<[bool; 7], String> {
    let wrong =
        || format!("`{text}` is no day; write `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, or e.g. `Mon-Fri`");
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

/// A time of day such as `22:00`; `24:00` is the midnight at the day's end.
pub(crate) fn time(text: &str) -> Result<Time, String> {
    let wrong = || format!("`{text}` is no time of day; write e.g. `22:00`");
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
        Pace { at_once: None, per_minute: None, windows: vec![window], progress_deadline: PROGRESS_DEADLINE }
    }

    #[test]
    fn a_window_that_crosses_midnight_belongs_to_the_day_on_which_it_begins() {
        // 2026-01-02 is a Friday.
        let nights = pace("Mon-Fri", "22:00", "04:00", "UTC");
        assert_eq!(nights.opens(at("2026-01-02T22:00:00Z")), None);
        assert_eq!(nights.opens(at("2026-01-03T03:59:59Z")), None);
        assert_eq!(nights.opens(at("2026-01-03T04:00:00Z")), Some(at("2026-01-05T22:00:00Z")));
        assert_eq!(nights.opens(at("2026-01-02T12:00:00Z")), Some(at("2026-01-02T22:00:00Z")));
    }

    #[test]
    fn a_window_is_in_its_time_zone_summer_and_winter() {
        let berlin = pace("Mon-Sun", "02:00", "03:00", "Europe/Berlin");
        assert_eq!(berlin.opens(at("2026-01-10T00:30:00Z")), Some(at("2026-01-10T01:00:00Z")));
        assert_eq!(berlin.opens(at("2026-07-10T00:30:00Z")), None);
        // On 2026-03-29 there is no 02:00 in Berlin: the window's beginning moves on by the hour that is skipped, past its end.
        assert_eq!(berlin.opens(at("2026-03-29T00:59:00Z")), Some(at("2026-03-30T00:00:00Z")));
    }

    #[test]
    fn the_first_of_several_windows_counts_and_none_is_always() {
        let mut both = pace("Sat", "00:00", "24:00", "UTC");
        both.windows.extend(pace("Wed", "10:00", "11:00", "UTC").windows);
        assert_eq!(both.opens(at("2026-01-02T12:00:00Z")), Some(at("2026-01-03T00:00:00Z")));
        assert_eq!(both.opens(at("2026-01-04T00:00:00Z")), Some(at("2026-01-07T10:00:00Z")));
        assert_eq!(Pace { windows: Vec::new(), ..both }.opens(at("2026-01-04T00:00:00Z")), None);
    }

    #[test]
    fn days_and_times_are_read_and_what_is_none_says_how_to_write_one() {
        assert_eq!(days("Sat-Mon"), Ok([true, false, false, false, false, true, true]));
        assert_eq!(days("sun").unwrap().iter().filter(|day| **day).count(), 1);
        for bad in ["", "Monday", "Mon-", "Mon,Tue"] {
            assert!(days(bad).unwrap_err().contains("`Mon-Fri`"), "{bad}");
        }
        for bad in ["", "22", "22:60", "25:00", "24:01", "2:00", "-1:00", "22:00:00"] {
            assert!(time(bad).unwrap_err().contains("`22:00`"), "{bad}");
        }
    }
}
