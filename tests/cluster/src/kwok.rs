//! The configuration of kwok: its own stages of nodes and pods, except for one.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::json;

use crate::credentials::Credentials;
use crate::flags;

/// kwok's own stage for pods that are being deleted, and the file that replaces it.
const DELETION: &str = "pod-delete.yaml";

/// kwok's own stage for pods of Jobs.
const COMPLETION: &str = "pod-complete.yaml";

/// What happens to the pods of Jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Jobs {
    /// They complete at once.
    #[default]
    Complete,
    /// They keep running.
    Endless,
}

/// Writes the stage that ends pods which are being deleted.
///
/// kwok deletes by name, once for each change of a pod that is being deleted. In its own stage, the deletion
/// itself is such a change (it removes the grace period). On a busy machine, a StatefulSet has created a pod of
/// the same name by then, which is deleted too, and so on without end. This stage ignores a pod whose grace
/// period is over, and its delay merges quick changes into one deletion.
pub(crate) fn write_files(folder: &Path) -> io::Result<()> {
    let matches = json!([
        {"key": ".metadata.deletionTimestamp", "operator": "Exists"},
        {"key": ".metadata.deletionGracePeriodSeconds", "operator": "NotIn", "values": ["0"]},
    ]);
    let stage = json!({"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": "pod-delete"},
                       "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
        "selector": {"matchExpressions": matches},
        "delay": {"durationMilliseconds": 100},
        "next": {"delete": true}}});
    fs::write(folder.join(DELETION), stage.to_string())
}

/// kwok's command line.
pub(crate) fn flags(folder: &Path, credentials: &Credentials, stages: &[PathBuf], jobs: Jobs) -> Vec<String> {
    let left_out = |file: &PathBuf| file.ends_with(DELETION) || jobs == Jobs::Endless && file.ends_with(COMPLETION);
    let kept = stages.iter().filter(|file| !left_out(file));
    let stages = kept.cloned().chain([folder.join(DELETION)]).map(|file| format!("--config={}", file.display()));
    [flags::kubeconfig(credentials), "--manage-all-nodes=true".to_owned()].into_iter().chain(stages).collect()
}
