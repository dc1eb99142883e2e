//go:build tools

// Package crds pins the modules that contain the custom resource definitions of the test control plane. Nothing here is
// compiled: only YAML files of these modules are read. Each import is the module's smallest package, so that
// `go mod tidy` keeps the module and little else.
package crds

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	_ "istio.io/api/analysis/v1alpha1"
)
