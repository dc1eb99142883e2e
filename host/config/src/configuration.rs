//! All reconcilers and renderers of a host.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use mizzen_model::yaml::Document;
use mizzen_model::{Kind, Object};

use crate::order::{self, Edges};
use crate::problem::Problem;
use crate::reconciler::{Origin, Reconciler};
use crate::renderer::Renderer;
use crate::shape;
use crate::validate::{Checker, problem};

/// The kind of a reconciler's document.
pub static RECONCILER: LazyLock<Kind> = LazyLock::new(|| Kind::new("mizzen.dev/v1alpha1", "Reconciler"));

/// The kind of a renderer's document.
pub static RENDERER: LazyLock<Kind> = LazyLock::new(|| Kind::new("mizzen.dev/v1alpha1", "Renderer"));

/// Reconcilers and renderers that make sense together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// Each after all that it comes after.
    pub reconcilers: Vec<Arc<Reconciler>>,
    /// By name.
    pub renderers: Vec<Arc<Renderer>>,
}

impl Configuration {
    /// What is configured by the documents of files.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn strict(documents: &[Document]) -> Result<Self, Vec<Problem>> {
        let (configuration, problems) = Self::from(documents, true, Picked::Ordered);
        if problems.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    /// What is configured by objects of a cluster: those that are wrong are left out, and the others run.
    pub fn lenient<'a>(objects: impl IntoIterator<Item = &'a Object>) -> (Self, Vec<Problem>) {
        let documents: Vec<_> = objects.into_iter().map(|object| Document::of(object.value())).collect();
        Self::from(&documents, false, Picked::Ordered)
    }

    /// Everything in the documents of files that makes sense by itself, in no order, and everything that is wrong: to find out as much
    /// as possible at once, not to be run.
    pub fn survey(documents: &[Document]) -> (Self, Vec<Problem>) {
        Self::from(documents, true, Picked::All)
    }

    fn from(documents: &[Document], from_file: bool, picked: Picked) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let reconcilers = each(documents, &RECONCILER, from_file, &mut problems, Checker::reconciler);
        let renderers = each(documents, &RENDERER, from_file, &mut problems, Checker::renderer);
        if from_file {
            problems.extend(documents.iter().filter_map(stranger));
        }
        problems.extend(unknown_names(documents, from_file));
        let ordered = order(&reconcilers, from_file, &mut problems);
        let reconcilers = match picked {
            Picked::Ordered => ordered,
            Picked::All => reconcilers.into_values().map(|(reconciler, _)| Arc::new(reconciler)).collect(),
        };
        let renderers = renderers.into_values().map(|(renderer, _)| Arc::new(renderer)).collect();
        problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        (Self { reconcilers, renderers }, problems)
    }
}

/// Which reconcilers are wanted.
#[derive(Clone, Copy)]
enum Picked {
    /// Those that have their place in the order.
    Ordered,
    /// All whose documents are right.
    All,
}

/// The documents of one kind, by name, as far as they are right. What is wrong with the others is added to `problems`.
fn each<'a, T>(
    documents: &'a [Document],
    kind: &Kind,
    from_file: bool,
    problems: &mut Vec<Problem>,
    check: impl Fn(&mut Checker<'a>, Origin) -> Option<T>,
) -> BTreeMap<String, (T, &'a Document)> {
    let mut found: BTreeMap<String, (T, &Document)> = BTreeMap::new();
    for document in documents.iter().filter(|document| is(document, kind)) {
        let origin = |document: &Document| {
            if !from_file {
                return Origin::Cluster;
            }
            Origin::File { file: document.file.clone(), line: document.line, lines: document.lines() }
        };
        let mut checker = Checker::new(document, &origin(document));
        if let Some(checked) = check(&mut checker, origin(document)) {
            let name = document.value["metadata"]["name"].as_str().unwrap_or_default();
            if let Some((_, first)) = found.get(name) {
                checker.wrong("metadata.name", format!("`{name}` is there already, at {}", origin(first)));
            } else {
                found.insert(name.to_owned(), (checked, document));
            }
        }
        problems.extend(checker.problems);
    }
    found
}

