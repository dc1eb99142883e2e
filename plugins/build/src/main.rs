//! Builds guest crates into WebAssembly components.
//!
//! Finds a toolchain for `wasm32-unknown-unknown` (see [`toolchain`]), builds every guest with it, and wraps what comes out into
//! components that import nothing but `mizzen:plugin`.

mod component;
mod packages;
mod toolchain;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

/// Builds guest crates into WebAssembly components.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  mizzen-plugin-build\n  mizzen-plugin-build --out ./plugins mizzen-plugin-mtls\n\n\
    MIZZEN_GUEST_TOOLCHAIN=debian chooses Debian's Rust toolchain outright."
)]
struct Args {
    /// Where components go; default: `plugins` in the target directory.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Packages to build; default: every package that declares `[package.metadata.mizzen] plugin`.
    packages: Vec<String>,
}

fn main() -> ExitCode {
    match build(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(args: Args) -> anyhow::Result<()> {
    let workspace = packages::Workspace::read()?;
    let guests = workspace.guests(&args.packages)?;
    let out = args.out.unwrap_or_else(|| workspace.target.join("plugins"));
    std::fs::create_dir_all(&out).with_context(|| format!("can't make {}", out.display()))?;
    let toolchain = toolchain::find()?;
    eprintln!("guests are built with {toolchain}");
    // A target directory of their own: guests and host do not wait for each other's locks.
    let target = workspace.target.join("guests");
    for guest in &guests {
        toolchain.build(guest, &target, &workspace.root)?;
        for (artifact, name) in guest.artifacts() {
            let core = target.join("wasm32-unknown-unknown/release").join(artifact);
            let file = out.join(format!("{name}.wasm"));
            let state = component::encode(&core, &file).with_context(|| format!("{name}: {}", core.display()))?;
            eprintln!("{}: {state}", file.display());
        }
    }
    Ok(())
}
