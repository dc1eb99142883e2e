//! The time until a new address of the gateway is in the statuses of all APIs, and its cost.

use std::time::Instant;

use anyhow::ensure;
use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::converge::median;
use crate::measure::{at_rest, collect, watch_apis, watch_ready};
use crate::mesh_cluster::{create_apis, start};
use crate::operator::{Kind, Operator, Setup, cache};

/// The counters of the operator.
const COUNTED: [(&str, &str); 5] = [
    ("reconciles", "mizzen_reconciles_total"),
    ("calls", "mizzen_calls_total"),
    ("reads", "mizzen_reads_total"),
    ("readBytes", "mizzen_read_bytes_total"),
    ("writes", "mizzen_writes_total"),
];

/// Measures the seconds from the change of an address until an open watch has seen the last of `count` statuses,
/// with the calls, bytes and writes for it.
pub(crate) async fn gateway(count: usize, repeat: usize) -> anyhow::Result<Value> {
    ensure!((1..=250).contains(&repeat), "`--repeat` is 1 to 250");
    Setup::api_operator()?.compile(&cache()?).await?;
    let cluster = start().await?;
    let client = cluster.client()?;
    create_apis(&client, "api", count, None).await?;
    let mut ready = watch_ready(&client);
    let mut operator = Operator::start(Kind::Mizzen, &cluster.kubeconfig_path())?;
    collect(&mut ready, count, &mut operator).await?;
    drop(ready);
    // Opened before any address changes: the time must not include listing all APIs.
    let mut changed = watch_apis(&client, |api| {
        api.data["status"]["apiStatus"]["url"].as_str().map(|url| format!("{} at {url}", api.name_any()))
    });
    collect(&mut changed, count, &mut operator).await?;
    let mut rounds = Vec::new();
    let mut seconds = Vec::new();
    for round in 1..=repeat {
        at_rest(&cluster).await?;
        while changed.try_recv().is_ok() {}
        let address = format!("198.51.100.{round}");
        let before = counts(&operator).await?;
        let cpu = operator.cpu_seconds()?;
        let since = Instant::now();
        move_to(&client, &address).await?;
        let seen = collect(&mut changed, count, &mut operator).await?;
        let took = since.elapsed().as_secs_f64();
        let suffix = format!(" at https://{address}/");
        ensure!(seen.keys().all(|api| api.contains(&suffix)), "some have another address than {address}");
        at_rest(&cluster).await?;
        let after = counts(&operator).await?;
        let mut figures = json!({"seconds": took, "cpuSeconds": operator.cpu_seconds()? - cpu});
        for (at, (name, _)) in COUNTED.iter().enumerate() {
            figures[name] = json!(after[at] - before[at]);
        }
        ensure!(figures["writes"] == count, "{count} statuses, and {} writes", figures["writes"]);
        seconds.push(took);
        rounds.push(figures);
    }
    Ok(json!({"count": count, "seconds": median(seconds), "rounds": rounds}))
}

/// Gives the gateway's Service another address, as a cloud's controller does.
async fn move_to(client: &Client, address: &str) -> anyhow::Result<()> {
    let services: Api<Service> = Api::namespaced(client.clone(), "istio-system");
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
    services.patch_status("istio-ingressgateway", &PatchParams::default(), &Patch::Merge(&status)).await?;
    Ok(())
}

async fn counts(operator: &Operator) -> anyhow::Result<[u64; COUNTED.len()]> {
    let mut counts = [0; COUNTED.len()];
    for (count, (_, metric)) in counts.iter_mut().zip(COUNTED) {
        *count = operator.metric(metric).await?;
    }
    Ok(counts)
}
