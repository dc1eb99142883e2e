//! Whoever an object belongs to: what replaces it once it is deleted.

use mizzen_cluster::{Scope, View};
use mizzen_model::{Fields, Kind, Object, ObjectRef};

use super::Writer;

/// What tells of whoever a deleted object belonged to whether it has been replaced.
const COUNTS: [&str; 6] = [
    "metadata.generation",
    "spec.replicas",
    "status.readyReplicas",
    "status.availableReplicas",
    "status.desiredNumberScheduled",
    "status.numberAvailable",
];

impl Writer<'_> {
    /// The controller of an object, and its version now. The host watches its counts from then on; where it may not, patience alone
    /// ends the wait for a replacement.
    pub(super) async fn owner(&self, live: &Object) -> Option<(ObjectRef, u64)> {
        let value = live.value();
        let owners = value["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        let kind = Kind::new(owner["apiVersion"].as_str()?, owner["kind"].as_str()?);
        let namespaced = self.cluster.facts(&kind).await.is_ok_and(|facts| facts.namespaced);
        let namespace = live.reference.namespace.as_deref().filter(|_| namespaced);
        let owner = ObjectRef::new(kind.clone(), namespace, owner["name"].as_str()?);
        let fields = Fields::parse(COUNTS).unwrap_or_else(|_| Fields::identity());
        if let Err(error) = self.cluster.watch(View { kind, scope: Scope::All, fields }).await {
            tracing::warn!(%owner, %error, "what replaces a deleted object can't be watched");
        }
        let version = self.cluster.get(Scope::All, &owner).ok().flatten().map_or(0, |owner| owner.resource_version);
        Some((owner, version))
    }
}
