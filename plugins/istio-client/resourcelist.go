package main

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

const (
	listVersion = "config.kubernetes.io/v1"
	listKind    = "ResourceList"
)

// resourceList is the ResourceList of the KRM Functions Specification, version 1: the input and output of a function.
type resourceList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// FunctionConfig is the IstioOperator to render. It is not part of the output.
	FunctionConfig json.RawMessage `json:"functionConfig,omitempty"`
	Items          []any           `json:"items"`
	Results        []result        `json:"results,omitempty"`
}

// result is one error of the document, or one warning about it.
type result struct {
	Message  string   `json:"message"`
	Severity severity `json:"severity"`
	Field    *field   `json:"field,omitempty"`
}

type severity string

const (
	// severityError means that nothing is rendered.
	severityError severity = "error"
	// severityWarning means that the document is rendered nonetheless.
	severityWarning severity = "warning"
)

// field is a path in functionConfig.
type field struct {
	Path string `json:"path"`
}

// parse reads a ResourceList, as YAML or JSON.
func parse(input []byte) (resourceList, error) {
	list := resourceList{}
	err := yaml.Unmarshal(input, &list)
	switch {
	case err != nil:
		return resourceList{}, fmt.Errorf("standard input is not a ResourceList: %w", err)
	case list.APIVersion != listVersion || list.Kind != listKind:
		return resourceList{}, fmt.Errorf(
			"standard input is a %q of %q: give a %s of %s", list.Kind, list.APIVersion, listKind, listVersion)
	}
	return list, nil
}

// refuse returns the input items without any rendered object, and the reasons.
func (list resourceList) refuse(results ...result) resourceList {
	return list.with(nil, results)
}

// with returns the input items and the rendered objects.
func (list resourceList) with(rendered []any, results []result) resourceList {
	return resourceList{
		APIVersion: listVersion,
		Kind:       listKind,
		Items:      append(append([]any{}, list.Items...), rendered...),
		Results:    results,
	}
}

// write writes one line of JSON with sorted keys: equal lists have equal texts.
func (list resourceList) write(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(list)
}
