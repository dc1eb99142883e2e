//! Reads what the command line names: documents, a configuration, a component.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mizzen_config::{Configuration, Problem};
use mizzen_model::yaml::{self, Document, YamlError};
use mizzen_sandbox::{Sandbox, SandboxOptions};

use crate::report::Errors;
use crate::{args, progress};

/// Sets up the sandbox. Without `--cache`, compiled components go to the user's cache folder; if
/// that can't be used, they are not kept.
pub(crate) fn sandbox(args: &args::Sandbox) -> anyhow::Result<Sandbox> {
    let with = |cache| Sandbox::new(SandboxOptions { cache, ..SandboxOptions::default() });
    match (&args.cache, default_cache(|name| std::env::var_os(name).map(PathBuf::from))) {
        (None, Some(folder)) => match with(Some(folder)) {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                tracing::warn!(%error, "no cache: components are compiled at each start");
                Ok(with(None)?)
            }
        },
        (cache, _) => Ok(with(cache.clone())?),
    }
}

/// The folder of compiled components: the given one, or the default.
pub(crate) fn cache(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    given
        .or_else(|| default_cache(|name| std::env::var_os(name).map(PathBuf::from)))
        .context("there is no cache folder: name one with `--cache`")
}

/// The default folder of compiled components, by the XDG Base Directory Specification.
fn default_cache(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // The specification says that relative paths are to be ignored.
    let folder = |name| variable(name).filter(|path| path.is_absolute());
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("mizzen/components"))
}

/// Reads all documents of files and folders.
///
/// # Errors
/// Every document that can't be read.
pub(crate) fn documents(files: &[PathBuf]) -> Result<Vec<Document>, Errors> {
    let (documents, errors) = survey(files);
    Errors::check(errors).map(|()| documents)
}

/// Reads the documents of files and folders, and returns an error for each that can't be read.
pub(crate) fn survey(files: &[PathBuf]) -> (Vec<Document>, Vec<YamlError>) {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for (found, wrong) in files.iter().map(|file| yaml::survey(file)) {
        documents.extend(found);
        errors.extend(wrong);
    }
    (documents, errors)
}

/// Validates the configuration among documents.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn configuration(documents: &[Document]) -> Result<Configuration, Errors> {
    Configuration::strict(documents).map_err(Errors::of)
}

/// Reads and validates the configuration in files, which must have a reconciler.
pub(crate) fn configuration_of(files: &[PathBuf]) -> anyhow::Result<Configuration> {
    configuration_among(&documents(files)?, files)
}

/// Validates the configuration among the documents of files, which must have a reconciler.
pub(crate) fn configuration_among(documents: &[Document], files: &[PathBuf]) -> anyhow::Result<Configuration> {
    let configuration = configuration(documents)?;
    if configuration.reconcilers.is_empty() {
        return Err(no_reconciler(files));
    }
    Ok(configuration)
}

/// The error for files without a reconciler.
pub(crate) fn no_reconciler(files: &[PathBuf]) -> anyhow::Error {
    let files = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    anyhow::anyhow!("{files}: no document of kind `Reconciler` (apiVersion `mizzen.dev/v1alpha1`) found")
}

/// Returns each problem as a line.
pub(crate) fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Loads one component.
pub(crate) async fn component(sandbox: &Sandbox, file: &Path) -> anyhow::Result<mizzen_sandbox::Component> {
    progress::while_loading(file, sandbox.load_file(file)).await.with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_components_go_to_the_cache_folder_of_the_user() {
        let of = |set: &'static [(&str, &str)]| {
            default_cache(|name| set.iter().find(|(own, _)| *own == name).map(|(_, value)| PathBuf::from(value)))
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(of(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), path("/c/mizzen/components"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), path("/h/.cache/mizzen/components"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "")]), None);
    }
}
