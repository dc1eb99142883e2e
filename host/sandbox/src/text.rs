//! Text written by guests, made fit for logs, conditions, Events and terminals.

/// Cuts a text to `most` bytes and removes control characters: a line stays one line, and can't control a terminal.
pub(crate) fn line(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text.retain(|c| !c.is_control());
    text
}

/// Lines that [`ends`] keeps of the beginning of a text.
const FIRST_LINES: usize = 2;

/// Returns the first two and the last lines of a text, in one line of at most so many bytes. Go reports why it ends in
/// the first lines of its standard error, other languages in the last.
pub(crate) fn ends(text: &str, last_lines: usize, most: usize) -> String {
    let mut lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > FIRST_LINES + last_lines {
        lines.splice(FIRST_LINES..lines.len() - last_lines, ["…"]);
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
