//! Measures the costs of the operator, compared with native code in the same run. Prints one JSON document.

mod call;
mod converge;
mod gateway;
mod idle;
mod index;
mod install;
mod measure;
mod mesh_cluster;
mod operator;
mod pods;
mod render;
mod restarts;
mod sidecars;

use clap::{Parser, Subcommand};
use serde_json::{Map, Value, json};

use crate::measure::Load;

/// Measures the costs of the operator, compared with native code in the same run where there is any. Prints
/// one JSON document; each figure has its unit in its name.
#[derive(Parser)]
#[command(
    max_term_width = 110,
    after_help = "Examples:\n  \
        make bench                                                   # all of it, as one document\n  \
        mizzen-bench converge --count 1000 --count 5000 | jq '.converge[].mizzenToNative'\n  \
        mizzen-bench pods --count 5000\n\n\
        The operators and components are taken from where this program was built: `make bench-build` comes first."
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

/// The commands of `all`, the quick ones first.
const ALL: [&[&str]; 9] = [
    &["call"],
    &["render"],
    &["restarts"],
    &["index"],
    &["idle"],
    &["install"],
    &["gateway"],
    &["pods"],
    &["converge", "--count=1000", "--count=5000"],
];

#[derive(Subcommand)]
enum Command {
    /// All of these, one after the other: the document that README.md quotes.
    All,
    /// One call of a component, compared with the same code run natively.
    Call,
    /// ExposedAPIs to routes and statuses on a real API server, by the plugin in the host and by a native operator.
    Converge(Converge),
    /// From a new address of the gateway to the statuses of all APIs.
    Gateway {
        /// How many APIs there are.
        #[arg(long, default_value_t = 2_000)]
        count: usize,
        /// How often the address changes.
        #[arg(long, default_value_t = 5)]
        repeat: usize,
    },
    /// Memory and CPU of the host with all plugins of `deploy/reconcilers.yaml` and nothing to do.
    Idle,
    /// An installation of Istio by all of `deploy/mesh.yaml`: the time of it and of its rendering, and memory of the
    /// host.
    Install,
    /// Memory of the host over many Pods that a plugin reads through five fields.
    Pods {
        /// How many Pods.
        #[arg(long, default_value_t = 20_000)]
        count: usize,
    },
    /// One rendering of Istio in the sandbox, by itself.
    Render,
    /// One decision about which workloads of a mesh must be restarted, and the host with them on a real API server.
    Restarts {
        /// How many Pods; may be given several times.
        #[arg(long, default_values_t = [10_000, 50_000])]
        count: Vec<usize>,
    },
    /// One changed object among many subjects.
    Index {
        /// How many subjects there are in the first case.
        #[arg(long, default_value_t = 1_000)]
        few: usize,
        /// How many subjects there are in the second case.
        #[arg(long, default_value_t = 10_000)]
        many: usize,
    },
}

#[derive(clap::Args)]
struct Converge {
    /// How many APIs are there when an operator starts; may be given several times.
    #[arg(long, default_values_t = [1000])]
    count: Vec<usize>,
    /// How many APIs are created afterwards, one by one, for the latencies.
    #[arg(long, default_value_t = 500)]
    arrivals: usize,
    /// How many of those are created per second.
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// How often each operator is run; they alternate in going first.
    #[arg(long, default_value_t = 2)]
    repeat: usize,
}

impl Converge {
    async fn run(self) -> anyhow::Result<Value> {
        let mut runs = Vec::new();
        for count in self.count {
            let load = Load { count, arrivals: self.arrivals, rate: self.rate };
            runs.push(converge::converge(load, self.repeat).await?);
        }
        Ok(runs.into())
    }
}

impl Command {
    /// Measures, and adds the figures to the document.
    async fn run(self, document: &mut Map<String, Value>) -> anyhow::Result<()> {
        let (name, figures) = match self {
            Self::All => {
                for command in ALL {
                    Box::pin(
                        Args::try_parse_from(["mizzen-bench"].iter().chain(command.iter()))?.command.run(document),
                    )
                    .await?;
                }
                return Ok(());
            }
            Self::Call => ("call", call::call().await?),
            Self::Converge(converge) => ("converge", converge.run().await?),
            Self::Gateway { count, repeat } => ("gateway", gateway::gateway(count, repeat).await?),
            Self::Idle => ("idle", idle::idle().await?),
            Self::Install => ("install", install::install().await?),
            Self::Pods { count } => ("pods", pods::pods(count).await?),
            Self::Render => ("render", render::render().await?),
            Self::Restarts { count } => {
                let mut runs = Vec::new();
                for count in count {
                    let mut figures = restarts::restarts(count).await?;
                    figures["host"] = sidecars::sidecars(count).await?;
                    runs.push(figures);
                }
                ("restarts", runs.into())
            }
            Self::Index { few, many } => ("index", index::index(few, many).await?),
        };
        document.insert(name.to_owned(), figures);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let mut document = Map::from_iter([("machine".to_owned(), json!({"cores": cores}))]);
    Args::parse().command.run(&mut document).await?;
    println!("{:#}", rounded(Value::Object(document)));
    Ok(())
}

/// Rounds to three decimal places: more is noise.
fn rounded(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, rounded(value))).collect::<Map<_, _>>().into(),
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Number(number) if number.is_f64() => json!(number.as_f64().map(|own| (own * 1e3).round() / 1e3)),
        other => other,
    }
}
