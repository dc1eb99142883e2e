package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// fieldNames find the field that a message of Istio names, the most reliable pattern first.
var fieldNames = []*regexp.Regexp{
	regexp.MustCompile(`invalid schema for ([\w.-]+):`),
	regexp.MustCompile(`unknown field "([^"]+)"`),
	regexp.MustCompile(`cannot unmarshal .* into Go struct field (?:\w+\.)?([\w.-]+) of type`),
	regexp.MustCompile(`\b((?:components|values|meshConfig|global|gateways|pilot|cni)\.[\w.\[\]=-]*[\w\]])`),
	regexp.MustCompile(`^(profile|bad hub|bad tag|invalid revision|trustDomain)\b`),
}

// roots are the paths of fields that messages name only in part.
var roots = map[string]string{
	"bad hub":          "spec.hub",
	"bad tag":          "spec.tag",
	"invalid revision": "spec.revision",
	"trustDomain":      "spec.meshConfig.trustDomain",
	"profile":          "spec.profile",
	"components":       "spec.components",
	"meshConfig":       "spec.meshConfig",
	"values":           "spec.values",
	"global":           "spec.values.global",
	"gateways":         "spec.values.gateways",
	"pilot":            "spec.values.pilot",
	"cni":              "spec.values.cni",
}

// problems returns the results of an error of Istio, whose text may contain several errors.
func problems(of severity, err error, document json.RawMessage) []result {
	var all []result
	for _, message := range sentences(err.Error()) {
		all = append(all, result{Message: message, Severity: of, Field: named(message, document)})
	}
	return all
}

// sentences splits a text that go-multierror joined: "2 errors occurred:\n\t* one\n\t* two\n\n".
func sentences(text string) []string {
	head, list, several := strings.Cut(text, " occurred:\n\t* ")
	if !several {
		return []string{strings.TrimSpace(text)}
	}
	// The text before the count applies to all of the errors.
	common := strings.TrimRight(head, "0123456789 errors")
	var all []string
	for _, message := range strings.Split(list, "\n\t* ") {
		all = append(all, strings.TrimSpace(common+" "+strings.TrimSpace(message)))
	}
	return all
}

// distinct removes duplicate messages: Istio checks the mesh's configuration more than once.
func distinct(results []result) []result {
	seen := map[string]bool{}
	var all []result
	for _, one := range results {
		if !seen[one.Message] {
			seen[one.Message] = true
			all = append(all, one)
		}
	}
	return all
}

// refusal is an error that this client reports itself; with an empty path it names no field.
func refusal(path, format string, values ...any) []result {
	refused := result{Message: fmt.Sprintf(format, values...), Severity: severityError}
	if path != "" {
		refused.Field = &field{Path: path}
	}
	return []result{refused}
}

// named returns the field that a message of Istio names, if any.
func named(message string, document json.RawMessage) *field {
	for _, name := range fieldNames {
		found := name.FindStringSubmatch(message)
		if found == nil {
			continue
		}
		root, rest, nested := strings.Cut(found[1], ".")
		if better, ok := roots[root]; ok {
			root = better
		}
		if nested {
			return &field{Path: root + "." + rest}
		}
		if root != found[1] || strings.HasPrefix(root, "spec") {
			return &field{Path: root}
		}
		// A name without a path: it is the field if the document contains the name once.
		if places := paths(document, root); len(places) == 1 {
			return &field{Path: places[0]}
		}
		return nil
	}
	return nil
}

// paths returns the paths of all fields of this name.
func paths(document json.RawMessage, name string) []string {
	var tree any
	if json.Unmarshal(document, &tree) != nil {
		return nil
	}
	var all []string
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch node := node.(type) {
		case map[string]any:
			for key, value := range node {
				if key == name {
					all = append(all, strings.TrimPrefix(at+"."+key, "."))
				}
				walk(at+"."+key, value)
			}
		case []any:
			for index, value := range node {
				walk(fmt.Sprintf("%s[%d]", at, index), value)
			}
		}
	}
	walk("", tree)
	return all
}
