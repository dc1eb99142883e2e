//! Keeps the mesh's default mutual TLS mode.
