//! Builds guest crates into WebAssembly components.
//!
//! Finds a toolchain for `wasm32-unknown-unknown` (see [`toolchain`]), builds every guest with it,
//! and wraps what comes out into components that import nothing but `mizzen:plugin`. A renderer
//! written in Go is built with Go, when a command names it with its version.

mod component;
mod istio_client;
mod packages;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;

/// Builds guest crates into WebAssembly components.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  mizzen-plugin-build\n  mizzen-plugin-build --out ./plugins mizzen-plugin-mtls\n  \
    mizzen-plugin-build istio-client@1.31.1\n\n\
    MIZZEN_GUEST_TOOLCHAIN=debian chooses Debian's Rust toolchain outright."
)]
struct Args {
    /// Where components go; default: `plugins` in the target directory.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Packages to build; default: every package that declares `[package.metadata.mizzen] plugin`.
    /// `istio-client@VERSION` is the renderer of a version of Istio, built with Go.
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
    let out = args.out.unwrap_or_else(|| workspace.target.join("plugins"));
    std::fs::create_dir_all(&out).with_context(|| format!("can't make {}", out.display()))?;
    let (clients, packages) = sort(args.packages)?;
    if clients.is_empty() || !packages.is_empty() {
        guests(&workspace, &packages, &out)?;
    }
    for version in &clients {
        let (file, state) = istio_client::build(&workspace.root, &out, version)?;
        eprintln!("{}: {state}", file.display());
    }
    Ok(())
}

/// What is built with Go, apart from what is built with Rust.
fn sort(names: Vec<String>) -> anyhow::Result<(Vec<istio_client::Version>, Vec<String>)> {
    let (mut clients, mut packages) = (Vec::new(), Vec::new());
    for name in names {
        match name.split_once('@') {
            Some((istio_client::NAME, version)) => clients.push(istio_client::Version::parse(version)?),
            Some(_) => bail!("`{name}` has a version, which only {} can have", istio_client::NAME),
            None if name == istio_client::NAME => bail!("`{name}` needs a version, e.g. `{name}@1.31.1`"),
            None => packages.push(name),
        }
    }
    Ok((clients, packages))
}

/// Builds Rust packages into components.
fn guests(workspace: &packages::Workspace, names: &[String], out: &Path) -> anyhow::Result<()> {
    let guests = workspace.guests(names)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_asked_for_with_its_version_and_nothing_else_has_one() {
        let sorted = |names: &[&str]| sort(names.iter().map(|&name| name.to_owned()).collect());
        let (clients, packages) =
            sorted(&["istio-client@1.31.1", "mizzen-plugin-mtls", "istio-client@1.31.0"]).unwrap();
        assert_eq!((clients.len(), packages), (2, vec!["mizzen-plugin-mtls".to_owned()]));
        for wrong in ["istio-client", "istio-client@latest", "mizzen-plugin-mtls@1.0.0"] {
            assert!(sorted(&[wrong]).unwrap_err().to_string().contains(wrong.split('@').next_back().unwrap()));
        }
    }
}
