//! The cluster as the engine sees it: the trait, and Memory, a cluster in a folder of YAML.
