//! Reconcilers, run natively against YAML. Reads are as strict as in the host: what was not declared is denied, and a field set gives
//! its own fields alone, so that a reconciler which forgot to declare a field fails in its test.

use std::cell::RefCell;
use std::path::Path;

use mizzen_model as model;
use mizzen_model::{Fields, Object, Selector, yaml};
use serde_json::Value;

use crate::{
    Access, AccessError, Description, Failure, Kind, ObjectRef, Outcome, Predecessor, Query, Reconciler, Request,
};

/// The objects that a reconciler finds. Every kind is served unless it was said that it is not.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    objects: Vec<Object>,
    unserved: Vec<Kind>,
    unavailable: Vec<Kind>,
}

struct Answering {
    cluster: Cluster,
    description: Description,
}

thread_local! {
    static ANSWERING: RefCell<Option<Answering>> = const { RefCell::new(None) };
}

impl Cluster {
    /// A cluster with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The objects of a file or folder of YAML.
    ///
    /// # Panics
    /// When they can't be read: a test has no better way to say so.
    #[must_use]
    pub fn from_dir(path: impl AsRef<Path>) -> Self {
        match yaml::load(path.as_ref()) {
            Ok(documents) => documents.into_iter().fold(Self::new(), |cluster, document| cluster.put(document.value)),
            Err(errors) => fail(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    /// These objects, too; one of the same name is replaced.
    ///
    /// # Panics
    /// When the text is no YAML of objects.
    #[must_use]
    pub fn with(self, text: &str) -> Self {
        match yaml::parse(Path::new("inline"), text) {
            Ok(documents) => documents.into_iter().fold(self, |cluster, document| cluster.put(document.value)),
            Err(error) => fail(&error.to_string()),
        }
    }

    /// A kind that the API server does not serve.
    #[must_use]
    pub fn without_kind(mut self, kind: Kind) -> Self {
        self.unserved.push(kind);
        self
    }

    /// A kind whose objects can't be read now.
    #[must_use]
    pub fn with_unavailable(mut self, kind: Kind) -> Self {
        self.unavailable.push(kind);
        self
    }

    fn put(mut self, document: Value) -> Self {
        match Object::new(document, &Fields::Whole) {
            Ok(object) => {
                self.objects.retain(|own| own.reference != object.reference);
                self.objects.push(object);
                self.objects.sort_by(|a, b| a.reference.cmp(&b.reference));
                self
            }
            Err(error) => fail(&error.to_string()),
        }
    }
}

/// Asks a reconciler about a subject (YAML), under a configuration.
///
/// # Errors
/// The reconciler's own failure; also when subject or configuration do not fit its types.
pub fn reconcile<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    ask::<R>(cluster, subject, config, Vec::new(), R::reconcile)
}

/// Asks a reconciler what must still be done before a subject goes.
///
/// # Errors
/// As [`reconcile`].
pub fn finalize<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    ask::<R>(cluster, subject, config, Vec::new(), R::finalize)
}

fn ask<R: Reconciler>(
    cluster: &Cluster,
    subject: &str,
    config: &Value,
    predecessors: Vec<Predecessor>,
    function: impl Fn(&Request<R::Spec, R::Config>) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let documents = yaml::parse(Path::new("subject"), subject).map_err(|error| Failure::invalid(error.to_string()))?;
    let subject = documents.first().ok_or_else(|| Failure::invalid("there is no subject"))?;
    let request = Request::parse(&subject.value.to_string(), &config.to_string(), predecessors)?;
    let answering = Answering { cluster: cluster.clone(), description: R::describe() };
    ANSWERING.with_borrow_mut(|slot| *slot = Some(answering));
    let outcome = function(&request);
    ANSWERING.with_borrow_mut(|slot| *slot = None);
    outcome
}

pub(crate) fn get(object: &ObjectRef, fields: Option<&str>) -> Result<Option<String>, AccessError> {
    answer(&object.kind, fields, |cluster, fields| {
        let reference = model::ObjectRef::new(kind(&object.kind), object.namespace.as_deref(), &object.name);
        let found = cluster.objects.iter().find(|own| own.reference == reference);
        Ok(found.map(|object| object.project(fields).json().to_owned()))
    })
}

pub(crate) fn list(query: &Query, mut each: impl FnMut(&str) -> Result<(), AccessError>) -> Result<(), AccessError> {
    select(query)?.iter().try_for_each(|json| each(json))
}

pub(crate) fn count(query: &Query) -> Result<u64, AccessError> {
    Ok(select(query)?.len() as u64)
}

pub(crate) fn serves(kind: &Kind) -> bool {
    ANSWERING.with_borrow(|slot| slot.as_ref().is_some_and(|answering| !answering.cluster.unserved.contains(kind)))
}

fn select(query: &Query) -> Result<Vec<String>, AccessError> {
    let selector = |text: &str| Selector::parse(text).map_err(|error| AccessError::Invalid(error.to_string()));
    let (labels, namespace_labels) = (selector(&query.labels)?, selector(&query.namespace_labels)?);
    answer(&query.kind, query.fields.as_deref(), |cluster, fields| {
        let in_namespace = |object: &&Object| {
            query.namespace.is_none() || object.reference.namespace.as_deref() == query.namespace.as_deref()
        };
        let namespace_matches = |object: &&Object| {
            namespace_labels.is_everything()
                || cluster.objects.iter().any(|namespace| {
                    &*namespace.reference.kind.name == "Namespace"
                        && Some(&namespace.reference.name) == object.reference.namespace.as_ref()
                        && namespace_labels.matches(&namespace.labels)
                })
        };
        let wanted = cluster
            .objects
            .iter()
            .filter(|object| object.reference.kind == kind(&query.kind) && labels.matches(&object.labels));
        Ok(wanted
            .filter(in_namespace)
            .filter(namespace_matches)
            .map(|object| object.project(fields).json().to_owned())
            .collect())
    })
}

/// Lets a read through as the host would.
fn answer<T>(
    asked: &Kind,
    fields: Option<&str>,
    found: impl Fn(&Cluster, &Fields) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    ANSWERING.with_borrow(|slot| {
        let Some(Answering { cluster, description }) = slot else {
            return Err(AccessError::Unavailable("nothing is being reconciled".into()));
        };
        if !description.needs.iter().any(|need| need.access == Access::Read && need.kind == *asked) {
            return Err(AccessError::Denied(format!("reading {} was not declared in `describe`", asked.name)));
        }
        if cluster.unserved.contains(asked) {
            return Err(AccessError::NotServed(format!("the API server does not serve {}", asked.name)));
        }
        if cluster.unavailable.contains(asked) {
            return Err(AccessError::Unavailable(format!("{} can't be read now", asked.name)));
        }
        let mut sets = description.field_sets.iter().filter(|set| set.kind == *asked);
        let fields = match fields {
            Some(name) => {
                let set = sets.find(|set| set.name == name);
                let set = set.ok_or_else(|| {
                    AccessError::Denied(format!("field set `{name}` of {} was not declared", asked.name))
                })?;
                Fields::parse(&set.paths).map_err(|error| AccessError::Invalid(error.to_string()))?
            }
            None if sets.next().is_some() => {
                return Err(AccessError::Denied(format!(
                    "{} is declared with field sets: name one of them",
                    asked.name
                )));
            }
            None => Fields::Whole,
        };
        found(cluster, &fields)
    })
}

fn kind(kind: &Kind) -> model::Kind {
    model::Kind::new(&kind.api_version, &kind.name)
}

#[expect(clippy::panic, reason = "it is the test that is wrong")]
fn fail(message: &str) -> ! {
    panic!("{message}")
}
