//! What the operator costs, against native code in the same run. Prints one JSON document.

mod converge;
mod idle;
mod measure;
mod mesh_cluster;
mod operator;

use clap::{Parser, Subcommand};
use serde_json::{Value, json};

use crate::measure::Load;

/// Measures what the operator costs, against native code in the same run where there is any. Prints one JSON document; each
/// figure has its unit in its name.
#[derive(Parser)]
#[command(
    max_term_width = 110,
    after_help = "Examples:\n  \
        make bench                                                   # all of it, as one document\n  \
        mizzen-bench converge --count 1000 --count 5000 | jq '.converge[].mizzenToNative'\n\n\
        The operators and plugins are taken from where this program was built: `make plugins` and \
        `cargo build --release -p mizzen -p mizzen-bench` come first."
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// ExposedAPIs to routes and statuses on a real API server, by the plugin in the host and by a native operator.
    Converge(Converge),
    /// Memory and CPU of the host with all plugins of `deploy/reconcilers.yaml` and nothing to do.
    Idle,
}

#[derive(clap::Args)]
struct Converge {
    /// How many APIs are there when an operator starts; may be given several times.
    #[arg(long, default_values_t = [1000])]
    count: Vec<usize>,
    /// How many APIs are created afterwards, one by one: what latencies are of.
    #[arg(long, default_value_t = 500)]
    arrivals: usize,
    /// So many of those a second.
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// How often each operator is run; they take turns in going first.
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let document = match Args::parse().command {
        Command::Converge(converge) => json!({"converge": converge.run().await?}),
        Command::Idle => json!({"idle": idle::idle().await?}),
    };
    println!("{document:#}");
    Ok(())
}
