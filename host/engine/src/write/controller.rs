//! The controller of a deleted object, which is to replace it.

use mizzen_cluster::{Scope, View};
use mizzen_model::{Fields, Kind, Object, ObjectRef};

use super::writer::Writer;

/// The fields of a controller that tell whether it has replaced a deleted object.
const COUNTS: [&str; 6] = [
    "metadata.generation",
    "spec.replicas",
    "status.readyReplicas",
    "status.availableReplicas",
    "status.desiredNumberScheduled",
    "status.numberAvailable",
];

impl Writer {
    /// The controller of an object, and the controller's resource version now. The host watches its counts from then
    /// on; where it may not, only the progress deadline ends the wait for the replacement.
    pub(super) async fn controller_of(&self, live: &Object) -> Option<(ObjectRef, u64)> {
        let value = live.value();
        let owners = value["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["controller"] == true)?;
        // These come from the author of the object.
        let kind = Kind::parse(owner["apiVersion"].as_str()?, owner["kind"].as_str()?).ok()?;
        let namespaced = self.cluster().facts(&kind).await.is_ok_and(|facts| facts.namespaced);
        let namespace = live.reference.namespace.as_deref().filter(|_| namespaced);
        let controller = ObjectRef::parse(kind.clone(), namespace, owner["name"].as_str()?).ok()?;
        let fields = Fields::parse(COUNTS).unwrap_or_else(|_| Fields::identity());
        if let Err(error) = self.cluster().watch(View { kind, scope: Scope::All, fields }).await {
            tracing::warn!(object = %controller, %error, "can't watch the controller of a deleted object");
        }
        let found = self.cluster().get(Scope::All, &controller).ok().flatten();
        Some((controller, found.map_or(0, |found| found.resource_version)))
    }
}
