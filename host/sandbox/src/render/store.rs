//! The state of one rendering.

use mizzen_config::RenderLimits;
use wasmtime_wasi::p1::WasiP1Ctx;

use super::clock::Clock;
use super::limits::{HOST_CALL, TABLE};
use crate::metered::{Bounds, Meter, Metered};

/// What the store of a rendering holds.
pub(crate) struct Rendering {
    pub(super) wasi: WasiP1Ctx,
    pub(super) clock: Clock,
    meter: Meter,
}

impl Rendering {
    pub(super) fn new(wasi: WasiP1Ctx, clock: Clock, bounds: Bounds) -> Self {
        Self { wasi, clock, meter: Meter::new(bounds) }
    }
}

impl Metered for Rendering {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

/// What a rendering may use up by the limits of its renderer.
pub(super) fn bounds(limits: RenderLimits) -> Bounds {
    let transfer = limits.output.saturating_add(HOST_CALL);
    Bounds { memory: limits.memory, table: TABLE, time: limits.time, transfer }
}
