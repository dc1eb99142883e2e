//! What is valid in a configuration and grants more than it seems to.

use mizzen_model::{Access, Fields, Kind};

use crate::problem::Problem;
use crate::reconciler::{Grant, Reconciler};

/// The fields through which a patch of a workload decides what it runs.
const POD_SPECS: [&str; 3] = ["spec.template.spec", "spec.jobTemplate.spec.template.spec", "spec.containers"];

impl Reconciler {
    /// Returns what grants more than it seems to, each with its field.
    pub fn warnings(&self) -> Vec<Problem> {
        let accesses = [Access::Apply, Access::Patch, Access::Delete];
        let grants = accesses
            .into_iter()
            .flat_map(|access| self.grants.of(access).iter().enumerate().map(move |(at, grant)| (access, at, grant)));
        grants
            .flat_map(|(access, at, grant)| {
                let wide = (access == Access::Patch && grant.fields == Fields::Whole).then(|| wide_patch(grant));
                let messages = wide.into_iter().chain(amounts_to(access, grant).map(str::to_owned));
                messages.map(move |message| self.problem(&format!("spec.grants.{access}[{at}]"), message))
            })
            .collect()
    }
}

fn wide_patch(grant: &Grant) -> String {
    format!(
        "the plugin may set any field of {}: name those that it sets in `fields`, e.g. \
         `fields: [\"metadata.annotations['example.com/note']\"]`",
        grant.kind
    )
}

/// What a grant gives beyond the objects of its kind.
fn amounts_to(access: Access, grant: &Grant) -> Option<&'static str> {
    let Kind { name, .. } = &grant.kind;
    if access == Access::Delete {
        let deletes_more = matches!((grant.kind.group(), &**name), ("", "Namespace") | ("apiextensions.k8s.io", _));
        return deletes_more.then_some("amounts to deleting everything in what is deleted");
    }
    match (grant.kind.group(), &**name) {
        ("", "Pod" | "ReplicationController") | ("apps" | "batch", _) if reaches_pods(grant) => {
            Some("amounts to running code as any service account of these namespaces, and to reading its Secrets")
        }
        ("", "Secret") => {
            Some("amounts to overwriting any Secret of these namespaces, and has the host list all of them")
        }
        ("", "Namespace") => Some("amounts to deciding which policies hold in any namespace, by its labels"),
        ("admissionregistration.k8s.io", _) => {
            Some("amounts to seeing, changing and refusing all writes of the cluster")
        }
        ("apiextensions.k8s.io", _) => Some("amounts to changing what every object of a custom kind means"),
        ("apiregistration.k8s.io", _) => Some("amounts to answering all requests of an API group"),
        ("certificates.k8s.io", _) => Some("amounts to acting as any user"),
        ("rbac.authorization.k8s.io", _) => Some("amounts to any right in these namespaces, or in the cluster"),
        ("mizzen.dev", "Reconciler" | "Renderer") => Some("amounts to all rights of the host"),
        _ => None,
    }
}

/// Whether a grant lets a plugin decide what a workload runs.
fn reaches_pods(grant: &Grant) -> bool {
    POD_SPECS.iter().filter_map(|path| Fields::parse([path]).ok()).any(|pods| grant.fields.covers(&pods))
}
