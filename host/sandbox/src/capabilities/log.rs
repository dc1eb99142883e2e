//! `log`: a plugin's own log lines.

use mizzen_model::read::Level;
use wasmtime::Result;

use crate::bindings::mizzen::plugin::log;
use crate::guest::Guest;
use crate::limits::{LOG_FIELDS, LOG_KEY, LOG_VALUE};
use crate::text::line;

impl log::Host for Guest {
    async fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> Result<()> {
        self.count()?;
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        let fields = fields.into_iter().take(LOG_FIELDS);
        let fields: Vec<_> = fields.map(|(key, value)| (line(key, LOG_KEY), line(value, LOG_VALUE))).collect();
        self.lines.write(level, message, &fields);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use mizzen_config::Limits;
    use mizzen_model::{AccessError, Digest, Kind, Object, ObjectRef, Query, Reads};
    use parking_lot::Mutex;

    use super::log::Host;
    use super::*;
    use crate::limits::{LOG_LINE, LOG_LINES};
    use crate::lines::LastWords;

    /// Records the lines that are logged.
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
        async fn serves(&self, _: &Kind) -> Result<bool, AccessError> {
            Ok(true)
        }
        fn now(&self) -> u64 {
            0
        }
        fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
            self.0.lock().push((level, message.to_owned(), fields.len()));
        }
    }

    #[tokio::test]
    async fn log_lines_are_limited_in_number_and_size() {
        let lines = Arc::new(Lines::default());
        let mut guest = Guest::new(lines.clone(), Limits::default(), Digest::of(b""));
        let fields = vec![("key".to_owned(), "value".to_owned()); 1_000];
        for _ in 0..3 * LOG_LINES {
            guest.write(log::Level::Info, "x".repeat(1 << 20), fields.clone()).await.unwrap();
        }
        let lines = lines.0.lock();
        assert_eq!(lines.len(), LOG_LINES as usize + 1);
        assert!(lines.iter().all(|(_, line, fields)| line.len() <= LOG_LINE && *fields <= LOG_FIELDS));
        assert!(lines.last().unwrap().1.contains("the rest is omitted"));
    }

    #[tokio::test]
    async fn the_last_error_is_kept_even_beyond_the_limit_of_lines() {
        let mut guest = Guest::new(Arc::new(Lines::default()), Limits::default(), Digest::of(b""));
        for _ in 0..2 * LOG_LINES {
            guest.write(log::Level::Info, "on the way".into(), Vec::new()).await.unwrap();
        }
        guest.write(log::Level::Error, "panicked at src/lib.rs:1".into(), Vec::new()).await.unwrap();
        guest.write(log::Level::Info, "never mind".into(), Vec::new()).await.unwrap();
        assert_eq!(guest.lines.last_words(), Some(LastWords::Logged("panicked at src/lib.rs:1".into())));
    }
}
