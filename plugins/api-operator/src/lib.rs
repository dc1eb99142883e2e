//! Publishes ExposedAPIs through the mesh.
