package main

import (
	"encoding/json"

	"istio.io/istio/operator/pkg/apis"
	"istio.io/istio/operator/pkg/apis/validation"
	"istio.io/istio/operator/pkg/manifest"
	"istio.io/istio/operator/pkg/render"
)

// fromInput is the file name that makes Istio read a document from standard input.
var fromInput = []string{"-"}

// generate renders the IstioOperator of a ResourceList. A panic in Istio's code becomes an error of the document, which
// most likely caused it.
func generate(input resourceList) (output resourceList) {
	defer func() {
		if panicked := recover(); panicked != nil {
			output = input.refuse(refusal("", "istio's renderer panicked on this document: %v", panicked)...)
		}
	}()

	operator := input.FunctionConfig
	if refused := check(operator); refused != nil {
		return input.refuse(refused...)
	}
	warnings, errors := validate(operator)
	if len(errors) > 0 {
		return input.refuse(append(errors, warnings...)...)
	}
	sets, err := manifests(operator)
	if err != nil {
		return input.refuse(append(problems(severityError, err, operator), warnings...)...)
	}
	return input.with(ordered(sets), warnings)
}

// check refuses a document that is not an IstioOperator, or that refers to files: the sandbox has none.
func check(operator json.RawMessage) []result {
	var document struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			InstallPackagePath string `json:"installPackagePath"`
		} `json:"spec"`
	}
	gvk := apis.IstioOperatorGVK
	err := json.Unmarshal(operator, &document)
	switch {
	case len(operator) == 0 || string(operator) == "null":
		return refusal("", "there is no functionConfig: give an IstioOperator of %s", gvk.GroupVersion())
	case err != nil:
		return refusal("", "functionConfig is not an IstioOperator: %v", err)
	case document.Kind != gvk.Kind:
		return refusal("kind", "functionConfig is a %q: give an %s", document.Kind, gvk.Kind)
	case document.APIVersion != gvk.GroupVersion().String():
		return refusal("apiVersion", "functionConfig is of %q: this client knows %s", document.APIVersion, gvk.GroupVersion())
	case document.Spec.InstallPackagePath != "":
		return refusal("spec.installPackagePath", "charts are part of this client and can't come from a folder: leave this out")
	}
	return nil
}

// validate returns Istio's own warnings and errors, each as one result. Rendering would report only the first.
func validate(operator json.RawMessage) (warnings, errors []result) {
	give(operator)
	merged, err := render.MergeInputs(fromInput, nil, nil)
	if err != nil {
		return nil, problems(severityError, err, operator)
	}
	warned, wrong := validation.ParseAndValidateIstioOperator(merged, nil)
	for _, err := range wrong {
		errors = append(errors, problems(severityError, err, operator)...)
	}
	for _, err := range warned {
		warnings = append(warnings, problems(severityWarning, err, operator)...)
	}
	return distinct(warnings), distinct(errors)
}

// manifests renders the objects.
func manifests(operator []byte) ([]manifest.ManifestSet, error) {
	give(operator)
	sets, _, err := render.GenerateManifest(fromInput, nil, false, nil, nil)
	return sets, err
}
