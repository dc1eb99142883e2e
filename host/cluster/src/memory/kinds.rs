//! The served kinds: the built-in ones, and those of the CRDs in the cluster.

use std::collections::HashMap;
use std::sync::Arc;

use mizzen_model::Kind;

use super::crd;
use super::served::Served;
use super::shape::Shape;
use crate::view::KindFacts;

/// Built-in kinds: `apiVersion`, kind, plural, and the flags `namespaced`, `status` (a subresource)
/// and `generation` (counted).
const BUILT_IN: &str = "
    v1 ConfigMap configmaps namespaced
    v1 Endpoints endpoints namespaced
    v1 Event events namespaced
    v1 LimitRange limitranges namespaced
    v1 Namespace namespaces status
    v1 Node nodes status
    v1 PersistentVolume persistentvolumes status
    v1 PersistentVolumeClaim persistentvolumeclaims namespaced status
    v1 Pod pods namespaced status generation
    v1 PodTemplate podtemplates namespaced generation
    v1 ReplicationController replicationcontrollers namespaced status generation
    v1 ResourceQuota resourcequotas namespaced status
    v1 Secret secrets namespaced
    v1 Service services namespaced status
    v1 ServiceAccount serviceaccounts namespaced
    admissionregistration.k8s.io/v1 MutatingWebhookConfiguration mutatingwebhookconfigurations generation
    admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies status generation
    admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings generation
    admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations generation
    apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions status generation
    apiregistration.k8s.io/v1 APIService apiservices status
    apps/v1 ControllerRevision controllerrevisions namespaced
    apps/v1 DaemonSet daemonsets namespaced status generation
    apps/v1 Deployment deployments namespaced status generation
    apps/v1 ReplicaSet replicasets namespaced status generation
    apps/v1 StatefulSet statefulsets namespaced status generation
    autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers namespaced status
    batch/v1 CronJob cronjobs namespaced status generation
    batch/v1 Job jobs namespaced status generation
    certificates.k8s.io/v1 CertificateSigningRequest certificatesigningrequests status
    coordination.k8s.io/v1 Lease leases namespaced
    discovery.k8s.io/v1 EndpointSlice endpointslices namespaced generation
    events.k8s.io/v1 Event events namespaced
    flowcontrol.apiserver.k8s.io/v1 FlowSchema flowschemas status generation
    flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration prioritylevelconfigurations status generation
    networking.k8s.io/v1 IPAddress ipaddresses
    networking.k8s.io/v1 Ingress ingresses namespaced status generation
    networking.k8s.io/v1 IngressClass ingressclasses generation
    networking.k8s.io/v1 NetworkPolicy networkpolicies namespaced generation
    networking.k8s.io/v1 ServiceCIDR servicecidrs status
    node.k8s.io/v1 RuntimeClass runtimeclasses
    policy/v1 PodDisruptionBudget poddisruptionbudgets namespaced status generation
    rbac.authorization.k8s.io/v1 ClusterRole clusterroles
    rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings
    rbac.authorization.k8s.io/v1 Role roles namespaced
    rbac.authorization.k8s.io/v1 RoleBinding rolebindings namespaced
    resource.k8s.io/v1 DeviceClass deviceclasses generation
    resource.k8s.io/v1 ResourceClaim resourceclaims namespaced status
    resource.k8s.io/v1 ResourceClaimTemplate resourceclaimtemplates namespaced
    resource.k8s.io/v1 ResourceSlice resourceslices generation
    scheduling.k8s.io/v1 PriorityClass priorityclasses generation
    storage.k8s.io/v1 CSIDriver csidrivers
    storage.k8s.io/v1 CSINode csinodes
    storage.k8s.io/v1 CSIStorageCapacity csistoragecapacities namespaced
    storage.k8s.io/v1 StorageClass storageclasses
    storage.k8s.io/v1 VolumeAttachment volumeattachments status
    storage.k8s.io/v1 VolumeAttributesClass volumeattributesclasses
";

/// The served kinds.
#[derive(Clone)]
pub(super) struct Kinds(HashMap<Kind, Arc<Served>>);

/// The meaning of a document of a namespaced kind that names no namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespaces {
    /// The namespace `default`, as with `kubectl`.
    Defaulted,
    /// A mistake, as with the API server.
    Stated,
}

impl Default for Kinds {
    fn default() -> Self {
        let kinds = BUILT_IN.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (api_version, kind, plural) = (words.next()?, words.next()?, words.next()?);
            let flags: Vec<_> = words.collect();
            let storage = Kind::new(api_version, kind);
            let facts = KindFacts {
                plural: plural.to_owned(),
                namespaced: flags.contains(&"namespaced"),
                status_subresource: flags.contains(&"status"),
                conditions_by_type: crd::has_conditions_by_type(Shape::built_in(kind)),
            };
            let generation = flags.contains(&"generation");
            Some((storage.clone(), Arc::new(Served { facts, storage, generation, schema: None })))
        });
        Self(kinds.collect())
    }
}

impl Kinds {
    pub(super) fn get(&self, kind: &Kind) -> Option<&Served> {
        self.0.get(kind).map(|served| &**served)
    }

    /// A version in which a group and kind is served, that of `kind` before others.
    pub(super) fn version_of(&self, kind: &Kind) -> Option<Kind> {
        let is_one = |own: &&Kind| own.group() == kind.group() && own.name == kind.name;
        let mut versions: Vec<_> = self.0.keys().filter(is_one).collect();
        versions.sort_unstable_by_key(|own| (*own != kind, (*own).clone()));
        versions.first().map(|own| (*own).clone())
    }

    /// The shape of the documents of a kind.
    pub(super) fn shape<'a>(&'a self, kind: &'a Kind) -> Shape<'a> {
        match self.get(kind) {
            Some(Served { schema: Some(schema), .. }) => Shape::Root(schema),
            Some(_) => Shape::built_in(&kind.name),
            None => Shape::Free,
        }
    }

    /// Serves a kind; returns whether its facts are new.
    pub(super) fn serve(&mut self, kind: Kind, served: Served) -> bool {
        let facts = served.facts.clone();
        self.0.insert(kind, Arc::new(served)).is_none_or(|before| before.facts != facts)
    }

    /// Stops serving the kinds of a group that have this name, and returns them.
    pub(super) fn withdraw(&mut self, group: &str, name: &str) -> Vec<Kind> {
        let withdrawn: Vec<_> =
            self.0.keys().filter(|kind| kind.group() == group && &*kind.name == name).cloned().collect();
        self.0.retain(|kind, _| !withdrawn.contains(kind));
        withdrawn
    }
}
