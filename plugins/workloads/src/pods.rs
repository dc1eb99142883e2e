//! What was found of pods, one entry per owner.

use std::collections::BTreeSet;

use crate::mark::Mark;
use crate::owners::OwnerReference;

/// A pod that is not as it should be.
#[derive(Debug)]
pub struct Pod {
    /// Where it is.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its uid.
    pub uid: Box<str>,
    /// What owns it.
    pub owners: Vec<OwnerReference>,
}

/// What is wrong with it.
#[derive(Debug)]
pub struct Finding<'a> {
    /// In words, the same for the same cause: `its image is a, not b`.
    pub what: &'a str,
    /// Whether it is running, and ready in every respect.
    pub ready: bool,
    /// Whether it, or its namespace, is annotated to be left alone.
    pub excluded: bool,
    /// The mark that it bears: that of the template it was made from.
    pub mark: Option<&'a str>,
}

/// What was found of one owner's pods.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What was found of pods that a restart would replace.
    pub(crate) stale: BTreeSet<Box<str>>,
    /// The first of those that are ready, by name: name and uid.
    pub(crate) first: Option<(Box<str>, Box<str>)>,
    /// Whether a pod is wrong that was made in a restart for that very cause.
    pub(crate) unhelped: bool,
    pub(crate) excluded: bool,
    /// The first finding, in words.
    pub(crate) what: Box<str>,
}

impl Found {
    /// Takes in a pod: its name and uid, and what was found of it, with the digest of that.
    pub(crate) fn add(&mut self, expected: &str, found: &str, (name, uid): (&str, &str), new: &Finding<'_>) {
        if self.what.is_empty() {
            self.what = new.what.into();
        }
        self.excluded |= new.excluded;
        if new.mark.is_some_and(|mark| Mark::parse(mark).covers(expected, found)) {
            self.unhelped = true;
            return;
        }
        if !self.stale.contains(found) {
            self.stale.insert(found.into());
        }
        if new.ready && self.first.as_ref().is_none_or(|(first, _)| **first > *name) {
            self.first = Some((name.into(), uid.into()));
        }
    }

    /// Takes in what was found of another owner that is a part of this one.
    pub(crate) fn merge(&mut self, part: &Self) {
        self.stale.extend(part.stale.iter().cloned());
        self.first = [self.first.take(), part.first.clone()].into_iter().flatten().min();
        self.unhelped |= part.unhelped;
        self.excluded |= part.excluded;
    }
}
