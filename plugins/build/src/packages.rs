//! Which guests there are: packages that say so in `[package.metadata.mizzen]`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// What cargo says of the workspace.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    packages: Vec<Value>,
}

/// A package that becomes one component, or, with examples, several.
pub(crate) struct Guest {
    pub(crate) package: String,
    /// The library's component name; `None`: its examples are the guests.
    pub(crate) plugin: Option<String>,
    examples: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .context("cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let folder = |name: &str| {
            metadata[name].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata has no {name}"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            packages: metadata["packages"].as_array().cloned().unwrap_or_default(),
        })
    }

    /// The guests of these names; without names, every plugin.
    pub(crate) fn guests(&self, names: &[String]) -> anyhow::Result<Vec<Guest>> {
        let known = self.packages.iter().filter(|package| package["metadata"]["mizzen"].is_object());
        let guests: Vec<_> = known.map(Guest::of).collect();
        if let Some(unknown) = names.iter().find(|name| guests.iter().all(|guest| guest.package != **name)) {
            bail!("`{unknown}` is no guest: its Cargo.toml has no [package.metadata.mizzen]");
        }
        let wanted =
            |guest: &Guest| if names.is_empty() { guest.plugin.is_some() } else { names.contains(&guest.package) };
        Ok(guests.into_iter().filter(wanted).collect())
    }
}

impl Guest {
    fn of(package: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let targets = package["targets"].as_array().into_iter().flatten();
        let examples = targets
            .filter(|target| target["kind"] == serde_json::json!(["example"]))
            .map(|target| text(&target["name"]));
        Self {
            package: text(&package["name"]),
            plugin: package["metadata"]["mizzen"]["plugin"].as_str().map(str::to_owned),
            examples: examples.collect(),
        }
    }

    /// What the build leaves behind, and the name of the component that becomes of it.
    pub(crate) fn artifacts(&self) -> Vec<(String, String)> {
        let file = |name: &str| format!("{}.wasm", name.replace('-', "_"));
        match &self.plugin {
            Some(plugin) => vec![(file(&self.package), plugin.clone())],
            None => self.examples.iter().map(|name| (format!("examples/{}", file(name)), name.clone())).collect(),
        }
    }
}
