//! WASI, for components that import it: virtual, see [`crate::wasi`].

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::guest::Guest;
use crate::wasi::clocks::HasTime;

/// Lets components import WASI.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<_, HasTime>(linker, |guest| guest.wasi.get().time())?;
    linker.allow_shadowing(false);
    Ok(())
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get();
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}
