//! What live objects tell of disruptions: that there was one, and how far it has come.

use mizzen_cluster::{Cluster, Scope};
use mizzen_model::ObjectRef;

use super::Stage;
use super::progress::{Progress, is_complete, progress};

/// How far something is that was done to an object.
pub(super) fn judge(object: &ObjectRef, stage: &Stage, cluster: &dyn Cluster) -> Progress {
    let unknown = |error: mizzen_cluster::ReadError| Progress::UnderWay(error.to_string());
    let live = match cluster.get(Scope::All, object) {
        Ok(live) => live,
        Err(error) => return unknown(error),
    };
    match (stage, live) {
        (Stage::Reserved, _) => Progress::UnderWay("it is being written".into()),
        (Stage::Patched { .. }, None) => Progress::Through,
        (Stage::Patched { version }, Some(live)) if live.resource_version < *version => {
            Progress::UnderWay("its patch has not been seen yet".into())
        }
        (Stage::Patched { .. }, Some(live)) => progress(&live.value()),
        (Stage::Deleted { uid, .. }, Some(live)) if live.uid == *uid => Progress::UnderWay("it is still there".into()),
        (Stage::Deleted { owner, .. }, _) => {
            match owner.as_ref().map(|(own, at)| (own, at, cluster.get(Scope::All, own))) {
                Some((own, at, Ok(Some(live)))) if live.resource_version == *at || !is_complete(&live.value()) => {
                    Progress::UnderWay(format!("{own} has not replaced it yet"))
                }
                Some((_, _, Err(error))) => unknown(error),
                None | Some((_, _, Ok(_))) => Progress::Through,
            }
        }
    }
}
