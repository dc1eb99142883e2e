//! `mizzen-testcluster`: a real Kubernetes control plane, for as long as a command runs.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(cli::Cli::parse()).await
}
