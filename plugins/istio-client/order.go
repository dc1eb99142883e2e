package main

import (
	"cmp"
	"slices"

	"istio.io/istio/operator/pkg/component"
	"istio.io/istio/operator/pkg/manifest"
)

// installed is the order in which components can be installed: each stands on those before it. Istio installs Pilot and Cni after Base, the gateways after
// Pilot, Ztunnel after Cni.
var installed = []component.Name{
	component.BaseComponentName,
	component.CNIComponentName,
	component.PilotComponentName,
	component.ZtunnelComponentName,
	component.IngressComponentName,
	component.EgressComponentName,
}

// kinds come in this order within a component: each may be needed by those after it. Others come before the workloads.
var kinds = []string{
	"CustomResourceDefinition", "ResourceQuota", "ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding",
	"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ConfigMap", "Secret", "", "Service", "Deployment", "DaemonSet",
	"HorizontalPodAutoscaler", "PodDisruptionBudget",
}

// ordered is all objects in the order in which they can be applied: the definitions, then one component after another. Istio returns them in the
// order of a Go map, which is none.
func ordered(sets []manifest.ManifestSet) []any {
	type placed struct {
		definition, component, kind int
		group, name, namespace      string
		object                      map[string]any
	}
	var all []placed
	for _, set := range sets {
		for _, object := range set.Manifests {
			kind := object.GroupVersionKind()
			all = append(all, placed{
				definition: min(place(kinds, kind.Kind), 1),
				component:  place(installed, set.Component),
				kind:       place(kinds, kind.Kind),
				group:      kind.Group + "/" + kind.Kind,
				name:       object.GetName(),
				namespace:  object.GetNamespace(),
				object:     object.Object,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(
			cmp.Compare(a.definition, b.definition),
			cmp.Compare(a.component, b.component),
			cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.group, b.group),
			cmp.Compare(a.namespace, b.namespace),
			cmp.Compare(a.name, b.name),
		)
	})
	objects := make([]any, 0, len(all))
	for _, one := range all {
		objects = append(objects, one.object)
	}
	return objects
}

// place is where something stands in a list; what the list does not name stands where "" does, or at the end.
func place[T ~string](list []T, name T) int {
	if at := slices.Index(list, name); at >= 0 {
		return at
	}
	if at := slices.Index(list, ""); at >= 0 {
		return at
	}
	return len(list)
}
