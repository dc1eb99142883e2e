//! One rendering: a fresh instance, its limits, and the objects or the failure that it ended with.

use mizzen_config::RenderLimits;
use wasmtime::{Result, Store, Trap};
use wasmtime_wasi::I32Exit;

use super::component::Compiled;
use super::failure::RenderFailure;
use super::resource_list::{self, Output};
use super::store::{self, Rendering};
use super::wasi::Streams;
use crate::metered::{self, Metered, Stop};

/// The result of one rendering.
pub(super) struct Done {
    pub(super) result: std::result::Result<Output, RenderFailure>,
    /// The first and last lines of standard error.
    pub(super) stderr: String,
    /// The most memory that it had.
    pub(super) peak: u64,
}

/// Renders one document.
pub(super) async fn render(compiled: &Compiled, limits: RenderLimits, function_config: &str) -> Done {
    let input = resource_list::input(function_config);
    if input.len() as u64 > limits.input {
        let failure = RenderFailure::InputLimit { given: input.len() as u64, most: limits.input };
        return Done { result: Err(failure), stderr: String::new(), peak: 0 };
    }
    let (streams, bounds) = (Streams::new(limits.output), store::bounds(limits));
    let rendering = Rendering::new(streams.wasi(input), streams.clock.clone(), bounds);
    let mut store = metered::store(compiled.engine(), rendering, bounds);
    let stopped = metered::run(&mut store, async |store: &mut Store<Rendering>| run(compiled, store).await).await;
    let peak = store.data_mut().meter().peak();
    // Hundreds of megabytes: given back before the output is parsed.
    drop(store);
    let failure = stopped.err().and_then(|stop| classify(stop, &streams, limits));
    let output = || resource_list::output(&streams.stdout.take());
    let result = match failure {
        None => output(),
        // A function that fails may still report why as KRM defines it.
        Some(exit @ RenderFailure::Exit(_)) => Err(match output() {
            Err(rejected @ RenderFailure::Rejected(_)) => rejected,
            _ => exit,
        }),
        Some(failure) => Err(failure),
    };
    Done { result, stderr: streams.stderr_lines(), peak }
}

async fn run(compiled: &Compiled, store: &mut Store<Rendering>) -> Result<()> {
    let instance = compiled.pre().instantiate_async(&mut *store).await?;
    instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call_async(store, ()).await
}

/// Returns the failure of a rendering that stopped; `None` when it exited with code 0.
fn classify(stop: Stop, streams: &Streams, limits: RenderLimits) -> Option<RenderFailure> {
    let (error, met) = match stop {
        Stop::Time => return Some(RenderFailure::Time(limits.time)),
        Stop::Failed { error, met } => (error, met),
    };
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (exit.0 != 0).then_some(RenderFailure::Exit(exit.0));
    }
    Some(if streams.stdout.overflowed() {
        RenderFailure::OutputLimit(limits.output)
    } else if let Some(limit) = met {
        limit.into()
    } else {
        let trap = error.downcast_ref::<Trap>();
        RenderFailure::Trap(trap.map_or_else(|| format!("{error:#}"), ToString::to_string))
    })
}