/// A document that was meant for us and is not one of ours: nearly our kind in nearly our group, or what a reconciler is made of
/// without saying that it is one.
fn stranger(document: &Document) -> Option<Problem> {
    let text = |field: &str| document.value[field].as_str();
    let name = document.value["metadata"]["name"].as_str().unwrap_or_default();
    let wrong = |field: &str, message: String| Some(problem(document, true, name, field, message));
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        let missing = if text("kind").is_none() { "kind" } else { "apiVersion" };
        let message =
            format!("is missing: write `apiVersion: {}` and `kind: {}`", RECONCILER.api_version, RECONCILER.name);
        return document.value["spec"]["component"].is_object().then(|| wrong(missing, message))?;
    };
    let near = |own: &str, other: &str| strsim::damerau_levenshtein(&own.to_lowercase(), &other.to_lowercase()) <= 2;
    let own = [&RECONCILER, &RENDERER].into_iter().find(|own| near(&own.name, kind))?;
    let (group, _) = api_version.split_once('/').unwrap_or((api_version, ""));
    if !near(own.group(), group) && api_version != own.version() {
        return None;
    }
    if *own.name != *kind {
        return wrong("kind", format!("`{kind}` is not known; did you mean `{}`?", own.name));
    }
    if *own.api_version != *api_version {
        return wrong("apiVersion", format!("`{api_version}` is not served; write `{}`", own.api_version));
    }
    None
}

/// Names in `after` and `afterAny` that nobody has. A name whose document is wrong is known, and reported as what it is.
fn unknown_names(documents: &[Document], from_file: bool) -> Vec<Problem> {
    let name = |document: &Document| document.value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let ours: Vec<_> = documents.iter().filter(|document| is(document, &RECONCILER)).collect();
    let known: Vec<_> = ours.iter().map(|document| name(document)).collect();
    let mut problems = Vec::new();
    for document in ours {
        for field in ["after", "afterAny"] {
            let names = document.value["spec"][field].as_array().into_iter().flatten().enumerate();
            for (at, other) in names.filter_map(|(at, other)| Some((at, other.as_str()?))) {
                if !known.iter().any(|known| known == other) {
                    let message = format!("no reconciler has this name: {}", shape::unknown(other, &known));
                    let field = format!("spec.{field}[{at}]");
                    problems.push(problem(document, from_file, &name(document), &field, message));
                }
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
) -> Vec<Arc<Reconciler>> {
    let before = |reconciler: &'_ Reconciler| -> Vec<String> {
        reconciler.after.iter().chain(&reconciler.after_any).cloned().collect()
    };
    let names: BTreeMap<String, Vec<String>> =
        found.values().map(|(reconciler, _)| (reconciler.name.clone(), before(reconciler))).collect();
    let edges: Edges<'_> =
        names.iter().map(|(name, before)| (&**name, before.iter().map(|name| &**name).collect())).collect();
    for cycle in order::cycles(&edges) {
        // Of files, one line says it; in the cluster, the status of each object on the circle does.
        let members = if from_file { 1 } else { cycle.len() };
        for (at, name) in cycle.iter().enumerate().take(members) {
            let Some((reconciler, document)) = found.get(*name) else { continue };
            let steps = (0..=cycle.len()).map(|step| cycle[(at + step) % cycle.len()]);
            let around = steps.collect::<Vec<_>>().join(" → ");
            let message = format!("the order goes in a circle: {around}; take one of these steps out");
            let field = step(reconciler, cycle[(at + cycle.len() - 1) % cycle.len()]);
            problems.push(problem(document, from_file, &reconciler.name, &field, message));
        }
    }
    order::sorted(&edges).into_iter().filter_map(|name| Some(Arc::new(found.get(name)?.0.clone()))).collect()
}

/// The field that puts a reconciler after another one.
fn step(reconciler: &Reconciler, other: &str) -> String {
    let at = |names: &[String]| names.iter().position(|name| name == other);
    match (at(&reconciler.after), at(&reconciler.after_any)) {
        (Some(at), _) => format!("spec.after[{at}]"),
        (None, Some(at)) => format!("spec.afterAny[{at}]"),
        (None, None) => "spec.after".to_owned(),
    }
}

fn is(document: &Document, kind: &Kind) -> bool {
    document.value["apiVersion"] == *kind.api_version && document.value["kind"] == *kind.name
}

#[cfg(test)]
mod tests;
