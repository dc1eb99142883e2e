//! Loads components, checks them against their configuration, swaps revisions.
