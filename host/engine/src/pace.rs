//! Paces: how much of what disrupts may be under way at once, how much in a minute, and when.
//!
//! ```text
//!   patch ─► begin? ─ yes ─► written ─► under way ─► through (its status says so), or given up (failed, or patience is over)
//!               └─ no: the key waits ◄── called: a slot or a minute's token is free, a window opens ──┘
//! ```
//! A pace is a reconciler's, for all of its subjects together. What is under way is known from the live objects: each that was patched
//! under a pace says so in an annotation, with the time, so that a restarted host counts on where the one before it was.

mod line;
mod live;
mod news;
mod progress;
mod standing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use mizzen_cluster::{Cluster, Scope, Selection};
use mizzen_config::Pace;
use mizzen_model::{Access, ObjectRef};

use crate::names;
use crate::plugin::{Key, NodeId, Plugin};
use line::Line;
pub(crate) use line::{Disruption, Stage};
use live::judge;
pub(crate) use news::News;
use news::{concerned, give_up, settle};
use progress::Progress;
pub use standing::PaceSnapshot;
pub(crate) use standing::Standing;

/// One pace of one reconciler.
type Name = (NodeId, Arc<str>);

/// All paces of all reconcilers.
pub(crate) struct Paces {
    lines: BTreeMap<Name, Line>,
    /// Which paces are to be told of a change of which object.
    watched: HashMap<ObjectRef, BTreeSet<Name>>,
    /// Whether paces hold anything back: in a rehearsal, nothing that is patched ever comes through.
    held: bool,
}

/// Whether something that disrupts may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may, and counts as under way.
    Now,
    /// It may when it is called.
    Later,
    /// There is no such pace.
    Unknown,
}

// === impl Paces ===

impl Paces {
    pub(crate) fn new(held: bool) -> Self {
        Self { lines: BTreeMap::new(), watched: HashMap::new(), held }
    }

    /// Takes in a reconciler's paces in place of those before. What is under way under one that stays goes on.
    pub(crate) fn configure(&mut self, node: NodeId, paces: &BTreeMap<String, Pace>) {
        self.lines.retain(|(own, name), _| *own != node || paces.contains_key(&**name));
        for (name, pace) in paces {
            let line = self.lines.entry((node, name.as_str().into())).or_insert_with(|| Line::new(pace.clone()));
            line.pace = pace.clone();
        }
    }

