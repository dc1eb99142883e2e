//! All reconcilers and renderers of a host.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use mizzen_model::yaml::Document;
use mizzen_model::{Kind, Object};

use crate::order::{self, Edges};
use crate::problem::Problem;
use crate::reconciler::Reconciler;
use crate::renderer::Renderer;
use crate::shape;
use crate::site::{Site, Source};
use crate::validate::Checker;

/// The kind of a reconciler's document.
pub static RECONCILER: LazyLock<Kind> = LazyLock::new(|| Kind::new("mizzen.dev/v1alpha1", "Reconciler"));

/// The kind of a renderer's document.
pub static RENDERER: LazyLock<Kind> = LazyLock::new(|| Kind::new("mizzen.dev/v1alpha1", "Renderer"));

/// Reconcilers and renderers that are valid together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// In order: each after its predecessors.
    pub reconcilers: Vec<Arc<Reconciler>>,
    /// By name.
    pub renderers: Vec<Arc<Renderer>>,
}

/// A valid value with its document.
struct Checked<'a, T> {
    value: T,
    site: Site<'a>,
}

/// Valid values by the names of their documents.
type ByName<'a, T> = BTreeMap<&'a str, Checked<'a, T>>;

impl Configuration {
    /// The configuration in the documents of files.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn strict(documents: &[Document]) -> Result<Self, Vec<Problem>> {
        let (configuration, problems) = Self::from(documents, Source::Files, Picked::Ordered);
        if problems.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    /// The configuration in objects of a cluster: invalid objects are left out, and the others are
    /// used.
    pub fn lenient<'a>(objects: impl IntoIterator<Item = &'a Object>) -> (Self, Vec<Problem>) {
        let documents: Vec<_> = objects.into_iter().map(|object| Document::of(object.value())).collect();
        Self::from(&documents, Source::Cluster, Picked::Ordered)
    }

    /// Everything in the documents of files that is valid by itself, unordered, and everything that
    /// is wrong. For reports of as many problems as possible, not to be run.
    pub fn survey(documents: &[Document]) -> (Self, Vec<Problem>) {
        Self::from(documents, Source::Files, Picked::All)
    }

    fn from(documents: &[Document], source: Source, picked: Picked) -> (Self, Vec<Problem>) {
        let sites: Vec<_> = documents.iter().map(|document| Site::new(document, source)).collect();
        let mut problems = Vec::new();
        let reconcilers = by_name(&sites, &RECONCILER, &mut problems, Checker::reconciler);
        let renderers = by_name(&sites, &RENDERER, &mut problems, Checker::renderer);
        if source == Source::Files {
            problems.extend(sites.iter().filter_map(nearly_ours));
        }
        problems.extend(unknown_names(&sites));
        let ordered = order(&reconcilers, source, &mut problems);
        let reconcilers = match picked {
            Picked::Ordered => ordered,
            Picked::All => reconcilers.into_values().map(|checked| Arc::new(checked.value)).collect(),
        };
        let renderers = renderers.into_values().map(|checked| Arc::new(checked.value)).collect();
        problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        (Self { reconcilers, renderers }, problems)
    }
}

/// Which reconcilers are picked.
#[derive(Clone, Copy)]
enum Picked {
    /// Those that have a place in the order.
    Ordered,
    /// All with a valid document.
    All,
}

/// The valid documents of one kind, by name. What is wrong with the others is added to `problems`.
fn by_name<'a, T>(
    sites: &[Site<'a>],
    kind: &Kind,
    problems: &mut Vec<Problem>,
    check: impl Fn(&mut Checker<'a>) -> Option<T>,
) -> ByName<'a, T> {
    let mut found = ByName::new();
    for &site in sites.iter().filter(|site| is(site, kind)) {
        let mut checker = Checker::new(site);
        if let Some(value) = check(&mut checker) {
            match found.get(site.name()) {
                Some(Checked { site: first, .. }) => {
                    checker.wrong("metadata.name", format!("`{}` is a duplicate of the one at {first}", site.name()));
                }
                None => drop(found.insert(site.name(), Checked { value, site })),
            }
        }
        problems.extend(checker.problems);
    }
    found
}

