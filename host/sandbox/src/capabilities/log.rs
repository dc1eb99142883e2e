//! `log`: lines of a plugin's own.

use mizzen_model::read::Level;
use wasmtime::Result;

use crate::bindings::mizzen::plugin::log;
use crate::guest::Guest;
use crate::text::line;

/// Bytes of one log line. Stops a guest from filling the log with one call.
const LONGEST: usize = 4096;

/// Fields of one log line, and bytes of each field's key and value. As above.
const FIELDS: usize = 16;
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 512;

/// Lines of one call. Stops a guest from filling the log with many; what comes after is left out, and the log says so.
const LINES: u32 = 100;

impl log::Host for Guest {
    async fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> Result<()> {
        self.count()?;
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        let message = line(message, LONGEST);
        if level == Level::Error {
            // Also past the last line that is logged: it may be why the guest traps.
            self.last_error = Some(message.clone());
        }
        self.lines += 1;
        if self.lines <= LINES {
            let fields = fields.into_iter().take(FIELDS);
            let fields: Vec<_> =
                fields.map(|(key, value)| (line(key, LONGEST_KEY), line(value, LONGEST_VALUE))).collect();
            self.reads.log(level, &message, &fields);
        } else if self.lines == LINES + 1 {
            self.reads.log(Level::Warn, &format!("more than {LINES} lines in one call: the rest is left out"), &[]);
        }
        Ok(())
    }
}
