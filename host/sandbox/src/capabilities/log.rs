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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use mizzen_config::Limits;
    use mizzen_model::{AccessError, Kind, Object, ObjectRef, Query, Reads};

    use super::log::Host;
    use super::*;

    /// Keeps the lines that it is given.
    #[derive(Default)]
    struct Lines(Mutex<Vec<(Level, String, usize)>>);

    #[async_trait]
    impl Reads for Lines {
        async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
            Ok(None)
        }
        async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
            Ok(Vec::new())
        }
        async fn count(&self, _: &Query) -> Result<u64, AccessError> {
            Ok(0)
        }
        async fn serves(&self, _: &Kind) -> bool {
            true
        }
        fn now(&self) -> u64 {
            0
        }
        fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
            self.0.lock().unwrap().push((level, message.to_owned(), fields.len()));
        }
    }

    #[tokio::test]
    async fn the_log_is_not_filled() {
        let lines = Arc::new(Lines::default());
        let mut guest = Guest::new(lines.clone(), Limits::default());
        let fields = vec![("key".to_owned(), "value".to_owned()); 1_000];
        for _ in 0..3 * LINES {
            guest.write(log::Level::Info, "x".repeat(1 << 20), fields.clone()).await.unwrap();
        }
        let lines = lines.0.lock().unwrap();
        assert_eq!(lines.len(), LINES as usize + 1);
        assert!(lines.iter().all(|(_, line, fields)| line.len() <= LONGEST && *fields <= FIELDS));
        assert!(lines.last().unwrap().1.contains("the rest is left out"));
    }

    #[tokio::test]
    async fn the_last_error_is_remembered_though_it_is_not_logged() {
        let mut guest = Guest::new(Arc::new(Lines::default()), Limits::default());
        for _ in 0..2 * LINES {
            guest.write(log::Level::Info, "on the way".into(), Vec::new()).await.unwrap();
        }
        guest.write(log::Level::Error, "panicked at src/lib.rs:1".into(), Vec::new()).await.unwrap();
        guest.write(log::Level::Info, "never mind".into(), Vec::new()).await.unwrap();
        assert_eq!(guest.last_error.as_deref(), Some("panicked at src/lib.rs:1"));
    }
}
