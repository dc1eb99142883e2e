//! Summarises in a Component (TM Forum ODA Canvas) the state of its APIs: their URLs and readiness.
//!
//! A separate reconciler, because a reconciler writes only the status of its own subject: no
//! reconciler writes into another's Component, and a Component is reconciled when one of its APIs
//! changes, and not otherwise.
//!
//! Ready when all of its APIs are. An API belongs to a Component if it has it as an owner. Invalid
//! fields of an API are ignored: an API with an incomplete status is not ready, and hides none of
//! the others.

use mizzen_oda_api::Segment;
use mizzen_sdk::{Description, Failure, Outcome, Query, Reconciler, Request, Text, cluster};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct ComponentStatus;

/// The configuration is empty.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// The field set of APIs.
const APIS: &str = "apis";
const OWNER: &str = "metadata.ownerReferences[*].uid";
const PATHS: [&str; 5] =
    [OWNER, "spec.segment", "status.apiStatus.url", "status.apiStatus.developerUI", "status.implementation.ready"];

#[derive(Deserialize)]
struct Api {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    uid: String,
}

/// The Component's status, in the Canvas's format.
#[derive(Default, Serialize)]
struct Status {
    #[serde(rename = "coreAPIs")]
    core: Vec<Entry>,
    #[serde(rename = "managementAPIs")]
    management: Vec<Entry>,
    #[serde(rename = "securityAPIs")]
    security: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    uid: String,
    /// `None` until the API has an address.
    url: Option<String>,
    #[serde(rename = "developerUI")]
    developer_ui: Option<String>,
    ready: bool,
}

impl Reconciler for ComponentStatus {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Summarises the state of a component's APIs";
        Description::new("component-status", env!("CARGO_PKG_VERSION"), summary, mizzen_oda_api::component())
            .reads_fields(APIS, mizzen_oda_api::exposed_api(), &PATHS, "the URLs and readiness of a component's APIs")
    }

    fn reconcile(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let owner = &request.subject.metadata;
        let namespace = owner.namespace.as_deref().ok_or_else(|| Failure::invalid("a component needs a namespace"))?;
        let query = Query::of(mizzen_oda_api::exposed_api()).namespace(namespace).fields(APIS);
        let apis: Vec<Api> = cluster::list(&query.where_any([(OWNER, Text::equals(&owner.uid))]))?;
        let (mut status, mut waits) = (Status::default(), Vec::new());
        for api in apis {
            let name = &api.metadata.name;
            let Some(list) = status.of(api.segment().as_ref()) else {
                waits.push(format!("{name} (`segment` is {}, which is not a known segment)", api.spec["segment"]));
                continue;
            };
            if !api.is_ready() {
                waits.push(name.clone());
            }
            list.push(Entry::of(api));
        }
        let outcome = if waits.is_empty() {
            Outcome::ready()
        } else {
            Outcome::progressing(format!("not ready: {}", waits.join(", ")))
        };
        Ok(outcome.status(status))
    }
}

impl Api {
    /// The API's segment of the component; `None`: not a text.
    fn segment(&self) -> Option<Segment> {
        Segment::deserialize(&self.spec["segment"]).ok()
    }

    fn is_ready(&self) -> bool {
        self.status["implementation"]["ready"] == true
    }

    /// A field of its `apiStatus`, if it is a text.
    fn text(&self, field: &str) -> Option<String> {
        self.status["apiStatus"][field].as_str().map(str::to_owned)
    }
}

impl Status {
    /// The list of a segment; `None`: unknown segment.
    fn of(&mut self, segment: Option<&Segment>) -> Option<&mut Vec<Entry>> {
        match segment? {
            Segment::CoreFunction => Some(&mut self.core),
            Segment::ManagementFunction => Some(&mut self.management),
            Segment::SecurityFunction => Some(&mut self.security),
            Segment::Unknown(_) => None,
        }
    }
}

impl Entry {
    fn of(api: Api) -> Self {
        let (url, developer_ui, ready) = (api.text("url"), api.text("developerUI"), api.is_ready());
        let Metadata { name, uid } = api.metadata;
        Self { name, uid, url, developer_ui, ready }
    }
}

mizzen_sdk::export!(ComponentStatus);

#[cfg(test)]
mod tests;
