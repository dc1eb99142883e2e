//! Findings about pods, one entry per owner.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::mark::{Mark, finding};

/// An outdated pod.
#[derive(Debug)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its uid.
    pub uid: Box<str>,
    /// Its owners.
    pub owners: Vec<OwnerReference>,
}

/// One of an object's `metadata.ownerReferences`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    pub(crate) api_version: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    #[serde(default)]
    pub(crate) controller: bool,
}

/// What is wrong with a pod.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The description for people: `its image is a, not b`.
    pub what: &'a str,
    /// What differs, e.g. `image`, `limits.cpu`: a workload is restarted once for each, whatever is
    /// found there.
    pub causes: &'a [&'static str],
    /// Whether the pod is running, and every condition is true.
    pub ready: bool,
    /// Whether the pod, or its namespace, is excluded by an annotation.
    pub excluded: bool,
    /// The mark of the pod, from its template.
    pub mark: Option<&'a str>,
}

/// Findings about the pods of one owner.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Findings about pods that a restart would replace.
    pub(crate) stale: BTreeSet<Box<str>>,
    /// The first ready pod, by name: name and uid.
    pub(crate) first: Option<(Box<str>, Box<str>)>,
    /// Whether a pod is outdated that was created by a restart for the same cause.
    pub(crate) unhelped: bool,
    pub(crate) excluded: bool,
    /// The description of the first finding.
    pub(crate) what: Box<str>,
}

impl Found {
    /// Adds a pod: its name and uid, and what is wrong with it.
    pub(crate) fn add(&mut self, expected: &str, (name, uid): (&str, &str), new: &Finding<'_>) {
        if self.what.is_empty() {
            self.what = new.what.into();
        }
        self.excluded |= new.excluded;
        let mark = new.mark.map(Mark::parse).unwrap_or_default();
        let causes = new.causes.iter().map(|cause| finding(cause));
        let mut helps = false;
        for cause in causes.filter(|cause| !mark.covers(expected, cause)) {
            helps = true;
            self.stale.insert(cause);
        }
        if !helps {
            self.unhelped = true;
            return;
        }
        if new.ready && self.first.as_ref().is_none_or(|(first, _)| **first > *name) {
            self.first = Some((name.into(), uid.into()));
        }
    }

    /// Adds the findings of another owner that is a part of this one.
    pub(crate) fn merge(&mut self, part: &Self) {
        self.stale.extend(part.stale.iter().cloned());
        self.first = [self.first.take(), part.first.clone()].into_iter().flatten().min();
        self.unhelped |= part.unhelped;
        self.excluded |= part.excluded;
    }
}
