package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// renderConfig calls the client with a functionConfig.
func renderConfig(config string) resourceList {
	return call([]byte(`{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [], "functionConfig": ` + config + `}`))
}

// mesh is an IstioOperator with this spec.
func mesh(spec string) string {
	return `{"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": ` + spec + `}`
}

// kindsOf is the kinds of the items, in their order, each once.
func kindsOf(items []any) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.(map[string]any)["kind"].(string))
	}
	return slices.Compact(all)
}

func TestDefinitionsAreFirstAndGatewaysFollowWhatTheyNeed(t *testing.T) {
	output := renderConfig(mesh(`{"profile": "demo", "components": {"cni": {"enabled": true}}}`))
	if len(output.Results) != 0 {
		t.Fatal(output.Results)
	}
	if first := kindsOf(output.Items)[0]; first != "CustomResourceDefinition" {
		t.Error(first, "is first")
	}
	names := map[string]int{}
	for index, item := range output.Items {
		object := item.(map[string]any)
		names[object["kind"].(string)+" "+object["metadata"].(map[string]any)["name"].(string)] = index
	}
	order := []string{
		"CustomResourceDefinition gateways.networking.istio.io", "ServiceAccount istio-reader-service-account", "DaemonSet istio-cni-node",
		"ServiceAccount istiod", "ConfigMap istio", "Deployment istiod", "Deployment istio-ingressgateway", "Deployment istio-egressgateway",
	}
	for _, pair := range [][]string{order[:2], order[1:3], order[2:4], order[3:5], order[4:6], order[5:7], order[6:8]} {
		before, ok := names[pair[0]]
		after, also := names[pair[1]]
		if !ok || !also || before > after {
			t.Errorf("%s (%v, %d) is not before %s (%v, %d)", pair[0], ok, before, pair[1], also, after)
		}
	}
}

func TestEqualDocumentsHaveEqualOutput(t *testing.T) {
	document := mesh(`{"profile": "demo", "components": {"pilot": {"k8s": {"replicaCount": 2, "env": [{"name": "A", "value": "1"}],
		"resources": {"requests": {"cpu": "1"}}, "nodeSelector": {"a": "b", "c": "d"}, "podAnnotations": {"e": "f"}}}}}`)
	var first bytes.Buffer
	_ = renderConfig(document).write(&first)
	for range 5 {
		var again bytes.Buffer
		_ = renderConfig(document).write(&again)
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatal("two texts")
		}
	}
}

func TestAnErrorNamesTheField(t *testing.T) {
	for config, want := range map[string]struct{ field, message string }{
		`null`: {"", "there is no functionConfig"},
		`[]`:   {"", "functionConfig is not an IstioOperator"},
		`{"apiVersion": "install.istio.io/v1alpha1", "kind": "Istio"}`:        {"kind", "give an IstioOperator"},
		`{"apiVersion": "install.istio.io/v2", "kind": "IstioOperator"}`:      {"apiVersion", "install.istio.io/v1alpha1"},
		mesh(`{"installPackagePath": "/etc"}`):                                {"spec.installPackagePath", "leave this out"},
		mesh(`{"profile": "nope"}`):                                           {"spec.profile", `profile "nope" not found`},
		mesh(`{"hub": "A B"}`):                                                {"spec.hub", "bad hub"},
		mesh(`{"tag": "a b"}`):                                                {"spec.tag", "bad tag"},
		mesh(`{"revision": "A_"}`):                                            {"spec.revision", "invalid revision"},
		mesh(`{"components": {"pilott": {}}}`):                                {"spec.components.pilott", "unknown field"},
		mesh(`{"components": []}`):                                            {"spec.components", "cannot unmarshal array"},
		mesh(`{"components": {"pilot": {"k8s": {"replicaCount": "x"}}}}`):     {"spec.components.pilot.k8s.replicaCount", "of type uint32"},
		mesh(`{"meshConfig": {"trustDomain": "A B"}}`):                        {"spec.meshConfig.trustDomain", `trust domain name "A B" invalid`},
		mesh(`{"values": {"global": {"proxy": {"includeIPRanges": "1.2"}}}}`): {"spec.values.global.proxy.includeIPRanges", "no '/'"},
		mesh(`{"values": {"pilot": {"tolerations": [{"foo": 1}]}}}`):          {"spec.values.pilot.tolerations", `unknown field "foo"`},
		mesh(`{"values": {"pilot": [], "global": 3}}`):                        {"", "panicked on this document"},
		mesh(`{"components": {"pilot": {"k8s": {"x": 1}}, "cni": {"x": 1}}}`): {"", `unknown field "x"`},
	} {
		output := renderConfig(config)
		if len(output.Items) != 0 || len(output.Results) == 0 {
			t.Errorf("%s: %d items, %d results", config, len(output.Items), len(output.Results))
			continue
		}
		got := output.Results[0]
		path := ""
		if got.Field != nil {
			path = got.Field.Path
		}
		if got.Severity != severityError || path != want.field || !strings.Contains(got.Message, want.message) {
			t.Errorf("%s: %s %q %s", config, got.Severity, path, got.Message)
		}
	}
}

func TestEachErrorIsOneResultAndIsReportedOnce(t *testing.T) {
	output := renderConfig(mesh(`{"hub": "A B", "tag": "a b", "meshConfig": {"connectTimeout": "-1s", "trustDomain": "A B"}}`))
	if len(output.Results) != 4 {
		t.Error(output.Results)
	}
	for _, one := range output.Results {
		if strings.Contains(one.Message, "occurred") {
			t.Error(one.Message)
		}
	}
}

func TestAWarningAccompaniesTheRenderedObjects(t *testing.T) {
	output := renderConfig(mesh(`{"components": {"pilot": {"k8s": {"replicaCount": 3}}}, "values": {"pilot": {"autoscaleEnabled": true}}}`))
	if len(output.Items) == 0 || len(output.Results) != 1 {
		t.Fatal(len(output.Items), output.Results)
	}
	if got := output.Results[0]; got.Severity != severityWarning || got.Field == nil || got.Field.Path != "spec.components.pilot.k8s.replicaCount" {
		t.Error(got)
	}
}

func TestInputThatIsNotAResourceListIsAnErrorInOne(t *testing.T) {
	for _, input := range []string{"", "{}", "kind: [", "- 1", `{"apiVersion": "v1", "kind": "List"}`, "\x00\xff"} {
		output := call([]byte(input))
		if output.Kind != listKind || output.Items == nil || len(output.Results) != 1 || output.Results[0].Severity != severityError {
			t.Errorf("%q: %+v", input, output)
		}
	}
}

func TestInputItemsStay(t *testing.T) {
	list := `{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{"kind": "A"}], "functionConfig": `
	for _, config := range []string{mesh(`{"profile": "empty"}`), "null"} {
		output := call([]byte(list + config + "}"))
		if kinds := kindsOf(output.Items); !slices.Equal(kinds, []string{"A"}) {
			t.Error(config, kinds)
		}
	}
}

func TestSeveralErrorsInOneTextAreSplit(t *testing.T) {
	err := errors.New("merge: 2 errors occurred:\n\t* trustDomain: bad\n\t* other\n\n")
	var messages []string
	for _, one := range problems(severityError, err, json.RawMessage("{}")) {
		messages = append(messages, one.Message)
	}
	if !slices.Equal(messages, []string{"merge: trustDomain: bad", "merge: other"}) {
		t.Error(messages)
	}
}
