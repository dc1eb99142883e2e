//! One rendering: a fresh instance, its limits, and what it came to.

use std::time::Instant;

use mizzen_config::RenderLimits;
use wasmtime::{ResourceLimiter, Result, Store, StoreContextMut, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::WasiP1Ctx;

use super::clock::Clock;
use super::component::Compiled;
use super::ended::Ended;
use super::resource_list;
use super::wasi::Streams;

/// Elements of a renderer's tables. Stops one from growing a table where its memory is limited; Go's own table has one element for each
/// function, of which there can be hundreds of thousands.
const TABLE: usize = 4 << 20;

/// Bytes that a renderer can hand over in one host call, beside its output. Stops one from having the host copy all of its memory.
const HOST_CALL: usize = 1 << 20;

/// The state of one rendering.
pub(crate) struct Rendering {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) clock: Clock,
    limits: RenderLimits,
    /// Bytes of linear memory.
    memory: u64,
    /// The limit that was met first: a guest traps in many ways once it is refused something, and this is why.
    met: Option<Ended>,
}

/// What one rendering came to.
pub(crate) struct Done {
    pub(crate) result: std::result::Result<Vec<Box<str>>, Ended>,
    pub(crate) warnings: Vec<String>,
    /// What it wrote to standard error, in short.
    pub(crate) said: String,
    /// The most memory that it had.
    pub(crate) bytes: u64,
}

/// Renders one document.
pub(crate) async fn render(compiled: &Compiled, limits: RenderLimits, function_config: &str) -> Done {
    let input = resource_list::input(function_config);
    if input.len() as u64 > limits.input {
        let ended = Ended::Input { given: input.len() as u64, most: limits.input };
        return Done { result: Err(ended), warnings: Vec::new(), said: String::new(), bytes: 0 };
    }
    let streams = Streams::new(limits.output);
    let wasi = streams.wasi(input);
    let mut store =
        Store::new(compiled.engine(), Rendering { wasi, clock: streams.clock.clone(), limits, memory: 0, met: None });
    store.limiter(|rendering| rendering);
    store.set_hostcall_fuel(HOST_CALL + usize::try_from(limits.output).unwrap_or(usize::MAX - HOST_CALL));
    store.set_epoch_deadline(1);
    let deadline = Instant::now() + limits.time;
    store.epoch_deadline_callback(move |_: StoreContextMut<'_, Rendering>| {
        Ok(if Instant::now() < deadline { UpdateDeadline::Yield(1) } else { UpdateDeadline::Interrupt })
    });
    // Ticks do not interrupt host calls, so time is also kept outside.
    let ran = tokio::time::timeout(limits.time, run(compiled, &mut store)).await;
    let bytes = store.data().memory;
    let ended = match ran {
        Ok(Ok(())) => None,
        Ok(Err(error)) => classify(&error, &store, &streams, limits),
        Err(_) => Some(Ended::Time(limits.time)),
    };
    // Hundreds of megabytes: given back before anything is made of the answer.
    drop(store);
    let said = streams.said();
    let answer = match ended {
        None => resource_list::output(&streams.stdout.take()),
        // A function that fails may still say why in the way that KRM has for it.
        Some(exit @ Ended::Exit(_)) => Err(match resource_list::output(&streams.stdout.take()) {
            Err(rejected @ Ended::Rejected(_)) => rejected,
            _ => exit,
        }),
        Some(ended) => Err(ended),
    };
    match answer {
        Ok((objects, warnings)) => Done { result: Ok(objects), warnings, said, bytes },
        Err(ended) => Done { result: Err(ended), warnings: Vec::new(), said, bytes },
    }
}

async fn run(compiled: &Compiled, store: &mut Store<Rendering>) -> Result<()> {
    let instance = compiled.pre().instantiate_async(&mut *store).await?;
    instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call_async(store, ()).await
}

/// How a rendering ended that did not simply return.
fn classify(
    error: &wasmtime::Error,
    store: &Store<Rendering>,
    streams: &Streams,
    limits: RenderLimits,
) -> Option<Ended> {
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (exit.0 != 0).then_some(Ended::Exit(exit.0));
    }
    let trap = error.downcast_ref::<Trap>();
    Some(if trap == Some(&Trap::Interrupt) {
        Ended::Time(limits.time)
    } else if streams.stdout.overflowed() {
        Ended::Output(limits.output)
    } else if let Some(met) = &store.data().met {
        met.clone()
    } else {
        Ended::Trap(trap.map_or_else(|| format!("{error:#}"), ToString::to_string))
    })
}

// === impl Rendering ===

impl ResourceLimiter for Rendering {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired as u64 <= self.limits.memory;
        if fits {
            self.memory = self.memory.max(desired as u64);
        } else {
            self.met.get_or_insert(Ended::Memory(self.limits.memory));
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired <= TABLE;
        if !fits {
            self.met.get_or_insert(Ended::Table(TABLE as u64));
        }
        Ok(fits)
    }
}
