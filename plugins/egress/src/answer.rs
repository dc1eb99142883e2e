//! What is known of a component's hosts: the API's response, or its last one.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Config;
use crate::api::{Api, SOON, Trouble};
use crate::component::Component;
use crate::dynakube::{Info, Spec, Status};

/// What is known of a component's hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The API's response, or its last one.
    info: Option<Info>,
    /// Why there is no response.
    trouble: Option<Trouble>,
    /// Whether the API reports that there are no hosts.
    nothing: bool,
}

/// What is known of each component.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    active_gate: Answer,
    one_agent: Answer,
}

impl Answer {
    fn remembered(info: &Info) -> Self {
        Self { info: Some(info.clone()).filter(|info| !info.endpoints.is_empty()), ..Self::default() }
    }

    /// Takes the API's response, or the last one if it failed.
    fn after(self, said: Result<Option<Info>, Trouble>) -> Self {
        match said {
            Ok(None) => Self { nothing: true, ..self },
            Err(trouble) => Self { trouble: Some(trouble), ..self },
            // The same hosts in another order are not a change.
            Ok(Some(new)) => {
                let info = self
                    .info
                    .filter(|old| urls(old) == urls(&new))
                    .map(|old| Info { endpoints: old.endpoints, ..new.clone() });
                Self { info: Some(info.unwrap_or(new)), ..Self::default() }
            }
        }
    }

    pub(crate) fn info(&self) -> Option<&Info> {
        self.info.as_ref()
    }

    /// Why the known hosts may be out of date.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match (&self.trouble, &self.info) {
            (Some(trouble), _) => Some(&trouble.why),
            (None, Some(_)) if self.nothing => Some("the Dynatrace API reports no hosts"),
            _ => None,
        }
    }

    /// Whether no hosts are known at all.
    pub(crate) fn is_unknown(&self) -> bool {
        self.info.is_none() && !self.nothing
    }

    /// Whether the API reports no hosts, and never did.
    pub(crate) fn is_nothing(&self) -> bool {
        self.info.is_none() && self.nothing
    }

    fn ask_again(&self) -> Option<Duration> {
        self.trouble.as_ref().map(|trouble| trouble.again).or(self.nothing.then_some(SOON))
    }
}

fn urls(info: &Info) -> BTreeSet<&str> {
    info.endpoints.split([',', ';']).map(str::trim).collect()
}

impl Answers {
    /// The API's last responses.
    pub(crate) fn known(status: &Status) -> Self {
        Self {
            active_gate: Answer::remembered(&status.active_gate.connection_info_status),
            one_agent: Answer::remembered(&status.one_agent.connection_info_status),
        }
    }

    /// The API's responses. An API that limits requests is not sent a second one; any other failure
    /// concerns one endpoint, and the other's response counts. (A failure of the whole API fails
    /// the second request, too.)
    pub(crate) fn ask(api: &Api, spec: &Spec, config: &Config, known: Self) -> Self {
        let first = api.ask(Component::ActiveGate, spec, config);
        let second = match &first {
            Err(trouble) if trouble.is_of_the_whole() => Err(trouble.clone()),
            _ => api.ask(Component::OneAgent, spec, config),
        };
        Self { active_gate: known.active_gate.after(first), one_agent: known.one_agent.after(second) }
    }

    pub(crate) fn each(&self) -> [(Component, &Answer); 2] {
        [(Component::ActiveGate, &self.active_gate), (Component::OneAgent, &self.one_agent)]
    }

    /// When to call again, if sooner than usual.
    pub(crate) fn ask_again(&self) -> Option<Duration> {
        self.each().into_iter().filter_map(|(_, answer)| answer.ask_again()).min()
    }
}
