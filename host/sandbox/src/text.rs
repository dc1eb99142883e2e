//! Text written by guests, made fit for logs, conditions, Events and terminals.

/// Cuts a text to `most` bytes and removes control characters: a line stays one line, and can't control a terminal.
pub(crate) fn line(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text.retain(|c| !c.is_control());
    text
}

/// Lines that [`ends`] keeps, of the beginning and of the end of a text.
const FIRST_LINES: usize = 2;
const LAST_LINES: usize = 3;

/// Returns the first and the last lines of a text, in one line of at most so many bytes. Go reports why it ends in the
/// first lines of its standard error, other languages in the last.
pub(crate) fn ends(text: &str, most: usize) -> String {
    let mut lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > FIRST_LINES + LAST_LINES {
        lines.splice(FIRST_LINES..lines.len() - LAST_LINES, ["…"]);
    }
    line(lines.join(" | "), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_short() {
        assert_eq!(line("a\nb\u{1b}[31m".into(), 100), "ab[31m");
        assert_eq!(line("ääää".into(), 3), "ä");
    }
}
