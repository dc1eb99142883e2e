//! The guests: packages with `[package.metadata.mizzen]`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// Cargo's description of the workspace.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    packages: Vec<Value>,
}

/// A package that becomes one component, or several.
pub(crate) struct Guest {
    pub(crate) package: String,
    pub(crate) components: Components,
}

/// What of a package becomes components.
pub(crate) enum Components {
    /// Its library (the target's name), under a name of its own.
    Library { target: String, plugin: String },
    /// Each of its examples (the targets' names), under the example's name.
    Examples(Vec<String>),
}

impl Workspace {
    /// Runs `cargo metadata`.
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
        let guests = self.packages.iter().map(Guest::of).collect::<anyhow::Result<Vec<_>>>()?;
        let guests: Vec<_> = guests.into_iter().flatten().collect();
        if let Some(unknown) = names.iter().find(|name| guests.iter().all(|guest| guest.package != **name)) {
            bail!(
                "`{unknown}` is not a guest: its Cargo.toml has no `plugin` or `examples` in [package.metadata.mizzen]"
            );
        }
        let wanted = |guest: &Guest| {
            if names.is_empty() {
                matches!(guest.components, Components::Library { .. })
            } else {
                names.contains(&guest.package)
            }
        };
        Ok(guests.into_iter().filter(wanted).collect())
    }
}

impl Guest {
    /// `None` for a package that is not a guest.
    fn of(package: &Value) -> anyhow::Result<Option<Self>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&package["name"]);
        let cdylibs = |example: bool| {
            let targets = package["targets"].as_array().into_iter().flatten();
            let of_kind = targets.filter(move |target| has(&target["kind"], "example") == example);
            of_kind.filter(|target| has(&target["crate_types"], "cdylib")).map(|target| text(&target["name"]))
        };
        let metadata = &package["metadata"]["mizzen"];
        let components = if let Some(plugin) = metadata["plugin"].as_str() {
            let target = cdylibs(false).next();
            let target = target.with_context(|| format!("`{name}` has no library of crate-type \"cdylib\""))?;
            Components::Library { target, plugin: plugin.to_owned() }
        } else if metadata["examples"] == Value::Bool(true) {
            Components::Examples(cdylibs(true).collect())
        } else {
            return Ok(None);
        };
        Ok(Some(Self { package: name, components }))
    }

    /// The artifacts of the build, and the names of their components.
    pub(crate) fn artifacts(&self) -> Vec<(String, String)> {
        let file = |name: &str| format!("{}.wasm", name.replace('-', "_"));
        match &self.components {
            Components::Library { target, plugin } => vec![(file(target), plugin.clone())],
            Components::Examples(names) => {
                names.iter().map(|name| (format!("examples/{}", file(name)), name.clone())).collect()
            }
        }
    }
}

/// Whether a list of texts has this one.
fn has(list: &Value, text: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item == text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace() -> Workspace {
        let target = |name: &str, kind: &str, crate_type: &str| {
            let (kinds, crate_types) = ([kind], [crate_type]);
            json!({"name": name, "kind": kinds, "crate_types": crate_types})
        };
        let package = |name: &str, mizzen: Value, targets: Value| {
            let metadata = json!({"mizzen": mizzen});
            json!({"name": name, "metadata": metadata, "targets": targets})
        };
        Workspace {
            root: PathBuf::new(),
            target: PathBuf::new(),
            packages: vec![
                json!({"name": "host", "metadata": null, "targets": [target("host", "lib", "lib")]}),
                package("plugin-a", json!({"plugin": "a"}), json!([target("other-name", "lib", "cdylib")])),
                package(
                    "hostile",
                    json!({"examples": true}),
                    json!([target("x-y", "example", "cdylib"), target("native", "example", "bin")]),
                ),
                package("native", json!({"examples": false}), json!([target("native", "lib", "lib")])),
            ],
        }
    }

    fn built(names: &[&str]) -> Vec<(String, String)> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        workspace().guests(&names).unwrap().iter().flat_map(Guest::artifacts).collect()
    }

    #[test]
    fn without_names_every_plugin_is_built_from_its_librarys_file() {
        assert_eq!(built(&[]), [("other_name.wasm".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn each_cdylib_example_of_a_named_package_becomes_a_component() {
        assert_eq!(built(&["hostile"]), [("examples/x_y.wasm".to_owned(), "x-y".to_owned())]);
    }

    #[test]
    fn a_package_that_is_no_guest_is_refused_by_name() {
        for name in ["host", "native", "missing"] {
            let error = workspace().guests(&[name.to_owned()]).err().unwrap().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }

    #[test]
    fn a_plugin_without_a_cdylib_says_what_is_missing() {
        let mut workspace = workspace();
        workspace.packages[1]["targets"][0]["crate_types"] = json!(["rlib"]);
        let error = workspace.guests(&[]).err().unwrap().to_string();
        assert!(error.contains("plugin-a") && error.contains("cdylib"), "{error}");
    }
}
