//! Validates paces.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use jiff::tz::TimeZone;
use mizzen_model::parse_pace_name;

use super::Checker;
use crate::document::pace::{PaceSpec, WindowSpec};
use crate::pace::{DEFAULT_PROGRESS_DEADLINE, Pace, Window, days, time};
use crate::quantity;

impl Checker<'_> {
    pub(super) fn paces(&mut self, paces: BTreeMap<String, PaceSpec>) -> BTreeMap<String, Pace> {
        let checked = paces.into_iter().map(|(name, pace)| {
            let field = format!("spec.pace.{name}");
            if let Err(error) = parse_pace_name(&name) {
                self.wrong("spec.pace", error.detail());
            }
            let pace = self.pace(&field, pace);
            (name, pace)
        });
        checked.collect()
    }

    fn pace(&mut self, field: &str, pace: PaceSpec) -> Pace {
        let number = |number: Option<u32>| NonZeroUsize::new(usize::try_from(number?).unwrap_or(usize::MAX));
        let progress_deadline =
            pace.progress_deadline.as_deref().map_or(Ok(DEFAULT_PROGRESS_DEADLINE), quantity::duration);
        let progress_deadline = progress_deadline.unwrap_or_else(|error| {
            self.wrong(&format!("{field}.progressDeadline"), error.to_string());
            DEFAULT_PROGRESS_DEADLINE
        });
        let windows = pace.windows.into_iter().enumerate();
        let windows = windows.filter_map(|(at, window)| self.window(&format!("{field}.windows[{at}]"), &window));
        Pace {
            windows: windows.collect(),
            at_once: number(pace.at_once),
            per_minute: number(pace.per_minute),
            progress_deadline,
        }
    }

    fn window(&mut self, field: &str, window: &WindowSpec) -> Option<Window> {
        let mut on = [window.days.is_empty(); 7];
        for (at, text) in window.days.iter().enumerate() {
            match days(text) {
                Ok(named) => on.iter_mut().zip(named).for_each(|(day, named)| *day |= named),
                Err(error) => self.wrong(&format!("{field}.days[{at}]"), error.to_string()),
            }
        }
        let mut at = |name: &str, text: &str| {
            time(text).map_err(|error| self.wrong(&format!("{field}.{name}"), error.to_string())).ok()
        };
        let (from, to) = (at("from", &window.from), at("to", &window.to));
        let zone = match window.timezone.as_deref() {
            None => Some(TimeZone::UTC),
            Some(name) => {
                let zone = TimeZone::get(name).ok();
                if zone.is_none() {
                    self.wrong(
                        &format!("{field}.timezone"),
                        format!("`{name}` is not a valid time zone; write e.g. `Europe/Berlin`"),
                    );
                }
                zone
            }
        };
        // A window that starts and ends at the same time is a whole day.
        Some(Window::new(on, from?, to?, zone?))
    }
}
