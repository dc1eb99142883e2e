//! Makes Istio's health and metrics visible from outside.
