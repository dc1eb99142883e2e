//! Which pods should have a sidecar, by the rules of the injector's webhook.

use std::collections::HashMap;

use mizzen_sdk::{AccessError, Description, Kind, Query, cluster};
use mizzen_workloads::NEVER;
use serde::Deserialize;

use crate::config::Config;
use crate::pod::Pod;

const NAMESPACES: &str = "injection";

/// Namespaces that the injector ignores, besides the control plane's.
const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/// All namespaces, by name.
#[derive(Debug)]
pub(crate) struct Namespaces<'a> {
    config: &'a Config,
    all: HashMap<Box<str>, Namespace>,
}

#[derive(Debug, Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: Box<str>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    #[serde(rename = "istio-injection")]
    injection: Option<Box<str>>,
    #[serde(rename = "istio.io/rev")]
    revision: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "mizzen.dev/restart")]
    restart: Option<Box<str>>,
}

fn namespace() -> Kind {
    Kind::new("v1", "Namespace")
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = [
        "metadata.labels['istio-injection']",
        "metadata.labels['istio.io/rev']",
        "metadata.annotations['mizzen.dev/restart']",
    ];
    description.reads_fields(
        NAMESPACES,
        namespace(),
        &paths,
        "in which namespaces pods have sidecars, and which are excluded",
    )
}

impl<'a> Namespaces<'a> {
    pub(crate) fn read(config: &'a Config) -> Result<Self, AccessError> {
        let named = |namespace: Namespace| (namespace.metadata.name.clone(), namespace);
        let all = cluster::scan::<Namespace>(&Query::of(namespace()).fields(NAMESPACES))?
            .map(|namespace| namespace.map(named))
            .collect::<Result<_, _>>()?;
        Ok(Self { config, all })
    }

    /// Whether the configuration excludes a namespace.
    pub(crate) fn skips(&self, name: &str) -> bool {
        self.config.exclude_namespaces.iter().any(|own| own == name)
    }

    /// Whether a namespace excludes itself by an annotation.
    pub(crate) fn excludes(&self, name: &str) -> bool {
        self.all.get(name).is_some_and(|own| own.metadata.annotations.restart.as_deref() == Some(NEVER))
    }

    /// Whether this control plane would inject a sidecar into a pod created now.
    pub(crate) fn injects(&self, pod: &Pod) -> bool {
        let namespace = &*pod.metadata.namespace;
        let system = SYSTEM.contains(&namespace) || *namespace == *self.config.namespace;
        !pod.spec.host_network
            && !system
            && !declines(pod)
            && self.all.get(namespace).is_some_and(|own| self.selects(own, pod))
    }

    /// The selectors of the webhook: a namespace's labels override the pod's.
    fn selects(&self, Namespace { metadata: Metadata { labels, .. } }: &Namespace, pod: &Pod) -> bool {
        match (labels.injection.as_deref(), labels.revision.as_deref()) {
            (Some(injection), _) => injection == "enabled" && self.is_ours("default"),
            (None, Some(revision)) => self.is_ours(revision),
            (None, None) => match (pod.metadata.labels.revision.as_deref(), pod.metadata.labels.inject.as_deref()) {
                (Some(revision), _) => self.is_ours(revision),
                (None, inject) => inject == Some("true") && self.is_ours("default"),
            },
        }
    }

    /// Whether a revision, or a tag, belongs to this control plane.
    fn is_ours(&self, revision: &str) -> bool {
        self.config.revision == revision || self.config.tags.iter().any(|own| own == revision)
    }
}

/// Whether a pod opts out: its label overrides its annotation.
fn declines(pod: &Pod) -> bool {
    let (label, annotation) = (&pod.metadata.labels.inject, &pod.metadata.annotations.inject);
    label.as_deref().or(annotation.as_deref()) == Some("false")
}
