//! The reconcilers, by number and by name, and the numbers of subjects.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mizzen_config::{Mode, Reconciler, Subject};
use mizzen_model::{Invoke, Kind, LoadError, ObjectRef};

use super::order::{Participation, Position, Predecessors};
use crate::plugin::{NodeId, Plugin, SubjectId};

/// A reconciler as configured, with its plugin.
#[derive(Clone)]
pub struct NodeSpec {
    /// The configuration.
    pub reconciler: Arc<Reconciler>,
    /// The plugin: the last good revision, or why none may run.
    pub invoke: Result<Arc<dyn Invoke>, LoadError>,
}

/// How far the start of a reconciler has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its plugin could not be loaded; with the reason.
    Unloaded(String),
    /// What its plugin reads is being listed.
    Syncing,
    /// What its plugin reads can't be listed; with the reason. It is tried again.
    Blocked(String),
    /// It runs.
    Running,
    /// The configuration pauses it.
    Paused,
}

/// One reconciler.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) plugin: Option<Plugin>,
    /// Counts up with every change of component, configuration or grants.
    pub(super) revision: u64,
    pub(super) state: State,
    predecessors: Predecessors,
}

/// All reconcilers.
#[derive(Default)]
pub(super) struct Nodes {
    all: BTreeMap<NodeId, Node>,
    names: HashMap<String, NodeId>,
    next: u32,
}

/// What a new configuration changes.
pub(super) struct Replaced {
    /// Reconcilers to be started.
    pub(super) changed: Vec<NodeId>,
    /// Reconcilers that are configured no longer.
    pub(super) gone: Vec<NodeId>,
}

/// Whether a reconciler must be started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Start,
    None,
}

/// Subjects by number, which keeps the memory for thousands of them small.
#[derive(Default)]
pub(super) struct Subjects {
    names: Vec<ObjectRef>,
    ids: HashMap<ObjectRef, SubjectId>,
}

// === impl State ===

impl State {
    /// How far a reconciler in this state takes part in the order.
    pub(super) fn participation(&self) -> Participation {
        match self {
            Self::Running => Participation::Started,
            Self::Paused => Participation::Paused,
            Self::Unloaded(_) | Self::Syncing | Self::Blocked(_) => Participation::NotStarted,
        }
    }
}

// === impl Node ===

impl Node {
    /// The objects that it is called for.
    fn subject(&self) -> Option<&Subject> {
        self.plugin.as_ref().map(Plugin::subject)
    }

    /// Whether it runs, and all of its subjects are known.
    pub(super) fn is_started(&self) -> bool {
        self.state == State::Running
    }

    /// Whether it may refuse the deletion of a subject. One that is not loaded may, as its plugin
    /// may finalize; one that does not act may not.
    pub(super) fn can_refuse_deletion(&self) -> bool {
        self.plugin.as_ref().is_none_or(|plugin| {
            self.state != State::Paused
                && plugin.reconciler.mode == Mode::Enforce
                && plugin.invoke.description().finalizes
        })
    }

    /// Its position in the order.
    pub(super) fn position(&self) -> Position {
        Position {
            id: self.id,
            name: self.name.clone(),
            kind: self.subject().map(|subject| subject.kind.clone()),
            predecessors: self.predecessors.clone(),
            participation: self.state.participation(),
        }
    }
}

// === impl Nodes ===

impl Nodes {
    pub(super) fn get(&self, id: NodeId) -> Option<&Node> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.all.get_mut(&id)
    }

    pub(super) fn ids(&self) -> Vec<NodeId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.all.values()
    }

    /// The reconcilers with subjects of a kind.
    pub(super) fn of_subject(&self, kind: &Kind) -> Vec<NodeId> {
        let is_subject = |node: &&Node| node.subject().is_some_and(|subject| subject.kind == *kind);
        self.all.values().filter(is_subject).map(|node| node.id).collect()
    }

    /// Whether a configuration is the current one.
    pub(super) fn is_current(&self, specs: &[NodeSpec]) -> bool {
        specs.len() == self.all.len() && specs.iter().all(|spec| self.has(spec))
    }

    fn has(&self, spec: &NodeSpec) -> bool {
        let NodeSpec { reconciler, invoke } = spec;
        let node = self.names.get(&reconciler.name).and_then(|id| self.all.get(id));
        node.is_some_and(|node| match (&node.plugin, invoke) {
            (Some(own), Ok(invoke)) => own.reconciler == *reconciler && own.invoke.digest() == invoke.digest(),
            (None, Err(_)) => node.predecessors == predecessors(reconciler),
            (None, Ok(_)) | (Some(_), Err(_)) => false,
        })
    }

    /// Replaces the reconcilers. Those that remain keep their numbers.
    pub(super) fn configure(&mut self, specs: Vec<NodeSpec>) -> Replaced {
        let (mut changed, mut kept) = (Vec::new(), HashSet::new());
        for spec in specs {
            let id = *self.names.entry(spec.reconciler.name.clone()).or_insert_with(|| {
                self.next += 1;
                NodeId(self.next - 1)
            });
            kept.insert(id);
            if self.put(id, spec) == Change::Start {
                changed.push(id);
            }
        }
        let gone: Vec<_> = self.all.keys().filter(|id| !kept.contains(id)).copied().collect();
        self.all.retain(|id, _| kept.contains(id));
        self.names.retain(|_, id| kept.contains(id));
        Replaced { changed, gone }
    }

    fn put(&mut self, id: NodeId, spec: NodeSpec) -> Change {
        let NodeSpec { reconciler, invoke } = spec;
        let node = self.all.entry(id).or_insert_with(|| Node {
            id,
            name: reconciler.name.clone(),
            plugin: None,
            revision: 0,
            state: State::Unloaded(String::new()),
            predecessors: Predecessors::default(),
        });
        node.predecessors = predecessors(&reconciler);
        match invoke {
            Ok(invoke) => {
                let plugin = Plugin { reconciler, invoke };
                let same = node.plugin.as_ref().is_some_and(|own| own.same_outcomes(&plugin));
                let mode = plugin.reconciler.mode;
                node.plugin = Some(plugin);
                if same {
                    return Change::None;
                }
                node.revision += 1;
                node.state = if mode == Mode::Paused { State::Paused } else { State::Syncing };
                Change::Start
            }
            // Not even the last good revision may run under this configuration.
            Err(reason) => {
                node.plugin = None;
                node.revision += 1;
                node.state = State::Unloaded(reason.to_string());
                Change::None
            }
        }
    }
}

fn predecessors(reconciler: &Reconciler) -> Predecessors {
    Predecessors { after: reconciler.after.clone(), after_any: reconciler.after_any.clone() }
}

// === impl Subjects ===

impl Subjects {
    /// The number of a subject, given the first time it is seen.
    pub(super) fn id(&mut self, object: &ObjectRef) -> SubjectId {
        if let Some(id) = self.ids.get(object) {
            return *id;
        }
        let id = SubjectId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(object.clone());
        self.ids.insert(object.clone(), id);
        id
    }

    pub(super) fn find(&self, object: &ObjectRef) -> Option<SubjectId> {
        self.ids.get(object).copied()
    }

    pub(super) fn name(&self, id: SubjectId) -> Option<&ObjectRef> {
        self.names.get(id.0 as usize)
    }
}
