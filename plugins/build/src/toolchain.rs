//! A Rust toolchain that can build for `wasm32-unknown-unknown`: an installed one, else rustup's, else Debian's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::packages::{Components, Guest};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// How guests are built.
pub(crate) enum Toolchain {
    /// The default toolchain has the target.
    Installed,
    /// Debian's compiler, which has the standard library's source and builds it along; linked by this `rust-lld`.
    Debian { linker: PathBuf },
}

/// Finds a toolchain, or installs one, and reports which.
///
/// # Errors
/// If there is no toolchain and none can be installed.
pub(crate) fn find() -> anyhow::Result<Toolchain> {
    let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?);
    let debian_only = std::env::var("MIZZEN_GUEST_TOOLCHAIN").is_ok_and(|choice| choice == "debian");
    if !debian_only {
        let installed = || sysroot.join("lib/rustlib").join(TARGET).is_dir();
        if !installed() {
            eprintln!("installing {TARGET}: rustup target add {TARGET}");
            drop(Command::new("rustup").args(["target", "add", TARGET]).status());
        }
        if installed() {
            return Ok(Toolchain::Installed);
        }
        eprintln!("rustup could not install {TARGET}: trying Debian's packages");
    }
    let missing: Vec<_> = DEBIAN.into_iter().filter(|package| !is_installed(package)).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    ensure!(linker.is_file(), "there is no {}: install rustup's toolchain", linker.display());
    Ok(Toolchain::Debian { linker })
}

impl Toolchain {
    /// Builds one guest in release mode.
    pub(crate) fn build(&self, guest: &Guest, target: &Path, root: &Path) -> anyhow::Result<()> {
        let mut cargo = match self {
            Self::Installed => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
            Self::Debian { linker } => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .arg("-Zbuild-std=std,panic_abort");
                cargo
            }
        };
        cargo.args(["build", "--quiet", "--release", "--locked", "--target", TARGET, "--package", &guest.package]);
        cargo.arg(match guest.components {
            Components::Library { .. } => "--lib",
            Components::Examples(_) => "--examples",
        });
        // Settings of the outer cargo, which do not apply to guests.
        for name in ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_TARGET_DIR"] {
            cargo.env_remove(name);
        }
        let profile = [
            ("OPT_LEVEL", "3"),
            ("LTO", "fat"),
            ("CODEGEN_UNITS", "1"),
            ("PANIC", "abort"),
            ("STRIP", "true"),
            ("DEBUG", "false"),
        ];
        for (setting, value) in profile {
            cargo.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        let status = cargo.env("CARGO_TARGET_DIR", target).current_dir(root).status().context("cargo")?;
        ensure!(status.success(), "{} does not build", guest.package);
        Ok(())
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "the installed target {TARGET}"),
            Self::Debian { .. } => f.write_str("Debian's Rust toolchain, its standard library built from source"),
        }
    }
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["--show", "--showformat=${Status}", package]).output();
    query.is_ok_and(|query| query.stdout.starts_with(b"install ok installed"))
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    eprintln!("installing {}: apt-get install", packages.join(", "));
    let root = output(Command::new("id").arg("-u"))? == "0";
    for step in
        [&["update", "--quiet"][..], &[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat()]
    {
        let mut apt = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            apt.arg("apt-get");
        }
        let done = apt.env("DEBIAN_FRONTEND", "noninteractive").args(step).output().context("apt-get")?;
        if !done.status.success() {
            bail!("apt-get {}: {}", step.join(" "), String::from_utf8_lossy(&done.stderr));
        }
    }
    Ok(())
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
