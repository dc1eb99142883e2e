//! Assigns each host to one entry: that of the first DynaKube, by age, and component that wants it.
//! Where a port is HTTPS for one of them and HTTP for another, it is HTTPS, whichever is first.

use std::collections::BTreeMap;

use mizzen_istio_egress::{Endpoints, Grouping, Port, Precedence, Prefix, Scope, Target, Visibility, divide, objects};
use mizzen_sdk::Metadata;
use serde_json::Value;

use crate::component::Component;
use crate::dynakube::{DynaKube, DynaKubes, Spec};
use crate::hosts::Hosts;
use crate::reported::Reports;

/// The plan for a DynaKube.
#[derive(Debug)]
pub(crate) struct Plan {
    namespace: String,
    prefix: Prefix,
    parts: BTreeMap<Component, Share>,
    way: Vec<Step>,
}

/// What must be in the cluster before the API can be reached: a host or an address, in an entry of
/// the DynaKube that has it.
#[derive(Debug)]
pub(crate) struct Step {
    /// The entry, as desired.
    entry: Value,
    /// The host or address.
    pub(crate) target: String,
    /// The port.
    ports: Vec<u16>,
}

/// The plan for a component.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) objects: Vec<Value>,
    /// How many hosts and addresses it wants, in its own entries or in those of others.
    pub(crate) wanted: usize,
    /// What is wrong with some of them.
    pub(crate) wrong: Vec<String>,
    /// Which of them are in another DynaKube's entries, or inside the cluster.
    pub(crate) elsewhere: Vec<String>,
}

impl Plan {
    pub(crate) fn make(kubes: &DynaKubes, subject: &Metadata, prefix: &Prefix, spec: &Spec, reports: &Reports) -> Self {
        let mut owners: Vec<(&DynaKube, bool, Component)> = Vec::new();
        let mut wanted = Vec::new();
        let (mut skipped, mut inside) = (Vec::new(), Vec::new());
        for (kube, own) in kubes.iter() {
            let known = Reports::remembered(&kube.status);
            let (spec, reports) = if own { (spec, reports) } else { (&kube.spec, &known) };
            for component in Component::ALL {
                let hosts = hosts(component, spec, reports);
                owners.push((kube, own, component));
                wanted.push(hosts.endpoints);
                skipped.push(hosts.skipped);
                inside.push(hosts.inside);
            }
        }
        let (sets, refused) = divide(&wanted, Precedence::Secure);
        let namespace = subject.namespace.clone().unwrap_or_default();
        let mut plan = Self { namespace, prefix: prefix.clone(), parts: BTreeMap::new(), way: Vec::new() };
        for (at, (_, own, component)) in owners.iter().enumerate() {
            if !own {
                continue;
            }
            let mut wrong = std::mem::take(&mut skipped[at]);
            wrong.extend(refused.iter().filter(|one| wanted[at].concerns(one)).map(ToString::to_string));
            let owner_of = |target| {
                let at = sets.iter().position(|set| set.contains(target))?;
                Some((owners[at], &sets[at]))
            };
            let elsewhere = wanted[at].targets().filter_map(|target| {
                let ((kube, own, _), _) = owner_of(target)?;
                (!own).then(|| format!("{target} is in an entry of DynaKube {}", kube.name()))
            });
            if *component == Component::Operator {
                plan.way.extend(wanted[at].targets().filter_map(|target| {
                    let ((kube, own, of), set) = owner_of(target)?;
                    let objects = if own {
                        objects_of(&plan.namespace, prefix, of, set)
                    } else {
                        objects_of(kube.namespace(), &kube.prefix()?, of, set)
                    };
                    Step::to(target, &wanted[at], objects)
                }));
            }
            let share = Share {
                objects: objects_of(&plan.namespace, prefix, *component, &sets[at]),
                wanted: wanted[at].len(),
                wrong,
                elsewhere: elsewhere.chain(std::mem::take(&mut inside[at])).collect(),
            };
            plan.parts.insert(*component, share);
        }
        plan
    }

    /// What must be in the cluster before the API can be reached.
    pub(crate) fn way(&self) -> &[Step] {
        &self.way
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

    pub(crate) fn prefix(&self) -> &Prefix {
        &self.prefix
    }
}

impl Step {
    fn to(target: &Target, wanted: &Endpoints, objects: Vec<Value>) -> Option<Self> {
        let ports = wanted.ports(target).map(Port::number).collect();
        let target = target.to_string();
        let entry = objects.into_iter().find(|entry| contains(entry, &target))?;
        Some(Self { entry, target, ports })
    }

    /// The namespace and the name of the entry.
    pub(crate) fn entry_name(&self) -> (&str, &str) {
        let text = |field: &str| self.entry["metadata"][field].as_str().unwrap_or_default();
        (text("namespace"), text("name"))
    }

    /// Whether a live entry contains what this step needs.
    pub(crate) fn is_met_by(&self, there: &Value) -> bool {
        let protocol = |entry: &Value, number: u16| {
            let ports = entry["spec"]["ports"].as_array()?;
            ports.iter().find(|port| port["number"] == number).map(|port| port["protocol"].clone())
        };
        // A host or port that the entry can't have is not awaited.
        let is_there = |&port: &u16| {
            let wanted = protocol(&self.entry, port);
            wanted.is_none() || wanted == protocol(there, port)
        };
        contains(there, &self.target) && self.ports.iter().all(is_there)
    }
}

/// Whether an entry contains a host or an address.
fn contains(entry: &Value, target: &str) -> bool {
    let among = |field: &str| entry["spec"][field].as_array().is_some_and(|all| all.iter().any(|one| one == target));
    entry["kind"] != "VirtualService" && (among("hosts") || among("addresses"))
}

/// A component's entries, if it has any.
pub(crate) fn names_of(prefix: &Prefix, component: Component) -> [String; 2] {
    ["fqdn", "ip"].map(|form| format!("{prefix}-{form}-{}", component.label()))
}

/// A component's entries and routes.
fn objects_of(namespace: &str, prefix: &Prefix, component: Component, set: &Endpoints) -> Vec<Value> {
    let label = |key: &str, value: &str| (format!("app.kubernetes.io/{key}"), value.to_owned());
    let scope = Scope {
        namespace: namespace.to_owned(),
        prefix: prefix.clone(),
        part: component.part().ok(),
        labels: BTreeMap::from([
            label("name", "dynatrace-operator"),
            label("created-by", &prefix.to_string()),
            label("component", component.label()),
            label("version", env!("CARGO_PKG_VERSION")),
        ]),
        visibility: Visibility::Mesh,
        grouping: Grouping::Together,
    };
    objects(&scope, set)
}

fn hosts(component: Component, spec: &Spec, reports: &Reports) -> Hosts {
    let of = |wanted| reports.each().into_iter().find(|(component, _)| *component == wanted);
    match of(component) {
        None => Hosts::of_operator(spec),
        Some((_, report)) => report.info().map(|info| Hosts::reported(&info.endpoints)).unwrap_or_default(),
    }
}