/// Finds a document that is probably meant for this host but has another kind: nearly our kind in
/// nearly our group, or the spec of a reconciler without its kind.
fn nearly_ours(site: &Site<'_>) -> Option<Problem> {
    let text = |field: &str| site.document.value[field].as_str();
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        let missing = if text("kind").is_none() { "kind" } else { "apiVersion" };
        let message =
            format!("is missing: write `apiVersion: {}` and `kind: {}`", RECONCILER.api_version, RECONCILER.name);
        return site.document.value["spec"]["component"].is_object().then(|| site.problem(missing, message));
    };
    let near = |own: &str, other: &str| strsim::damerau_levenshtein(&own.to_lowercase(), &other.to_lowercase()) <= 2;
    let own = [&RECONCILER, &RENDERER].into_iter().find(|own| near(&own.name, kind))?;
    let (group, _) = api_version.split_once('/').unwrap_or((api_version, ""));
    if !near(own.group(), group) && api_version != own.version() {
        return None;
    }
    if *own.name != *kind {
        return Some(site.problem("kind", format!("`{kind}` is not known; did you mean `{}`?", own.name)));
    }
    if *own.api_version != *api_version {
        return Some(site.problem("apiVersion", format!("`{api_version}` is not served; write `{}`", own.api_version)));
    }
    None
}

/// Names in `after` and `afterAny` that no document has. The name of an invalid document is known.
fn unknown_names(sites: &[Site<'_>]) -> Vec<Problem> {
    let ours: Vec<_> = sites.iter().filter(|site| is(site, &RECONCILER)).collect();
    let known: Vec<_> = ours.iter().map(|site| site.name().to_owned()).collect();
    ours.iter().flat_map(|site| ["after", "afterAny"].map(|field| unknown_in(site, field, &known))).flatten().collect()
}

fn unknown_in(site: &Site<'_>, field: &str, known: &[String]) -> Vec<Problem> {
    let names = site.document.value["spec"][field].as_array().into_iter().flatten().enumerate();
    let names = names.filter_map(|(at, name)| Some((at, name.as_str()?)));
    let unknown = names.filter(|(_, name)| !known.iter().any(|known| known == name));
    let problem = |(at, name)| {
        let message = format!("no reconciler has this name: {}", shape::unknown(name, known));
        site.problem(&format!("spec.{field}[{at}]"), message)
    };
    unknown.map(problem).collect()
}

/// Puts reconcilers in order. Those in a cycle, or behind an invalid predecessor, are left out. For
/// files that is an error; for objects of a cluster, their statuses report it.
fn order(found: &ByName<'_, Reconciler>, source: Source, problems: &mut Vec<Problem>) -> Vec<Arc<Reconciler>> {
    let predecessors = |reconciler: &'_ Reconciler| -> Vec<String> {
        reconciler.after.iter().chain(&reconciler.after_any).cloned().collect()
    };
    let names: Vec<_> = found.iter().map(|(name, checked)| (*name, predecessors(&checked.value))).collect();
    let edges: Edges<'_> =
        names.iter().map(|(name, before)| (*name, before.iter().map(|name| &**name).collect())).collect();
    for cycle in order::cycles(&edges) {
        // For files, one line reports the cycle; in the cluster, the status of each of its objects
        // does.
        let members = if source == Source::Files { 1 } else { cycle.len() };
        let reported = (0..members).filter_map(|at| Some(in_cycle(found.get(cycle[at])?, &cycle, at)));
        problems.extend(reported);
    }
    order::sorted(&edges).into_iter().filter_map(|name| Some(Arc::new(found.get(name)?.value.clone()))).collect()
}

/// The problem of one member of a cycle.
fn in_cycle(member: &Checked<'_, Reconciler>, cycle: &[&str], at: usize) -> Problem {
    let steps = (0..=cycle.len()).map(|step| cycle[(at + step) % cycle.len()]);
    let around = steps.collect::<Vec<_>>().join(" → ");
    let field = step(&member.value, cycle[(at + cycle.len() - 1) % cycle.len()]);
    member.site.problem(&field, format!("the order has a cycle: {around}; remove one of these steps"))
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

fn is(site: &Site<'_>, kind: &Kind) -> bool {
    site.document.value["apiVersion"] == *kind.api_version && site.document.value["kind"] == *kind.name
}

#[cfg(test)]
mod tests;
