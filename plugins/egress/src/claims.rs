//! Which hosts are in whose entries: each in those of the first that wants it, by the age of the DynaKubes and then by component.

use std::collections::BTreeMap;

use mizzen_istio_egress::{Endpoints, Grouping, Prefix, Scope, Visibility, divide, objects};
use mizzen_sdk::Metadata;
use serde_json::Value;

use crate::answer::Answers;
use crate::component::Component;
use crate::dynakube::{DynaKube, DynaKubes, Spec};
use crate::hosts::Hosts;

/// What a DynaKube comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    namespace: String,
    prefix: Prefix,
    parts: BTreeMap<Component, Share>,
}

/// What a component of it comes to.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) objects: Vec<Value>,
    /// How many hosts and addresses it wants, whoever has them.
    pub(crate) wanted: usize,
    /// What is wrong with some of them.
    pub(crate) wrong: Vec<String>,
    /// Which of them another DynaKube has.
    pub(crate) elsewhere: Vec<String>,
}

impl Plan {
    pub(crate) fn make(kubes: &DynaKubes, subject: &Metadata, prefix: &Prefix, spec: &Spec, answers: &Answers) -> Self {
        let mut whose: Vec<(&DynaKube, bool, Component)> = Vec::new();
        let mut wanted = Vec::new();
        let mut passed_over = Vec::new();
        for (kube, own) in kubes.iter() {
            let known = Answers::known(&kube.status);
            let (spec, answers) = if own { (spec, answers) } else { (&kube.spec, &known) };
            for component in Component::ALL {
                let hosts = hosts(component, spec, answers);
                whose.push((kube, own, component));
                wanted.push(hosts.endpoints);
                passed_over.push(hosts.passed_over);
            }
        }
        let (sets, refused) = divide(&wanted);
        let namespace = subject.namespace.clone().unwrap_or_default();
        let mut plan = Self { namespace, prefix: prefix.clone(), parts: BTreeMap::new() };
        for (at, (_, own, component)) in whose.iter().enumerate() {
            if !own {
                continue;
            }
            let mut wrong = std::mem::take(&mut passed_over[at]);
            wrong.extend(refused.iter().filter(|one| wanted[at].concerns(one)).map(ToString::to_string));
            let has = |set: &Endpoints, target| set.contains(target);
            let elsewhere = wanted[at].targets().filter_map(|target| {
                let holder = sets.iter().position(|set| has(set, target))?;
                let (kube, own, _) = whose[holder];
                (!own).then(|| format!("{target} is in the entries of DynaKube {}", kube.name()))
            });
            let share = Share {
                objects: plan.objects_of(*component, &sets[at]),
                wanted: wanted[at].len(),
                wrong,
                elsewhere: elsewhere.collect(),
            };
            plan.parts.insert(*component, share);
        }
        plan
    }

    fn objects_of(&self, component: Component, set: &Endpoints) -> Vec<Value> {
        let label = |key: &str, value: &str| (format!("app.kubernetes.io/{key}"), value.to_owned());
        let scope = Scope {
            namespace: self.namespace.clone(),
            prefix: self.prefix.clone(),
            part: component.part().ok(),
            labels: BTreeMap::from([
                label("name", "dynatrace-operator"),
                label("created-by", &self.prefix.to_string()),
                label("component", component.label()),
                label("version", env!("CARGO_PKG_VERSION")),
            ]),
            visibility: Visibility::Mesh,
            grouping: Grouping::Together,
        };
        objects(&scope, set)
    }

    /// A component's entries and routes.
    pub(crate) fn of(&self, component: Component) -> &[Value] {
        self.parts.get(&component).map_or(&[], |share| &share.objects)
    }

    pub(crate) fn shares(&self) -> impl Iterator<Item = (Component, &Share)> {
        self.parts.iter().map(|(component, share)| (*component, share))
    }

    /// All entries and routes, the operator's first.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.parts.values().flat_map(|share| share.objects.iter().cloned()).collect()
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The entries that a component has, if it has any.
    pub(crate) fn names_of(&self, component: Component) -> [String; 2] {
        ["fqdn", "ip"].map(|form| format!("{}-{form}-{}", self.prefix, component.label()))
    }
}

fn hosts(component: Component, spec: &Spec, answers: &Answers) -> Hosts {
    let of = |wanted| answers.each().into_iter().find(|(component, _)| *component == wanted);
    match of(component) {
        None => Hosts::of_operator(spec),
        Some((_, answer)) => answer.info().map(|info| Hosts::reported(&info.endpoints)).unwrap_or_default(),
    }
}
