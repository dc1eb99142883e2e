//! Colours. `anstream` leaves them out where the output is no terminal or `NO_COLOR` is set.

use anstyle::{AnsiColor, Color, Style};

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// What is new.
pub(crate) const ADDED: Style = colour(AnsiColor::Green);
/// What goes.
pub(crate) const REMOVED: Style = colour(AnsiColor::Red);
/// What becomes different.
pub(crate) const CHANGED: Style = colour(AnsiColor::Yellow);
/// What is wrong.
pub(crate) const WRONG: Style = colour(AnsiColor::Red).bold();
/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();
