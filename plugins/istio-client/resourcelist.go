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

// resourceList is the KRM Functions Specification's, version 1: what such a function reads and writes.
type resourceList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// FunctionConfig is the IstioOperator to render. It is not part of the output.
	FunctionConfig json.RawMessage `json:"functionConfig,omitempty"`
	Items          []any           `json:"items"`
	Results        []result        `json:"results,omitempty"`
}

// result is one thing that is wrong with the document, or odd about it.
type result struct {
	Message  string   `json:"message"`
	Severity severity `json:"severity"`
	Field    *field   `json:"field,omitempty"`
}

type severity string

const (
	// severityError: nothing is rendered.
	severityError severity = "error"
	// severityWarning: it is rendered all the same.
	severityWarning severity = "warning"
)

// field is a place in functionConfig.
type field struct {
	Path string `json:"path"`
}

// parse reads a ResourceList, as YAML or JSON.
func parse(input []byte) (resourceList, error) {
	asked := resourceList{}
	err := yaml.Unmarshal(input, &asked)
	switch {
	case err != nil:
		return resourceList{}, fmt.Errorf("standard input is not a ResourceList: %w", err)
	case asked.APIVersion != listVersion || asked.Kind != listKind:
		return resourceList{}, fmt.Errorf(
			"standard input is a %q of %q: give a %s of %s", asked.Kind, asked.APIVersion, listKind, listVersion)
	}
	return asked, nil
}

// refuse answers that nothing is rendered, and why. The items that came in stay.
func (asked resourceList) refuse(results ...result) resourceList {
	return asked.answer(nil, results)
}

// answer adds what was rendered to the items that came in.
func (asked resourceList) answer(rendered []any, results []result) resourceList {
	return resourceList{
		APIVersion: listVersion,
		Kind:       listKind,
		Items:      append(append([]any{}, asked.Items...), rendered...),
		Results:    results,
	}
}

// write writes one line of JSON with sorted keys: the same list is always the same text.
func (list resourceList) write(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(list)
}
