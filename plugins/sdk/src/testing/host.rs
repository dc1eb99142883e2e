//! Reads, checked and served as the host does it.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::time::Duration;

use mizzen_model as model;
use mizzen_model::{Fields, Object, Selector, TextTest, Values};

use super::cluster::{Cluster, Function};
use super::servers;
use crate::access::AccessError;
use crate::describe::{Access, Description};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::identity::{Kind, ObjectRef};
use crate::log::level::Level;
use crate::query::{Query, Text};
use crate::renderers::renderer::{RenderError, Renderer};

/// Objects per page: few, so that a reconciler's tests see several pages.
const PAGE: usize = 2;

struct Serving {
    cluster: Cluster,
    description: Description,
}

thread_local! {
    static SERVING: RefCell<Option<Serving>> = const { RefCell::new(None) };
}

/// Ends the service when a reconciler returns or panics.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        SERVING.with_borrow_mut(|slot| *slot = None);
    }
}

/// Serves the reads that `function` makes on this thread.
pub(super) fn serving<T>(cluster: &Cluster, description: &Description, function: impl FnOnce() -> T) -> T {
    let serving = Serving { cluster: cluster.clone(), description: description.clone() };
    SERVING.with_borrow_mut(|slot| *slot = Some(serving));
    let _ends = Ends;
    function()
}

/// A position in a list.
#[derive(Debug)]
pub(crate) struct Cursor(std::vec::IntoIter<String>);

impl Cursor {
    /// The next objects; empty at the end.
    pub(crate) fn page(&mut self) -> Vec<String> {
        self.0.by_ref().take(PAGE).collect()
    }
}

pub(crate) fn get(object: &ObjectRef, fields: Option<&str>) -> Result<Option<String>, AccessError> {
    with(|host| {
        let fields = host.admit(&object.kind, fields)?;
        let reference = model::ObjectRef::new(kind(&object.kind), object.namespace.as_deref(), &object.name);
        let found = host.cluster.objects.iter().find(|own| own.reference == reference);
        Ok(found.map(|object| object.text(&fields).into_owned()))
    })
}

pub(crate) fn list(query: &Query) -> Result<Cursor, AccessError> {
    with(|host| Ok(Cursor(host.select(query)?.into_iter())))
}

pub(crate) fn count(query: &Query) -> Result<u64, AccessError> {
    with(|host| Ok(host.select(query)?.len() as u64))
}

/// The host ends a call that asks for a kind which it did not declare; here, that is a panic.
pub(crate) fn serves(kind: &Kind) -> bool {
    let declared = |host: &Serving| {
        let description = &host.description;
        description.subject == *kind || description.needs.iter().any(|need| need.kind == *kind)
    };
    with(|host| Ok((declared(host), !host.cluster.unserved.contains(kind)))).is_ok_and(|(declared, served)| {
        assert!(declared, "`serves` of {} {}, which `describe` does not declare", kind.api_version, kind.name);
        served
    })
}

pub(crate) fn renderers() -> Vec<Renderer> {
    with(|host| Ok(host.granted().iter().map(|own| own.renderer.clone()).collect())).unwrap_or_default()
}

pub(crate) fn render(renderer: &str, document: &str) -> Result<Vec<String>, RenderError> {
    let denied = || AccessError::Denied(format!("renderer `{renderer}` is not granted"));
    let found = with(|host| {
        if host.description.renderers.is_empty() {
            return Err(AccessError::Denied("calling renderers is not declared in `describe`".into()));
        }
        host.granted().iter().find(|own| own.renderer.name == renderer).cloned().ok_or_else(denied)
    })?;
    let document = serde_json::from_str(document).map_err(|error| AccessError::Invalid(error.to_string()))?;
    // Outside of `with`: nothing is borrowed while a test's own code runs.
    Ok((found.body)(&document)?.iter().map(ToString::to_string).collect())
}

pub(crate) fn send(request: &Request) -> Result<Response, AccessError> {
    let servers = with(|host| {
        servers::admit(&host.description, request)?;
        Ok(host.cluster.servers.clone())
    })?;
    // Outside of `with`: nothing is borrowed while a test's own code runs.
    servers.send(request)
}

pub(crate) fn now() -> Duration {
    let whole = |now: Duration| Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    with(|host| Ok(whole(host.cluster.now))).unwrap_or_default()
}

pub(crate) fn log(level: Level, message: &str, fields: &[(String, String)]) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    eprintln!("{level:?} {message} {}", fields.join(" "));
}

