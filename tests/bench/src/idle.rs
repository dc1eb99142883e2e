//! The costs of an idle host.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::mesh_cluster::{repository, start};
use crate::operator::{Kind, Operator, Setup, plugins};

/// The idle time before memory is measured, and during which CPU is.
const QUIET: Duration = Duration::from_secs(10);

/// Measures resident memory and CPU of the host on an idle control plane: after its first start, which compiles
/// all plugins, after a start with compiled ones, and of the native operator, which does the work of one plugin.
pub(crate) async fn idle() -> anyhow::Result<Value> {
    let cluster = start().await?;
    let kubeconfig = cluster.kubeconfig_path();
    let cache = tempfile::tempdir()?;
    let first = mizzen(&kubeconfig, cache.path()).await?;
    let compiled = mizzen(&kubeconfig, cache.path()).await?;
    let native = at_rest(Operator::start(Kind::Native, &kubeconfig)?).await?;
    Ok(json!({"compiling": first, "compiled": compiled, "nativeApiOperator": native}))
}

async fn mizzen(kubeconfig: &Path, cache: &Path) -> anyhow::Result<Value> {
    let configuration = std::fs::read_to_string(repository("deploy/reconcilers.yaml"))?;
    let setup = Setup { plugins: plugins()?, components: &[], configuration: &configuration };
    at_rest(Operator::mizzen(&setup, kubeconfig, cache)?).await
}

async fn at_rest(mut operator: Operator) -> anyhow::Result<Value> {
    operator.ready().await?;
    tokio::time::sleep(QUIET).await;
    let before = operator.cpu_seconds()?;
    tokio::time::sleep(QUIET).await;
    let cpu = (operator.cpu_seconds()? - before) / QUIET.as_secs_f64();
    Ok(json!({"rssMiB": operator.rss_mib()?, "peakRssMiB": operator.peak_rss_mib()?, "cpuShare": cpu}))
}
