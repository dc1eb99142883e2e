//! Text written by guests, made fit for logs, conditions, Events and terminals.

/// Cuts a text to `most` bytes and removes control characters: a line stays one line, and can't control a terminal.
pub(crate) fn line(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text.retain(|c| !c.is_control());
    text
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
