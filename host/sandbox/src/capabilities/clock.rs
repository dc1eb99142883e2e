//! `clock`: the time, as it is recorded for this call.

use wasmtime::Result;

use crate::bindings::mizzen::plugin::clock;
use crate::guest::Guest;

impl clock::Host for Guest {
    async fn now(&mut self) -> Result<u64> {
        self.count()?;
        Ok(self.reads.now())
    }
}
