//! This host's part in an election, if it takes part in one.

use std::hash::{BuildHasher, RandomState};

use mizzen_engine::Role;
use mizzen_live::{Leadership, LeaseOptions, Live, Standing};

use crate::args;

/// An election, or none: then this host always leads.
pub(crate) struct Election(Option<Leadership>);

// === impl Election ===

impl Election {
    /// Starts to take part, if the command line says so.
    pub(crate) fn start(live: &Live, args: args::Election) -> Self {
        if !args.leader_elect {
            return Self(None);
        }
        let options = LeaseOptions {
            namespace: args.leader_elect_namespace,
            name: args::LEASE.into(),
            identity: identity(std::env::var("HOSTNAME").ok()),
        };
        tracing::info!(identity = options.identity, "waiting for the Lease");
        Self(Some(live.elect(options)))
    }

    /// The role in which the engine starts.
    pub(crate) fn role(&self) -> Role {
        if self.0.is_some() { Role::Follower } else { Role::Leader }
    }

    /// Whether this host may write.
    pub(crate) fn leads(&self) -> bool {
        self.0.as_ref().is_none_or(|leadership| leadership.standing() == Standing::Holder)
    }

    /// The next change of the standing. Never completes without an election.
    pub(crate) async fn changed(&mut self) -> Standing {
        match &mut self.0 {
            Some(leadership) => leadership.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Lets another host lead.
    pub(crate) async fn release(self) {
        if let Some(leadership) = self.0 {
            leadership.release().await;
        }
    }
}

/// A name that no other host has: a pod's name is used again by its next container.
fn identity(hostname: Option<String>) -> String {
    format!("{}_{:016x}", hostname.unwrap_or_else(|| "mizzen".into()), RandomState::new().hash_one(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hosts_in_one_pod_have_different_names() {
        let name = || identity(Some("mizzen-0".into()));
        assert!(name().starts_with("mizzen-0_"));
        assert_ne!(name(), name());
    }
}
