//! Colours. `anstream` leaves them out where the output is not a terminal or `NO_COLOR` is set.

use anstyle::{AnsiColor, Color, Style};

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// Additions and successes.
pub(crate) const ADDED: Style = colour(AnsiColor::Green);
/// Removals.
pub(crate) const REMOVED: Style = colour(AnsiColor::Red);
/// Changes.
pub(crate) const CHANGED: Style = colour(AnsiColor::Yellow);
/// Errors.
pub(crate) const WRONG: Style = colour(AnsiColor::Red).bold();
/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// Secondary text.
pub(crate) const FAINT: Style = Style::new().dimmed();
