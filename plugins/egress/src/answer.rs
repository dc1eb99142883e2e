//! What is known of a component's hosts: what the API says now, or said last.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Config;
use crate::api::{Api, SOON, Trouble};
use crate::component::Component;
use crate::dynakube::{Info, Spec, Status};

/// What is known of a component's hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// What the API says, or said last.
    info: Option<Info>,
    /// Why it does not say anything now.
    trouble: Option<Trouble>,
    /// Whether it says now that there are none.
    nothing: bool,
}

/// What is known of all of them.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    active_gate: Answer,
    one_agent: Answer,
}

impl Answer {
    fn remembered(info: &Info) -> Self {
        Self { info: Some(info.clone()).filter(|info| !info.endpoints.is_empty()), ..Self::default() }
    }

    /// Takes the API's word, unless it has none; then what it said last stands.
    fn after(self, said: Result<Option<Info>, Trouble>) -> Self {
        match said {
            Ok(None) => Self { nothing: true, ..self },
            Err(trouble) => Self { trouble: Some(trouble), ..self },
            // The same in another order is nothing new.
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

    /// Why what is known may be out of date.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match (&self.trouble, &self.info) {
            (Some(trouble), _) => Some(&trouble.why),
            (None, Some(_)) if self.nothing => Some("the Dynatrace API names no hosts"),
            _ => None,
        }
    }

    /// Whether nothing is known at all.
    pub(crate) fn is_unknown(&self) -> bool {
        self.info.is_none() && !self.nothing
    }

    /// Whether the API has no hosts for it, and never had.
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
    /// What the API said last.
    pub(crate) fn known(status: &Status) -> Self {
        Self {
            active_gate: Answer::remembered(&status.active_gate.connection_info_status),
            one_agent: Answer::remembered(&status.one_agent.connection_info_status),
        }
    }

    /// What the API says now. One that was asked too much is not asked twice; any other trouble is of one endpoint, and the other's answer
    /// counts. (Where the trouble is the whole API's, the second question comes to the same.)
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

    /// When to ask again, if sooner than usual.
    pub(crate) fn ask_again(&self) -> Option<Duration> {
        self.each().into_iter().filter_map(|(_, answer)| answer.ask_again()).min()
    }
}
