//! What came through, what was given up on, and who is to hear of it.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_cluster::Cluster;
use mizzen_model::ObjectRef;

use super::Name;
use super::line::{GivenUp, Line, Stage};
use super::live::judge;
use super::progress::Progress;
use crate::plugin::{Key, NodeId};

/// Something that was given up on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) node: NodeId,
    pub(crate) pace: Arc<str>,
    pub(crate) object: ObjectRef,
    pub(crate) why: String,
}

/// What changed: who is to look again, and what was given up on.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) keys: HashSet<Key>,
    pub(crate) lost: Vec<Lost>,
}

/// What of a line a change of an object may bring through: the object itself, or what belonged to it.
pub(super) fn concerned(line: &Line, object: &ObjectRef) -> Vec<ObjectRef> {
    let belongs = |stage: &Stage| matches!(stage, Stage::Deleted { owner: Some((owner, _)), .. } if owner == object);
    let itself = (line.under_way.contains_key(object) || line.given_up.contains_key(object)).then(|| object.clone());
    let deleted = line.under_way.iter().filter(|(_, own)| belongs(&own.stage)).map(|(own, _)| own.clone());
    let given_up = line.given_up.iter().filter(|(_, own)| belongs(&own.stage)).map(|(own, _)| own.clone());
    itself.into_iter().chain(deleted).chain(given_up).collect()
}

/// Looks whether something has come through, or never will.
pub(super) fn settle(line: &mut Line, name: &Name, object: &ObjectRef, cluster: &dyn Cluster, news: &mut News) {
    if let Some(given_up) = line.given_up.get(object) {
        if judge(object, &given_up.stage, cluster) == Progress::Through {
            news.keys.extend(given_up.key);
            line.given_up.remove(object);
        }
        return;
    }
    let Some(disruption) = line.under_way.get_mut(object) else { return };
    match judge(object, &disruption.stage, cluster) {
        Progress::Through => drop(line.end(object)),
        Progress::Failed(why) => {
            let stage = disruption.stage.clone();
            lose(line, name, object, stage, why, news);
        }
        Progress::UnderWay(_) => {}
    }
}

/// Gives up on something for which patience is over.
pub(super) fn give_up(line: &mut Line, name: &Name, object: &ObjectRef, news: &mut News) {
    if let Some(disruption) = line.under_way.get(object) {
        let why = format!("not through after {} s", line.pace.progress_deadline.as_secs());
        let stage = disruption.stage.clone();
        lose(line, name, object, stage, why, news);
    }
}

fn lose(line: &mut Line, name: &Name, object: &ObjectRef, stage: Stage, why: String, news: &mut News) {
    let Some(disruption) = line.end(object) else { return };
    news.keys.extend(disruption.key);
    news.lost.push(Lost { node: name.0, pace: Arc::clone(&name.1), object: object.clone(), why: why.clone() });
    line.given_up.insert(object.clone(), GivenUp { key: disruption.key, stage, why });
}
