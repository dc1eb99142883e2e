//! A set of rights, in the cluster and in namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::Verb::{Create, Get, List, Patch, Update, Watch};
use super::rules::{Right, Rules, Verb, Why};
use crate::args::{LEASE, OWNERSHIP_SECRET};

/// What must be allowed, and where.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    /// In the whole cluster.
    pub(crate) cluster: Rules,
    /// In single namespaces.
    pub(crate) namespaces: BTreeMap<String, Rules>,
    /// What an administrator should know before granting these, one sentence each.
    pub(crate) notes: BTreeSet<String>,
}

/// Where a right is needed.
#[derive(Clone, Copy)]
pub(super) enum Where<'a> {
    Everywhere,
    In(&'a [String]),
}

// === impl Rights ===

impl Rights {
    /// What the host needs for its own work: its configuration, discovery, Events and, in its own
    /// namespace, the Lease and the ownership keys.
    pub(crate) fn of_host(namespace: &str) -> Self {
        let mut rights = Self::default();
        let mut allow = |group, resource, verbs: &[Verb], what| {
            let why = Why::Host(what);
            rights.cluster.allow(&Right { group, resource, name: None, verbs, why, reconciler: "" });
        };
        allow("mizzen.dev", "reconcilers", &[List, Watch], "its configuration");
        allow("mizzen.dev", "reconcilers/status", &[Patch], "the status of each reconciler");
        allow("mizzen.dev", "renderers", &[List, Watch], "its configuration");
        allow("mizzen.dev", "renderers/status", &[Patch], "the status of each renderer");
        let discovery = "whether a kind is served, and how its conditions merge";
        allow("apiextensions.k8s.io", "customresourcedefinitions", &[Get, List, Watch], discovery);
        allow("events.k8s.io", "events", &[Create, Patch], "Events, and the count of repeated ones");
        let mut allow = |group, resource, name, verbs: &[Verb], what| {
            let right = Right { group, resource, name, verbs, why: Why::Host(what), reconciler: "" };
            rights.allow(Where::In(&[namespace.to_owned()]), &right);
        };
        // Creating can't be restricted to a name.
        let (group, what) = ("coordination.k8s.io", "which of several hosts reconciles");
        allow(group, "leases", None, &[Create], what);
        allow(group, "leases", Some(LEASE), &[Get, Watch, Update], what);
        let what = "the keys by which it recognizes what it applied";
        allow("", "secrets", None, &[Create], what);
        allow("", "secrets", Some(OWNERSHIP_SECRET), &[Get], what);
        rights
    }

    /// Adds a right in a place.
    pub(super) fn allow(&mut self, scope: Where<'_>, right: &Right<'_>) {
        match scope {
            Where::Everywhere => self.cluster.allow(right),
            Where::In(namespaces) => {
                for namespace in namespaces {
                    self.namespaces.entry(namespace.clone()).or_default().allow(right);
                }
            }
        }
    }

    /// Adds a note.
    pub(super) fn note(&mut self, sentence: String) {
        self.notes.insert(sentence);
    }
}

// === impl Where ===

impl<'a> Where<'a> {
    /// In these namespaces; everywhere if there are none.
    pub(super) fn of(namespaces: &'a [String]) -> Self {
        if namespaces.is_empty() { Self::Everywhere } else { Self::In(namespaces) }
    }
}
