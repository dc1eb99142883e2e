package main

import (
	"fmt"
	"regexp"
	"strings"
)

// Where Istio's messages name a field of the document.
var fieldNames = []*regexp.Regexp{
	regexp.MustCompile(`unknown field "([^"]+)"`),
	regexp.MustCompile(`invalid schema for ([\w.-]+):`),
	regexp.MustCompile(`cannot unmarshal .* into Go struct field (?:\w+\.)?([\w.-]+) of type`),
	regexp.MustCompile(`\b((?:components|values|meshConfig|global|gateways|pilot|cni)\.[\w.\[\]=-]*[\w\]])`),
	regexp.MustCompile(`^(profile|bad hub|bad tag|invalid revision)\b`),
}

// What Istio says instead of a field's name.
var meant = map[string]string{"bad hub": "hub", "bad tag": "tag", "invalid revision": "revision"}

// problem is an error of Istio's.
func problem(err error) result {
	return result{Message: err.Error(), Severity: severityError, Field: named(err.Error())}
}

// warning is a warning of Istio's.
func warning(err error) result {
	return result{Message: err.Error(), Severity: severityWarning, Field: named(err.Error())}
}

// refusal is an error of this client's; an empty path names no field.
func refusal(path, format string, values ...any) *result {
	refused := result{Message: fmt.Sprintf(format, values...), Severity: severityError}
	if path != "" {
		refused.Field = &field{Path: path}
	}
	return &refused
}

// named is the field that a message of Istio's is about, if it says so.
func named(message string) *field {
	for _, name := range fieldNames {
		found := name.FindStringSubmatch(message)
		if found == nil {
			continue
		}
		path := found[1]
		if better, ok := meant[path]; ok {
			path = better
		}
		switch root, _, _ := strings.Cut(path, "."); root {
		case "global", "gateways", "pilot", "cni":
			path = "spec.values." + path
		case "values", "components", "meshConfig", "profile", "hub", "tag", "revision":
			path = "spec." + path
		}
		return &field{Path: path}
	}
	return nil
}
