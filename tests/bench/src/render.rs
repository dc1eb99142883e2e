//! One rendering of Istio by itself: a call of the renderer in the sandbox, without other load.

use std::time::Instant;

use anyhow::{bail, ensure};
use mizzen_config::RenderLimits;
use mizzen_model::Render as _;
use mizzen_sandbox::{Load, RenderOptions, Renderers};
use serde_json::{Value, json};

use crate::converge::median;
use crate::install::CLIENT;
use crate::operator::{Setup, cache, plugins};

/// The number of renderings.
const RENDERINGS: usize = 7;

/// The profile of `installation`, with CNI: 46 objects, of the 49 of an installation.
const DOCUMENT: &str = concat!(
    r#"{"apiVersion":"install.istio.io/v1alpha1","kind":"IstioOperator","#,
    r#""spec":{"profile":"default","components":{"cni":{"enabled":true}}}}"#
);

/// Measures the milliseconds of the first rendering, and the median of all; none of them comes from the cache.
pub(crate) async fn render() -> anyhow::Result<Value> {
    let cache = cache()?;
    let setup = Setup { plugins: plugins()?, components: &[], configuration: "" };
    setup.compile_renderer(CLIENT, &cache).await?;
    let file = setup.plugins.join(CLIENT);
    let renderers = Renderers::new(RenderOptions { cache: Some(cache), kept: 0, ..RenderOptions::default() })?;
    let Load::Ready(renderer) = renderers.load("istio", &file, RenderLimits::default()).await? else {
        bail!("{} is still being compiled", file.display());
    };
    let mut millis = Vec::new();
    let mut objects = 0;
    for _ in 0..RENDERINGS {
        let started = Instant::now();
        objects = renderer.render(DOCUMENT).await?.len();
        millis.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    ensure!(renderers.renderings() == RENDERINGS as u64, "some renderings came from the cache");
    Ok(json!({"firstMillis": millis[0], "medianMillis": median(millis), "objects": objects}))
}
