//! How a pace stands: for conditions, metrics and the log.

use std::fmt;
use std::sync::Arc;

use mizzen_config::Pace;

use super::Paces;
use crate::plugin::{Key, NodeId};

/// How many objects a message names: a status is read by people, and kept by the API server.
const NAMED: usize = 5;

/// How a pace of a reconciler stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceSnapshot {
    /// Its name in the configuration.
    pub name: String,
    /// How many disruptions wait for their turn.
    pub waiting: usize,
    /// How many have begun and not come through.
    pub under_way: usize,
    /// How many were given up on: they failed, or patience was over.
    pub given_up: usize,
}

/// How a pace stands for one reconciler and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pace: Arc<str>,
    limits: String,
    /// How many disruptions are wanted, those included that were done before.
    wanted: usize,
    pub(crate) waiting: usize,
    given_up: Vec<String>,
}

// === impl Paces ===

impl Paces {
    /// How the paces of a reconciler stand.
    pub(crate) fn snapshot(&self, node: NodeId) -> Vec<PaceSnapshot> {
        let own = self.lines.iter().filter(|((own, _), _)| *own == node);
        own.map(|((_, name), line)| PaceSnapshot {
            name: name.to_string(),
            waiting: line.deferred.values().sum(),
            under_way: line.under_way.len(),
            given_up: line.given_up.len(),
        })
        .collect()
    }

    /// How a pace stands for a key that wants so much done under it, of which so much waits.
    pub(crate) fn standing(&self, key: Key, pace: &str, wanted: usize, waiting: usize) -> Option<Standing> {
        let ((_, name), line) = self.lines.get_key_value(&(key.node, pace.into()))?;
        let own = line.given_up.iter().filter(|(_, lost)| lost.key.is_none_or(|own| own == key));
        let given_up = own.map(|(object, lost)| format!("{object} ({})", lost.why)).collect();
        Some(Standing { pace: Arc::clone(name), limits: limits(&line.pace), wanted, waiting, given_up })
    }
}

fn limits(pace: &Pace) -> String {
    let at_once = pace.at_once.map(|most| format!("at once {most}"));
    let per_minute = pace.per_minute.map(|most| format!("per minute {most}"));
    let windows = (!pace.windows.is_empty()).then(|| "within windows".to_owned());
    [at_once, per_minute, windows].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

// === impl Standing ===

impl Standing {
    /// Whether there is anything to say.
    pub(crate) fn is_notable(&self) -> bool {
        self.waiting > 0 || !self.given_up.is_empty()
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pace, limits, wanted, waiting, given_up } = self;
        if *waiting > 0 {
            write!(f, "{waiting} of {wanted} disruptions wait for pace `{pace}` ({limits})")?;
        }
        if !given_up.is_empty() {
            let between = if *waiting > 0 { "; " } else { "" };
            write!(f, "{between}gave up waiting for {}", given_up[..given_up.len().min(NAMED)].join(", "))?;
            if given_up.len() > NAMED {
                write!(f, " and {} more", given_up.len() - NAMED)?;
            }
        }
        Ok(())
    }
}
