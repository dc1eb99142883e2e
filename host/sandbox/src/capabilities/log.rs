//! `log`: lines of a plugin's own.

use mizzen_model::read::Level;
use wasmtime::Result;

use crate::bindings::mizzen::plugin::log;
use crate::guest::Guest;

/// Bytes of one log line. Stops a guest from filling the log with one call; how many lines there are, the host calls limit.
const LONGEST: usize = 4096;

impl log::Host for Guest {
    async fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> Result<()> {
        self.count()?;
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        let fields: Vec<_> = fields.into_iter().take(16).map(|(key, value)| (cut(key, 64), cut(value, 512))).collect();
        self.reads.log(level, &cut(message, LONGEST), &fields);
        Ok(())
    }
}

/// At most so many bytes, and no control characters: a line stays one line.
fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text.retain(|c| !c.is_control());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_short() {
        assert_eq!(cut("a\nb\u{1b}[31m".into(), 100), "ab[31m");
        assert_eq!(cut("ääää".into(), 3), "ä");
    }
}
