//! Reads, let through and answered as the host does it.

use std::cell::RefCell;
use std::time::Duration;

use mizzen_model as model;
use mizzen_model::{Fields, Object, Selector};

use super::{Cluster, Function, servers};
use crate::http::{Request, Response};
use crate::log::Level;
use crate::renderers::{RenderError, Renderer};
use crate::{Access, AccessError, Description, Kind, ObjectRef, Query};

/// Objects of one page: few, so that a reconciler's tests see several.
const PAGE: usize = 2;

struct Answering {
    cluster: Cluster,
    description: Description,
}

thread_local! {
    static ANSWERING: RefCell<Option<Answering>> = const { RefCell::new(None) };
}

/// Ends the answering also when a reconciler panics.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        ANSWERING.with_borrow_mut(|slot| *slot = None);
    }
}

/// Answers the reads that `function` makes on this thread.
pub(super) fn answering<T>(cluster: &Cluster, description: &Description, function: impl FnOnce() -> T) -> T {
    let answering = Answering { cluster: cluster.clone(), description: description.clone() };
    ANSWERING.with_borrow_mut(|slot| *slot = Some(answering));
    let _ends = Ends;
    function()
}

/// A list, as far as it has come.
#[derive(Debug)]
pub(crate) struct Cursor(std::vec::IntoIter<String>);

