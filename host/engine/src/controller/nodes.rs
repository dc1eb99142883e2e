//! The nodes of the order, by number and by name, and the subjects they know.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mizzen_config::{Mode, Reconciler, Subject};
use mizzen_model::{Invoke, Kind, ObjectRef};

use crate::plugin::{NodeId, Plugin, SubjectId};

/// One reconciler as it is configured, with the plugin that could or could not be loaded for it.
#[derive(Clone)]
pub struct NodeSpec {
    /// Its configuration.
    pub reconciler: Arc<Reconciler>,
    /// Its plugin: the last good revision; or why there never was one.
    pub invoke: Result<Arc<dyn Invoke>, String>,
}

/// How far a node has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no plugin; says why.
    Unloaded(String),
    /// What it reads is being listed.
    Syncing,
    /// What it reads can't be listed; says why. Tried again.
    Blocked(String),
    /// It is asked.
    Running,
    /// The configuration says that it is not to be asked.
    Paused,
}

/// One node.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) plugin: Option<Plugin>,
    /// Counts up with every change of component, configuration or grants.
    pub(crate) revision: u64,
    pub(crate) state: State,
    pub(crate) after: Vec<String>,
    pub(crate) after_any: Vec<String>,
    /// Who names this node in `after` or `afterAny`.
    pub(crate) successors: Vec<NodeId>,
    pub(crate) subjects: HashSet<SubjectId>,
    pub(crate) answered: HashSet<SubjectId>,
    pub(crate) ready: HashSet<SubjectId>,
    /// What [`Node::openness`] was when successors were last told.
    pub(crate) was_open: (bool, bool),
}

/// All nodes.
#[derive(Default)]
pub(crate) struct Nodes {
    all: BTreeMap<NodeId, Node>,
    names: HashMap<String, NodeId>,
    next: u32,
}

/// Subjects by number, so that the memory of thousands stays small.
#[derive(Default)]
pub(crate) struct Subjects {
    names: Vec<ObjectRef>,
    ids: HashMap<ObjectRef, SubjectId>,
}

// === impl Node ===

impl Node {
    /// Which objects it is asked about.
    pub(crate) fn subject(&self) -> Option<Subject> {
        self.plugin.as_ref().map(Plugin::subject)
    }

    /// Whether two nodes are asked about the same kind.
    pub(crate) fn same_subjects(&self, other: &Self) -> bool {
        self.subject().map(|subject| subject.kind) == other.subject().map(|subject| subject.kind)
    }

    /// Whether all of its subjects are known.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == State::Running
    }

    /// Whether it is ready for all of its subjects.
    pub(crate) fn is_all_ready(&self) -> bool {
        self.is_complete() && self.ready.len() == self.subjects.len()
    }

    /// Whether it has answered for all of its subjects, and is ready for all: what successors of another kind wait for.
    pub(crate) fn openness(&self) -> (bool, bool) {
        (self.is_complete() && self.answered.len() == self.subjects.len(), self.is_all_ready())
    }

    pub(crate) fn forget(&mut self, subject: SubjectId) {
        self.subjects.remove(&subject);
        self.answered.remove(&subject);
        self.ready.remove(&subject);
    }
}

// === impl Nodes ===

impl Nodes {
    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.all.get_mut(&id)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Node> {
        self.names.get(name).and_then(|id| self.all.get(id))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.all.values()
    }

    /// The nodes that are asked about a kind.
    pub(crate) fn of_subject(&self, kind: &Kind) -> Vec<NodeId> {
        let asked = |node: &&Node| node.subject().is_some_and(|subject| subject.kind == *kind);
        self.all.values().filter(asked).map(|node| node.id).collect()
    }

    /// Whether a configuration is the one there is.
    pub(crate) fn are(&self, specs: &[NodeSpec]) -> bool {
        let is = |NodeSpec { reconciler, invoke }: &NodeSpec| {
            self.named(&reconciler.name).is_some_and(|node| match (&node.plugin, invoke) {
                (Some(own), Ok(invoke)) => own.reconciler == *reconciler && own.invoke.digest() == invoke.digest(),
                // The last good revision goes on, or there never was one: only its place in the order may be another.
                (_, Err(_)) => (&node.after, &node.after_any) == (&reconciler.after, &reconciler.after_any),
                (None, Ok(_)) => false,
            })
        };
        specs.len() == self.all.len() && specs.iter().all(is)
    }

    /// Takes in a configuration: nodes that stay keep their memory. Gives those that must start anew, and those that are gone.
    pub(crate) fn configure(&mut self, specs: Vec<NodeSpec>) -> (Vec<NodeId>, Vec<NodeId>) {
        let (mut changed, mut kept) = (Vec::new(), HashSet::new());
        for spec in specs {
            let id = *self.names.entry(spec.reconciler.name.clone()).or_insert_with(|| {
                self.next += 1;
                NodeId(self.next - 1)
            });
            kept.insert(id);
            if self.put(id, spec) {
                changed.push(id);
            }
        }
        let gone: Vec<_> = self.all.keys().filter(|id| !kept.contains(id)).copied().collect();
        self.all.retain(|id, _| kept.contains(id));
        self.names.retain(|_, id| kept.contains(id));
        self.connect();
        (changed, gone)
    }

    /// Puts one node; `true` when it answers differently from now on.
    fn put(&mut self, id: NodeId, spec: NodeSpec) -> bool {
        let NodeSpec { reconciler, invoke } = spec;
        let node = self.all.entry(id).or_insert_with(|| Node {
            id,
            name: reconciler.name.clone(),
            plugin: None,
            revision: 0,
            state: State::Unloaded(String::new()),
            after: Vec::new(),
            after_any: Vec::new(),
            successors: Vec::new(),
            subjects: HashSet::new(),
            answered: HashSet::new(),
            ready: HashSet::new(),
            was_open: (false, false),
        });
        node.after.clone_from(&reconciler.after);
        node.after_any.clone_from(&reconciler.after_any);
        match invoke {
            Ok(invoke) => {
                let plugin = Plugin { reconciler, invoke };
                let same = node.plugin.as_ref().is_some_and(|own| own.same_answers(&plugin));
                node.plugin = Some(plugin.clone());
                if same {
                    return false;
                }
                node.revision += 1;
                node.state = if plugin.reconciler.mode == Mode::Paused { State::Paused } else { State::Syncing };
                true
            }
            // The last good revision goes on.
            Err(_) if node.plugin.is_some() => false,
            Err(why) => {
                node.state = State::Unloaded(why);
                false
            }
        }
    }

    fn connect(&mut self) {
        let edges: Vec<_> = self
            .all
            .values()
            .flat_map(|node| node.after.iter().chain(&node.after_any).map(|name| (name.clone(), node.id)))
            .collect();
        for node in self.all.values_mut() {
            let own = edges.iter().filter(|(before, _)| *before == node.name);
            node.successors = own.map(|(_, id)| *id).collect();
        }
    }
}

// === impl Subjects ===

impl Subjects {
    /// The number of a subject, given the first time it is seen.
    pub(crate) fn id(&mut self, object: &ObjectRef) -> SubjectId {
        if let Some(id) = self.ids.get(object) {
            return *id;
        }
        let id = SubjectId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(object.clone());
        self.ids.insert(object.clone(), id);
        id
    }

    pub(crate) fn find(&self, object: &ObjectRef) -> Option<SubjectId> {
        self.ids.get(object).copied()
    }

    pub(crate) fn name(&self, id: SubjectId) -> Option<&ObjectRef> {
        self.names.get(id.0 as usize)
    }
}
