//! What the operator costs, against native code in the same run. Prints one JSON document.

mod measure;
mod operator;

use clap::{Parser, Subcommand};
use serde_json::json;

use operator::Kind;

/// Measures the operator against a native one, each on a fresh control plane on this machine.
#[derive(Parser)]
#[command(
    after_help = "Example:\n  cargo build --release -p mizzen -p mizzen-bench\n  target/release/mizzen-bench converge --count 1000"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// ExposedAPIs from their creation to their route and their status.
    Converge {
        /// How many APIs; may be given several times.
        #[arg(long, default_values_t = [1000])]
        count: Vec<usize>,
        /// APIs created in a second, the same for both: latencies compare only at one rate.
        #[arg(long, default_value_t = 100)]
        rate: u32,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Converge { count, rate } = Args::parse().command;
    let mut runs = Vec::new();
    for count in count {
        let native = measure::converge(Kind::Native, count, rate).await?;
        let mizzen = measure::converge(Kind::Mizzen, count, rate).await?;
        let ratio =
            |field: &str| mizzen[field].as_f64().unwrap_or(f64::NAN) / native[field].as_f64().unwrap_or(f64::NAN);
        let fields = ["seconds", "p50Millis", "p99Millis", "cpuSeconds", "rssMiB", "writes"];
        let ratios: serde_json::Map<_, _> =
            fields.iter().map(|field| ((*field).to_owned(), json!(ratio(field)))).collect();
        runs.push(json!({"count": count, "rate": rate, "native": native, "mizzen": mizzen, "mizzenToNative": ratios}));
    }
    println!("{:#}", json!({"converge": runs}));
    Ok(())
}