fn with<T>(function: impl FnOnce(&Serving) -> Result<T, AccessError>) -> Result<T, AccessError> {
    SERVING.with_borrow(|slot| match slot {
        Some(host) => function(host),
        None => Err(AccessError::Unavailable("nothing is being reconciled".into())),
    })
}

impl Serving {
    /// Checks that a read was declared; returns the fields that it includes.
    fn admit(&self, kind: &Kind, fields: Option<&str>) -> Result<Fields, AccessError> {
        let Self { cluster, description } = self;
        if *kind == Kind::new("v1", "Secret") {
            return Err(AccessError::Denied("plugins never see Secrets; declare a credential instead".into()));
        }
        if !description.declares(Access::Read, kind) {
            return Err(AccessError::Denied(format!("reading {} is not declared in `describe`", kind.name)));
        }
        let fields = match fields {
            Some(name) => {
                let set =
                    description.field_sets.iter().find(|set| set.name == name).ok_or_else(|| {
                        AccessError::Denied(format!("field set `{name}` is not declared in `describe`"))
                    })?;
                if set.kind != *kind {
                    let (of, read) = (&set.kind.name, &kind.name);
                    return Err(AccessError::Invalid(format!("field set `{name}` is of {of}, not of {read}")));
                }
                Fields::parse(&set.paths).map_err(|error| AccessError::Invalid(error.to_string()))?
            }
            None if description.field_sets.iter().any(|set| set.kind == *kind) => {
                let name = &kind.name;
                return Err(AccessError::Denied(format!("{name} is declared with field sets: name one of them")));
            }
            None => Fields::Whole,
        };
        if cluster.unserved.contains(kind) {
            return Err(AccessError::NotServed(format!("the API server does not serve {}", kind.name)));
        }
        if cluster.unavailable.contains(kind) {
            return Err(AccessError::Unavailable(format!("{} can't be read now", kind.name)));
        }
        Ok(fields)
    }

    fn select(&self, query: &Query) -> Result<Vec<String>, AccessError> {
        let selector = |text: &str| Selector::parse(text).map_err(|error| AccessError::Invalid(error.to_string()));
        let (labels, namespace_labels) = (selector(&query.labels)?, selector(&query.namespace_labels)?);
        let fields = self.admit(&query.kind, query.fields.as_deref())?;
        let values = query.values.as_deref().map(parse).transpose()?;
        if let Some(values) = &values {
            let admitted = values.admit(query.fields.as_deref(), &fields);
            admitted.map_err(|why| AccessError::Denied(why.to_string()))?;
        }
        let namespaces =
            if namespace_labels.is_everything() { None } else { Some(self.namespaces(&namespace_labels)?) };
        let selected = |object: &&Object| {
            let namespace = object.reference.namespace.as_deref();
            (query.namespace.is_none() || namespace == query.namespace.as_deref())
                && labels.matches(&object.labels)
                && values.as_ref().is_none_or(|values| values.matches(&object.value()))
                && namespaces.as_ref().is_none_or(|all| namespace.is_some_and(|own| all.contains(&own)))
        };
        let objects = self.of(&query.kind).filter(selected);
        Ok(objects.map(|object| object.text(&fields).into_owned()).collect())
    }

    /// The names of the namespaces with such labels. Reads namespaces.
    fn namespaces(&self, labels: &Selector) -> Result<Vec<&str>, AccessError> {
        let namespace = Kind::new("v1", "Namespace");
        self.admit(&namespace, None)?;
        let selected = self.of(&namespace).filter(|object| labels.matches(&object.labels));
        Ok(selected.map(|object| &*object.reference.name).collect())
    }

    /// The renderers: none if the reconciler declares none.
    fn granted(&self) -> &[Function] {
        if self.description.renderers.is_empty() { &[] } else { &self.cluster.renderers }
    }

    fn of(&self, kind: &Kind) -> impl Iterator<Item = &Object> {
        let kind = self::kind(kind);
        self.cluster.objects.iter().filter(move |object| object.reference.kind == kind)
    }
}

fn parse(tests: &[(String, Text)]) -> Result<Values, AccessError> {
    let test = |test: &Text| match test.clone() {
        Text::Equals(text) => TextTest::Equals(text.into()),
        Text::StartsWith(text) => TextTest::StartsWith(text.into()),
        Text::PrefixOf(text) => TextTest::PrefixOf(text.into()),
    };
    let parsed = Values::parse(tests.iter().map(|(path, text)| (path, test(text))));
    parsed.map_err(|error| AccessError::Invalid(error.to_string()))
}

fn kind(kind: &Kind) -> model::Kind {
    model::Kind::new(&kind.api_version, &kind.name)
}