impl Cursor {
    /// The next objects; none at the end.
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

pub(crate) fn serves(kind: &Kind) -> bool {
    with(|host| Ok(!host.cluster.unserved.contains(kind))).unwrap_or(false)
}

pub(crate) fn renderers() -> Vec<Renderer> {
    with(|host| Ok(host.granted().iter().map(|own| own.renderer.clone()).collect())).unwrap_or_default()
}

pub(crate) fn render(renderer: &str, document: &str) -> Result<Vec<String>, RenderError> {
    let denied = || AccessError::Denied(format!("renderer `{renderer}` is not granted"));
    let found = with(|host| {
        if host.description.renderers.is_empty() {
            return Err(AccessError::Denied("calling renderers was not declared in `describe`".into()));
        }
        host.granted().iter().find(|own| own.renderer.name == renderer).cloned().ok_or_else(denied)
    })?;
    let document = serde_json::from_str(document).map_err(|error| AccessError::Invalid(error.to_string()))?;
    // Not from within `with`: nothing is borrowed while a test's own code runs.
    Ok((found.body)(&document)?.iter().map(ToString::to_string).collect())
}

pub(crate) fn send(request: &Request) -> Result<Response, AccessError> {
    let servers = with(|host| {
        servers::admit(&host.description, request)?;
        Ok(host.cluster.servers.clone())
    })?;
    // Not from within `with`: nothing is borrowed while a test's own code runs.
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

fn with<T>(function: impl FnOnce(&Answering) -> Result<T, AccessError>) -> Result<T, AccessError> {
    ANSWERING.with_borrow(|slot| match slot {
        Some(host) => function(host),
        None => Err(AccessError::Unavailable("nothing is being reconciled".into())),
    })
}

impl Answering {
    /// Lets a read through that was declared; gives the fields that come back.
    fn admit(&self, asked: &Kind, fields: Option<&str>) -> Result<Fields, AccessError> {
        let Self { cluster, description } = self;
        if *asked == Kind::new("v1", "Secret") {
            return Err(AccessError::Denied("plugins never see Secrets; ask for a credential instead".into()));
        }
        if !description.declares(Access::Read, asked) {
            return Err(AccessError::Denied(format!("reading {} was not declared in `describe`", asked.name)));
        }
        let fields = match fields {
            Some(name) => {
                let set =
                    description.field_sets.iter().find(|set| set.name == name).ok_or_else(|| {
                        AccessError::Denied(format!("field set `{name}` was not declared in `describe`"))
                    })?;
                if set.kind != *asked {
                    let (of, asked) = (&set.kind.name, &asked.name);
                    return Err(AccessError::Invalid(format!("field set `{name}` is of {of}, not of {asked}")));
                }
                Fields::parse(&set.paths).map_err(|error| AccessError::Invalid(error.to_string()))?
            }
            None if description.field_sets.iter().any(|set| set.kind == *asked) => {
                let name = &asked.name;
                return Err(AccessError::Denied(format!("{name} is declared with field sets: name one of them")));
            }
            None => Fields::Whole,
        };
        if cluster.unserved.contains(asked) {
            return Err(AccessError::NotServed(format!("the API server does not serve {}", asked.name)));
        }
        if cluster.unavailable.contains(asked) {
            return Err(AccessError::Unavailable(format!("{} can't be read now", asked.name)));
        }
        Ok(fields)
    }

    fn select(&self, query: &Query) -> Result<Vec<String>, AccessError> {
        let selector = |text: &str| Selector::parse(text).map_err(|error| AccessError::Invalid(error.to_string()));
        let (labels, namespace_labels) = (selector(&query.labels)?, selector(&query.namespace_labels)?);
        let fields = self.admit(&query.kind, query.fields.as_deref())?;
        let namespaces =
            if namespace_labels.is_everything() { None } else { Some(self.namespaces(&namespace_labels)?) };
        let wanted = |object: &&Object| {
            let namespace = object.reference.namespace.as_deref();
            (query.namespace.is_none() || namespace == query.namespace.as_deref())
                && labels.matches(&object.labels)
                && namespaces.as_ref().is_none_or(|all| namespace.is_some_and(|own| all.contains(&own)))
        };
        let objects = self.of(&query.kind).filter(wanted);
        Ok(objects.map(|object| object.text(&fields).into_owned()).collect())
    }

    /// The names of the namespaces with such labels: a read of its own.
    fn namespaces(&self, labels: &Selector) -> Result<Vec<&str>, AccessError> {
        let namespace = Kind::new("v1", "Namespace");
        self.admit(&namespace, None)?;
        let selected = self.of(&namespace).filter(|object| labels.matches(&object.labels));
        Ok(selected.map(|object| &*object.reference.name).collect())
    }

    /// The renderers that are there: none for whoever declared that it needs none.
    fn granted(&self) -> &[Function] {
        if self.description.renderers.is_empty() { &[] } else { &self.cluster.renderers }
    }

    fn of(&self, asked: &Kind) -> impl Iterator<Item = &Object> {
        let asked = kind(asked);
        self.cluster.objects.iter().filter(move |object| object.reference.kind == asked)
    }
}

fn kind(kind: &Kind) -> model::Kind {
    model::Kind::new(&kind.api_version, &kind.name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Failure, clock, cluster, log, renderers};

    const PODS: &str = "
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns}}
---
{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: ns}}
";

    fn pod() -> Kind {
        Kind::new("v1", "Pod")
    }

    /// What a reconciler sees that declared to read Pods and Secrets.
    fn seen<T>(cluster: &Cluster, function: impl FnOnce() -> T) -> T {
        let description = Description::new("a", "1", "", pod())
            .reads(pod(), "")
            .reads(Kind::new("v1", "Secret"), "")
            .reads_fields("ports", Kind::new("v1", "Service"), &["spec.ports"], "");
        answering(cluster, &description, function)
    }

    fn names(pods: impl Iterator<Item = Result<Value, AccessError>>) -> Vec<String> {
        pods.map(|pod| pod.unwrap()["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_scan_goes_over_all_pages_and_can_end_before() {
        let cluster = Cluster::new().with(PODS);
        let scan = || cluster::scan::<Value>(&Query::of(pod())).unwrap();
        assert_eq!(seen(&cluster, || names(scan())), ["a", "b", "c"]);
        assert_eq!(seen(&cluster, || names(scan().take(1))), ["a"]);
    }

    #[test]
    fn a_secret_is_never_read_whatever_was_declared() {
        let secret = ObjectRef::new(Kind::new("v1", "Secret"), Some("ns"), "a");
        let answer = seen(&Cluster::new(), || cluster::get::<Value>(&secret, None));
        assert!(matches!(answer, Err(AccessError::Denied(why)) if why.contains("credential")));
    }

    #[test]
    fn a_field_set_is_of_one_kind() {
        let answer = seen(&Cluster::new(), || cluster::count(&Query::of(pod()).fields("ports")));
        assert_eq!(answer, Err(AccessError::Invalid("field set `ports` is of Service, not of Pod".into())));
    }

    #[test]
    fn selecting_by_namespace_reads_namespaces() {
        let query = Query::of(pod()).namespace_selector("mesh=yes");
        let answer = seen(&Cluster::new(), || cluster::count(&query));
        assert!(matches!(answer, Err(AccessError::Denied(why)) if why.contains("Namespace")));
    }

    #[test]
    fn the_time_is_the_tests_own() {
        let later = Cluster::new().at(Duration::from_micros(7_500));
        assert_eq!(seen(&later, clock::now), Duration::from_millis(7));
        log::write(Level::Debug, "a line has no answer", &[("pods", &3)]);
    }

    /// A cluster whose renderer makes a ConfigMap of a document's `name`.
    fn rendering() -> Cluster {
        Cluster::new().with_renderer("maps", &[("example.com/version", "1")], |document| match &document["name"] {
            Value::String(name) => Ok(vec![crate::object(&Kind::new("v1", "ConfigMap"), None, name, json!({}))]),
            _ => Err(RenderError::Rejected("`name` is missing".into())),
        })
    }

    #[test]
    fn a_renderer_is_chosen_by_its_labels_and_makes_objects_or_says_what_is_wrong() {
        let description = Description::new("a", "1", "", pod()).renderer("maps");
        answering(&rendering(), &description, || {
            let chosen = renderers::available().remove(0);
            assert_eq!(chosen.labels["example.com/version"], "1");
            assert_eq!(renderers::render(&chosen.name, &json!({"name": "m"})).unwrap()[0]["metadata"]["name"], "m");
            let rejected = renderers::render("maps", &json!({}));
            assert_eq!(rejected, Err(RenderError::Rejected("`name` is missing".into())));
            assert_eq!(Failure::from(rejected.unwrap_err()), Failure::Invalid("`name` is missing".into()));
            assert!(matches!(
                renderers::render("charts", &json!({})),
                Err(RenderError::Access(AccessError::Denied(why))) if why.contains("`charts` is not granted")
            ));
        });
    }

    #[test]
    fn who_did_not_declare_that_it_renders_finds_no_renderer() {
        seen(&rendering(), || {
            assert!(renderers::available().is_empty());
            let denied = renderers::render("maps", &json!({"name": "m"}));
            assert!(matches!(denied, Err(RenderError::Access(AccessError::Denied(why))) if why.contains("describe")));
        });
    }

    #[test]
    fn a_reconciler_that_panicked_leaves_nothing_behind() {
        let cluster = Cluster::new().with(PODS);
        let panicked =
            std::panic::catch_unwind(|| seen(&cluster, || assert_eq!(cluster::count(&Query::of(pod())), Ok(0))));
        assert!(panicked.is_err());
        assert!(matches!(cluster::count(&Query::of(pod())), Err(AccessError::Unavailable(_))));
    }
}
