//! Puts the parts together: configuration, catalog and sandbox to what the engine runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use mizzen_catalog::{Catalog, Entry, Loader};
use mizzen_config::{Configuration, Limits, Problem};
use mizzen_engine::NodeSpec;
use mizzen_model::Invoke;
use mizzen_model::yaml::{self, Document};
use mizzen_sandbox::{Sandbox, SandboxOptions};

use crate::args;

/// The sandbox, as the catalog loads through it.
struct SandboxLoader(Sandbox);

#[async_trait]
impl Loader for SandboxLoader {
    async fn load(&self, bytes: Vec<u8>, limits: Limits) -> Result<Arc<dyn Invoke>, String> {
        let component = self.0.load(bytes).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(component.with_limits(limits)))
    }
}

/// A sandbox as the command line wants it.
pub(crate) fn sandbox(args: &args::Sandbox) -> anyhow::Result<Sandbox> {
    Ok(Sandbox::new(SandboxOptions { cache: args.cache.clone(), ..SandboxOptions::default() })?)
}

/// An empty catalog on a sandbox.
pub(crate) fn catalog(sandbox: Sandbox, plugins: Option<PathBuf>) -> Catalog {
    Catalog::new(Arc::new(SandboxLoader(sandbox)), plugins)
}

/// What the engine runs of a catalog's entries.
pub(crate) fn nodes(entries: &[Entry]) -> Vec<NodeSpec> {
    let node = |entry: &Entry| NodeSpec {
        reconciler: Arc::clone(&entry.reconciler),
        invoke: entry.invoke.clone().ok_or_else(|| entry.problems.join("; ")),
    };
    entries.iter().map(node).collect()
}

/// All documents of files and folders.
///
/// # Errors
/// Everything that can't be read, at once.
pub(crate) fn documents(files: &[PathBuf]) -> anyhow::Result<Vec<Document>> {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        match yaml::load(file) {
            Ok(found) => documents.extend(found),
            Err(found) => errors.extend(found.iter().map(ToString::to_string)),
        }
    }
    if errors.is_empty() { Ok(documents) } else { anyhow::bail!(errors.join("\n")) }
}

/// The configuration among documents.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub(crate) fn configuration(documents: &[Document]) -> anyhow::Result<Configuration> {
    Configuration::strict(documents).map_err(|problems| anyhow::anyhow!(list(&problems)))
}

/// The configuration of files.
pub(crate) fn configuration_of(files: &[PathBuf]) -> anyhow::Result<Configuration> {
    configuration_among(&documents(files)?, files)
}

/// The configuration among the documents of files, in which there must be one.
pub(crate) fn configuration_among(documents: &[Document], files: &[PathBuf]) -> anyhow::Result<Configuration> {
    let configuration = configuration(documents)?;
    if configuration.reconcilers.is_empty() {
        let files = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
        anyhow::bail!("{files}: there is no document of kind `Reconciler` (apiVersion `mizzen.dev/v1alpha1`)");
    }
    Ok(configuration)
}

/// What is wrong with entries, a line each, with the place of the document.
pub(crate) fn problems(entries: &[Entry]) -> Vec<String> {
    let of = |entry: &Entry| {
        let (origin, name) = (entry.reconciler.origin.to_string(), entry.reconciler.name.clone());
        entry.problems.iter().map(move |problem| format!("{origin}: {name}: {problem}")).collect::<Vec<_>>()
    };
    entries.iter().flat_map(of).collect()
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads one component.
pub(crate) async fn component(sandbox: &Sandbox, file: &Path) -> anyhow::Result<mizzen_sandbox::Component> {
    sandbox.load_file(file).await.with_context(|| file.display().to_string())
}
