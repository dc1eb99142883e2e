//! The hosts that the Dynatrace API reports for each component: by its response, or by its last one.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::Api;
use crate::component::Component;
use crate::config::Config;
use crate::connection_info::{self, RequestError, SOON};
use crate::dynakube::{Info, Spec, Status};

/// What the API reported for one component.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// The API's response, or its last one.
    info: Option<Info>,
    /// Why there is no response.
    failure: Option<RequestError>,
    /// Whether the API reports that there are no hosts.
    no_hosts: bool,
}

/// What the API reported for all components.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    active_gate: Report,
    one_agent: Report,
}

impl Report {
    fn remembered(info: &Info) -> Self {
        Self { info: Some(info.clone()).filter(|info| !info.endpoints.is_empty()), ..Self::default() }
    }

    /// Takes the API's response, or the last one if it failed.
    fn after(self, response: Result<Option<Info>, RequestError>) -> Self {
        match response {
            Ok(None) => Self { no_hosts: true, ..self },
            Err(failure) => Self { failure: Some(failure), ..self },
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
    pub(crate) fn failure(&self) -> Option<&str> {
        match (&self.failure, &self.info) {
            (Some(failure), _) => Some(&failure.why),
            (None, Some(_)) if self.no_hosts => Some("the Dynatrace API reports no hosts"),
            _ => None,
        }
    }

    /// Whether no hosts are known at all.
    pub(crate) fn is_unknown(&self) -> bool {
        self.info.is_none() && !self.no_hosts
    }

    /// Whether the API reports no hosts, and never did.
    pub(crate) fn has_no_hosts(&self) -> bool {
        self.info.is_none() && self.no_hosts
    }

    fn requeue_after(&self) -> Option<Duration> {
        self.failure.as_ref().map(|failure| failure.retry_after).or(self.no_hosts.then_some(SOON))
    }
}

fn urls(info: &Info) -> BTreeSet<&str> {
    info.endpoints.split([',', ';']).map(str::trim).collect()
}

impl Reports {
    /// The API's last responses.
    pub(crate) fn remembered(status: &Status) -> Self {
        Self {
            active_gate: Report::remembered(&status.active_gate.connection_info_status),
            one_agent: Report::remembered(&status.one_agent.connection_info_status),
        }
    }

    /// The API's responses. An API that limits requests is not sent a second one; any other failure
    /// concerns one endpoint, and the other's response counts. (A failure of the whole API fails
    /// the second request, too.)
    pub(crate) fn request(api: &Api, spec: &Spec, config: &Config, known: Self) -> Self {
        let first = connection_info::request(api, Component::ActiveGate, spec, config);
        let second = match &first {
            Err(failure) if failure.is_of_the_whole() => Err(failure.clone()),
            _ => connection_info::request(api, Component::OneAgent, spec, config),
        };
        Self { active_gate: known.active_gate.after(first), one_agent: known.one_agent.after(second) }
    }

    pub(crate) fn each(&self) -> [(Component, &Report); 2] {
        [(Component::ActiveGate, &self.active_gate), (Component::OneAgent, &self.one_agent)]
    }

    /// The delay before the next call, if it is shorter than usual.
    pub(crate) fn requeue_after(&self) -> Option<Duration> {
        self.each().into_iter().filter_map(|(_, report)| report.requeue_after()).min()
    }
}
