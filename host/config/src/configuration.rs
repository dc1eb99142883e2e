//! All reconcilers of a host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use mizzen_model::yaml::Document;
use mizzen_model::{Kind, Object};

use crate::order::{self, Edges};
use crate::problem::Problem;
use crate::reconciler::{Origin, Reconciler};
use crate::shape;
use crate::validate::{Checker, problem};

/// The kind of a reconciler's document.
pub static RECONCILER: LazyLock<Kind> = LazyLock::new(|| Kind::new("mizzen.dev/v1alpha1", "Reconciler"));

/// Reconcilers that make sense together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// Each after all that it comes after.
    pub reconcilers: Vec<Arc<Reconciler>>,
}

impl Configuration {
    /// The reconcilers among the documents of files.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn strict(documents: &[Document]) -> Result<Self, Vec<Problem>> {
        let (configuration, problems) = Self::from(documents, true);
        if problems.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    /// The reconcilers among objects of a cluster: those that are wrong are left out, and the others run.
    pub fn lenient<'a>(objects: impl IntoIterator<Item = &'a Object>) -> (Self, Vec<Problem>) {
        let documents: Vec<_> = objects
            .into_iter()
            .map(|object| Document {
                file: Path::new("").to_owned(),
                line: 1,
                text: String::new(),
                value: object.value(),
            })
            .collect();
        Self::from(&documents, false)
    }

    fn from(documents: &[Document], from_file: bool) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut found: BTreeMap<String, (Reconciler, &Document)> = BTreeMap::new();
        for document in documents.iter().filter(|document| is_reconciler(document)) {
            let origin = if from_file {
                Origin::File { file: document.file.clone(), line: document.line }
            } else {
                Origin::Cluster
            };
            let mut checker = Checker::new(document, &origin);
            if let Some(reconciler) = checker.reconciler(origin) {
                if let Some((first, _)) = found.get(&reconciler.name) {
                    checker
                        .wrong("metadata.name", format!("`{}` is there already, at {}", reconciler.name, first.origin));
                } else {
                    found.insert(reconciler.name.clone(), (reconciler, document));
                }
            }
            problems.extend(checker.problems);
        }
        for document in documents {
            problems.extend(stranger(document, from_file));
        }
        problems.extend(unknown_names(&found, documents, from_file));
        let configuration = order(&found, from_file, &mut problems);
        (configuration, problems)
    }
}

/// A document that was meant for us and is not one of ours.
fn stranger(document: &Document, from_file: bool) -> Option<Problem> {
    let (api_version, kind) = (document.value["apiVersion"].as_str()?, document.value["kind"].as_str()?);
    let misspelt =
        kind == "Reconciler" && api_version.starts_with("mizzen.dev/") && api_version != &*RECONCILER.api_version;
    let name = document.value["metadata"]["name"].as_str().unwrap_or_default();
    let message = format!("`{api_version}` is not served; write `{}`", RECONCILER.api_version);
    misspelt.then(|| problem(document, from_file, name, "apiVersion", message))
}

/// Names in `after` and `afterAny` that nobody has. A name whose document is wrong is known, and reported as what it is.
fn unknown_names(
    found: &BTreeMap<String, (Reconciler, &Document)>,
    documents: &[Document],
    from_file: bool,
) -> Vec<Problem> {
    let ours = documents.iter().filter(|document| is_reconciler(document));
    let known: Vec<_> =
        ours.filter_map(|document| document.value["metadata"]["name"].as_str().map(str::to_owned)).collect();
    let mut problems = Vec::new();
    for (reconciler, document) in found.values() {
        for (field, names) in [("spec.after", &reconciler.after), ("spec.afterAny", &reconciler.after_any)] {
            for (at, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(name)) {
                let message = format!("no reconciler has this name: {}", shape::unknown(name, &known));
                problems.push(problem(document, from_file, &reconciler.name, &format!("{field}[{at}]"), message));
            }
        }
    }
    problems
}

/// Puts reconcilers in order. Those that can't be (a cycle, or something before them that is wrong) are left out; of a file, that is
/// the end of it; of a cluster, their statuses say so.
fn order(
    found: &BTreeMap<String, (Reconciler, &Document)>,
    from_file: bool,
    problems: &mut Vec<Problem>,
) -> Configuration {
    let before = |reconciler: &'_ Reconciler| -> Vec<String> {
        reconciler.after.iter().chain(&reconciler.after_any).cloned().collect()
    };
    let names: BTreeMap<String, Vec<String>> =
        found.values().map(|(reconciler, _)| (reconciler.name.clone(), before(reconciler))).collect();
    let edges: Edges<'_> =
        names.iter().map(|(name, before)| (&**name, before.iter().map(|name| &**name).collect())).collect();
    for cycle in order::cycles(&edges) {
        let Some((reconciler, document)) = cycle.first().and_then(|first| found.get(*first)) else { continue };
        let around = cycle.iter().chain(cycle.first()).copied().collect::<Vec<_>>().join(" → ");
        let field = if reconciler.after.is_empty() { "spec.afterAny" } else { "spec.after" };
        let message = format!("the order goes in a circle: {around}; take one of these steps out");
        problems.push(problem(document, from_file, &reconciler.name, field, message));
    }
    let reconcilers =
        order::sorted(&edges).into_iter().filter_map(|name| Some(Arc::new(found.get(name)?.0.clone()))).collect();
    Configuration { reconcilers }
}

fn is_reconciler(document: &Document) -> bool {
    document.value["apiVersion"] == *RECONCILER.api_version && document.value["kind"] == *RECONCILER.name
}

#[cfg(test)]
mod tests;