    /// Forgets all of a reconciler's paces.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.lines.retain(|(own, _), _| *own != node);
    }

    /// Finds in the cluster what an earlier life of the host began.
    pub(crate) fn resume(&mut self, node: NodeId, plugin: &Plugin, cluster: &dyn Cluster) {
        let annotation = names::pace_annotation(plugin.name());
        for kind in plugin.invoke.description().kinds(Access::Patch) {
            for object in cluster.list(Scope::All, kind, &Selection::default()).unwrap_or_default() {
                if let Some((pace, begun)) = names::pace_of(&object, &annotation) {
                    self.find(&(node, pace), &object.reference, begun, cluster);
                }
            }
        }
    }

    fn find(&mut self, name: &Name, object: &ObjectRef, begun: Timestamp, cluster: &dyn Cluster) {
        let stage = Stage::Patched { version: 0 };
        let Some(line) = self.lines.get_mut(name).filter(|line| !line.knows(object)) else { return };
        if judge(object, &stage, cluster) != Progress::Through {
            line.begin(object.clone(), Disruption { begun, key: None, stage });
            self.watch(name, [object]);
        }
    }

    /// Gives something its turn, if it can have it now.
    pub(crate) fn begin(&mut self, key: Key, pace: &str, object: &ObjectRef, now: Timestamp) -> Turn {
        let name = (key.node, pace.into());
        let Some(line) = self.lines.get_mut(&name) else { return Turn::Unknown };
        // What is under way is disrupted already.
        if self.held && !line.under_way.contains_key(object) && !line.is_free(now) {
            return Turn::Later;
        }
        line.begin(object.clone(), Disruption { begun: now, key: Some(key), stage: Stage::Reserved });
        self.watch(&name, [object]);
        Turn::Now
    }

    /// What had its turn was not written.
    pub(crate) fn take_back(&mut self, key: Key, pace: &str, object: &ObjectRef) {
        if let Some(line) = self.lines.get_mut(&(key.node, pace.into())) {
            line.take_back(object);
        }
    }

    /// What had its turn was written.
    pub(crate) fn begun(
        &mut self,
        key: Key,
        pace: &str,
        object: &ObjectRef,
        stage: Stage,
        cluster: &dyn Cluster,
    ) -> News {
        let name = (key.node, pace.into());
        if let Stage::Deleted { owner: Some((owner, _)), .. } = &stage {
            self.watch(&name, [owner]);
        }
        if let Some(own) = self.lines.get_mut(&name).and_then(|line| line.under_way.get_mut(object)) {
            own.stage = stage;
        }
        // It may have come through before this was noted.
        self.changed(object, cluster)
    }

    /// Something that is as wanted belongs to this key, if it is under way or was given up on.
    pub(crate) fn claim(&mut self, key: Key, pace: &str, object: &ObjectRef) {
        let Some(line) = self.lines.get_mut(&(key.node, pace.into())) else { return };
        let owners = [
            line.under_way.get_mut(object).map(|own| &mut own.key),
            line.given_up.get_mut(object).map(|own| &mut own.key),
        ];
        owners.into_iter().flatten().for_each(|owner| *owner = Some(key));
    }

    /// Takes in a disruption that was begun before: by an earlier life of the host, or by somebody else.
    pub(crate) fn adopt(&mut self, key: Key, pace: &str, object: &ObjectRef, stage: Stage, now: Timestamp) {
        let name = (key.node, pace.into());
        let Some(line) = self.lines.get_mut(&name).filter(|line| !line.knows(object)) else { return };
        let owner = match &stage {
            Stage::Deleted { owner: Some((owner, _)), .. } => Some(owner.clone()),
            _ => None,
        };
        line.begin(object.clone(), Disruption { begun: now, key: Some(key), stage });
        self.watch(&name, [Some(object), owner.as_ref()].into_iter().flatten());
    }

    /// Notes how much of a key waits, by pace.
    pub(crate) fn defer(&mut self, key: Key, deferred: &HashMap<&str, usize>) {
        for ((_, name), line) in self.of(key.node) {
            line.defer(key, deferred.get(&**name).copied().unwrap_or(0));
        }
    }

    /// A key that may have been called has come, or can't.
    pub(crate) fn dismiss(&mut self, key: Key) {
        self.of(key.node).for_each(|(_, line)| line.dismiss(key));
    }

    /// Forgets who waits; what is under way goes on.
    pub(crate) fn forget_key(&mut self, key: Key) {
        self.of(key.node).for_each(|(_, line)| line.defer(key, 0));
    }

    fn of(&mut self, node: NodeId) -> impl Iterator<Item = (&Name, &mut Line)> {
        self.lines.iter_mut().filter(move |((own, _), _)| *own == node)
    }

    fn watch<'a>(&mut self, name: &Name, objects: impl IntoIterator<Item = &'a ObjectRef>) {
        for object in objects {
            self.watched.entry(object.clone()).or_default().insert(name.clone());
        }
    }

    /// An object changed: what of it is under way may have come through.
    pub(crate) fn changed(&mut self, object: &ObjectRef, cluster: &dyn Cluster) -> News {
        let mut news = News::default();
        let Some(names) = self.watched.get(object).cloned() else { return news };
        let mut still = BTreeSet::new();
        for name in names {
            let Some(line) = self.lines.get_mut(&name) else { continue };
            for own in concerned(line, object) {
                settle(line, &name, &own, cluster, &mut news);
            }
            if !concerned(line, object).is_empty() {
                still.insert(name);
            }
        }
        if still.is_empty() {
            self.watched.remove(object);
        } else {
            self.watched.insert(object.clone(), still);
        }
        news
    }

    /// Gives up on what is overdue, and calls those who wait and may begin.
    pub(crate) fn tick(&mut self, now: Timestamp, cluster: &dyn Cluster) -> News {
        let mut news = News::default();
        for (name, line) in &mut self.lines {
            for object in line.overdue(now) {
                settle(line, name, &object, cluster, &mut news);
                give_up(line, name, &object, &mut news);
            }
            news.keys.extend(line.call(now));
        }
        news
    }

    /// When the next [`tick`](Self::tick) is due.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        self.lines.values().filter_map(|line| line.due(now)).min()
    }
}
