//! Reads what the command line names: documents, configuration, one component.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mizzen_config::{Configuration, Problem};
use mizzen_model::yaml::{self, Document, YamlError};
use mizzen_sandbox::{Sandbox, SandboxOptions};

use crate::{args, progress};

/// A sandbox as the command line wants it. Without a word about where to keep compiled components, they are kept where a user keeps
/// such things; where that can't be, they are not kept.
pub(crate) fn sandbox(args: &args::Sandbox) -> anyhow::Result<Sandbox> {
    let with = |cache| Sandbox::new(SandboxOptions { cache, ..SandboxOptions::default() });
    match (&args.cache, default_cache(|name| std::env::var_os(name).map(PathBuf::from))) {
        (None, Some(folder)) => match with(Some(folder)) {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                tracing::warn!(%error, "components are compiled anew each time");
                Ok(with(None)?)
            }
        },
        (cache, _) => Ok(with(cache.clone())?),
    }
}

/// The folder of compiled components, be it the one by default.
pub(crate) fn cache(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    given
        .or_else(|| default_cache(|name| std::env::var_os(name).map(PathBuf::from)))
        .context("there is nowhere to keep what is compiled: give a folder with `--cache`")
}

/// Where compiled components are kept by default.
fn default_cache(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // The specification of these folders: a path that is not absolute is to be ignored.
    let folder = |name| variable(name).filter(|path| path.is_absolute());
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("mizzen/components"))
}

/// All documents of files and folders.
///
/// # Errors
/// Everything that can't be read, at once.
pub(crate) fn documents(files: &[PathBuf]) -> anyhow::Result<Vec<Document>> {
    let (documents, errors) = survey(files);
    if errors.is_empty() {
        return Ok(documents);
    }
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    anyhow::bail!(errors.join("\n"))
}

/// All documents of files and folders that can be read, and why the others can't.
pub(crate) fn survey(files: &[PathBuf]) -> (Vec<Document>, Vec<YamlError>) {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for (found, wrong) in files.iter().map(|file| yaml::survey(file)) {
        documents.extend(found);
        errors.extend(wrong);
    }
    (documents, errors)
}

/// The configuration among documents.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub(crate) fn configuration(documents: &[Document]) -> anyhow::Result<Configuration> {
    Configuration::strict(documents).map_err(|problems| anyhow::anyhow!(lines(&problems).join("\n")))
}

/// The configuration of files.
pub(crate) fn configuration_of(files: &[PathBuf]) -> anyhow::Result<Configuration> {
    configuration_among(&documents(files)?, files)
}

/// The configuration among the documents of files, in which there must be one.
pub(crate) fn configuration_among(documents: &[Document], files: &[PathBuf]) -> anyhow::Result<Configuration> {
    let configuration = configuration(documents)?;
    if configuration.reconcilers.is_empty() {
        return Err(no_reconciler(files));
    }
    Ok(configuration)
}

/// What to say of files without a reconciler.
pub(crate) fn no_reconciler(files: &[PathBuf]) -> anyhow::Error {
    let files = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    anyhow::anyhow!("{files}: there is no document of kind `Reconciler` (apiVersion `mizzen.dev/v1alpha1`)")
}

/// Problems as lines.
pub(crate) fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Reads one component.
pub(crate) async fn component(sandbox: &Sandbox, file: &Path) -> anyhow::Result<mizzen_sandbox::Component> {
    progress::while_loading(file, sandbox.load_file(file)).await.with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_components_are_kept_where_a_user_keeps_such_things() {
        let of = |set: &'static [(&str, &str)]| {
            default_cache(|name| set.iter().find(|(own, _)| *own == name).map(|(_, value)| PathBuf::from(value)))
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(of(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), path("/c/mizzen/components"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), path("/h/.cache/mizzen/components"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "")]), None);
    }
}
