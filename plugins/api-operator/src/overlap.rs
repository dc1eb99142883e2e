//! Overlaps: other VirtualServices in the cluster that match an API's path, at the same gateway and
//! host.
//!
//! Istio merges VirtualServices by age, so it is arbitrary which of two gets a request. They are
//! queried by value, not all of them: thousands of APIs next to each other do not cause calls for
//! each other.
//!
//! Regular expressions can't be queried by a path. They are few, so all of them are read and
//! decided here; their other fields, and other routes, are not read. A match without a path, e.g.
//! by a header, applies to every path; it is found if another match of its VirtualService is found
//! by a path or an expression. A rule without any match gets only requests that no other rule
//! matches, because Istio puts it last: it does not overlap.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{AccessError, Condition, Description, Query, Text, cluster};
use serde::Deserialize;

use crate::api::Api;
use crate::expression::{Taken, taken};
use crate::route;

/// The condition that reports whether the API has its path to itself.
const EXCLUSIVE: &str = "PathExclusive";
/// The field set for routes by path.
const ROUTES: &str = "routes";
/// The field set for routes with regular expressions.
const EXPRESSIONS: &str = "expressions";
/// How many other routes a message names.
const NAMED: usize = 5;

const EXACT: &str = "spec.http[*].match[*].uri.exact";
const PREFIX: &str = "spec.http[*].match[*].uri.prefix";
const REGEX: &str = "spec.http[*].match[*].uri.regex";

#[derive(Deserialize)]
struct Route {
    metadata: Metadata,
    #[serde(default)]
    spec: RouteSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RouteSpec {
    hosts: Vec<String>,
    gateways: Vec<String>,
    http: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default, rename = "match")]
    matches: Vec<Match>,
}

#[derive(Deserialize)]
struct Match {
    uri: Option<Uri>,
}

#[derive(Deserialize)]
struct Uri {
    exact: Option<String>,
    prefix: Option<String>,
    regex: Option<String>,
}

/// The relation of two paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// Both match the same path.
    Same,
    /// The other matches this path by a regular expression.
    Expression,
    /// The other matches this path and all paths below.
    Above,
    /// The other matches requests with any path, e.g. by headers.
    Anywhere,
    /// This one matches all of the other's paths.
    Below,
    /// The other matches some paths below this one by a regular expression.
    Within,
    /// The other has a regular expression that is not valid.
    Unknown,
}

/// The routes that overlap with an API's path.
pub(crate) struct Neighbours(Vec<(Relation, String)>);

pub(crate) fn declare(description: Description) -> Description {
    let owner = ["metadata.ownerReferences[*].kind", "metadata.ownerReferences[*].name"];
    let at = ["spec.hosts", "spec.gateways"];
    let by_path = [&at[..], &owner, &[EXACT, PREFIX]].concat();
    let by_expression = [&at[..], &owner, &[REGEX]].concat();
    description
        .reads_fields(ROUTES, route::kind(), &by_path, "whether another route matches an API's path")
        .reads_fields(
            EXPRESSIONS,
            route::kind(),
            &by_expression,
            "whether another route matches it by a regular expression",
        )
}

impl Neighbours {
    pub(crate) fn of(api: &Api) -> Result<Self, AccessError> {
        let mut found: Vec<_> = near(api)?
            .into_iter()
            .filter(|route| !route.is_of(api) && route.shares(api))
            .filter_map(|route| Some((route.relation(api)?, route.name())))
            .collect();
        found.sort();
        found.dedup();
        Ok(Self(found))
    }

    /// The condition; of an overlap it names both sides.
    pub(crate) fn condition(&self, api: &Api) -> Condition {
        let (reason, message) = match self.0.first() {
            None => ("Exclusive", format!("no other route matches {}", place(api))),
            Some((relation, _)) => {
                let reason = if *relation == Relation::Same { "Clash" } else { "Overlap" };
                (
                    reason,
                    format!("{} {}/{} at {}: {}", api.kind, api.namespace, api.name(), place(api), self.sentences()),
                )
            }
        };
        Condition { kind: EXCLUSIVE.to_owned(), status: Some(self.0.is_empty()), reason: reason.to_owned(), message }
    }

    fn sentences(&self) -> String {
        let each: Vec<_> = self.0.iter().map(|(relation, name)| relation.sentence_about(name)).take(NAMED).collect();
        Listed::of_total(&each, self.0.len()).separated_by("; ").to_string()
    }
}

impl Relation {
    fn sentence_about(self, name: &str) -> String {
        match self {
            Self::Same => format!("{name} matches the same path"),
            Self::Expression => format!("{name} also matches it, by a regular expression"),
            Self::Above => format!("{name} also matches it, with a path above it"),
            Self::Anywhere => {
                format!("{name} matches requests with any path, e.g. by a header")
            }
            Self::Below => format!("{name} matches a path below it"),
            Self::Within => format!("{name} matches some paths below it, by a regular expression"),
            Self::Unknown => format!("{name} may match it, by a regular expression that is not valid here"),
        }
    }
}

fn place(api: &Api) -> String {
    format!("{} of host {} at gateway {}", api.path(), api.host().unwrap_or("*"), api.config.gateway)
}

/// The routes that could match a path, or a path below it.
fn near(api: &Api) -> Result<Vec<Route>, AccessError> {
    let (path, below) = (api.path().as_str(), api.path().below());
    let tests = [
        (EXACT, Text::equals(path)),
        (EXACT, Text::starts_with(&below)),
        (PREFIX, Text::starts_with(&below)),
        // Prefixes of the path: the same one, one above it, and others that end within a path
        // segment.
        (PREFIX, Text::prefix_of(path)),
    ];
    let mut near: Vec<Route> = cluster::list(&Query::of(route::kind()).fields(ROUTES).where_any(tests))?;
    let any = [(REGEX, Text::starts_with(""))];
    near.extend(cluster::list::<Route>(&Query::of(route::kind()).fields(EXPRESSIONS).where_any(any))?);
    Ok(near)
}

impl Route {
    fn is_of(&self, api: &Api) -> bool {
        self.metadata.namespace == api.namespace && self.metadata.name == api.name()
    }

    /// Whether it applies to the same host and gateway. A route without gateways applies only
    /// within the mesh, and a named host differs from `*`: Istio has separate tables for them. Host
    /// names are case-insensitive.
    fn shares(&self, api: &Api) -> bool {
        let ours = api.config.gateway_of(api.namespace);
        let own = |gateway: &String| gateway.split_once('/').unwrap_or((&self.metadata.namespace, gateway)) == ours;
        let host = api.host().unwrap_or("*");
        self.spec.gateways.iter().any(own) && self.spec.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// The closest relation of its matches.
    fn relation(&self, api: &Api) -> Option<Relation> {
        let matches = self.spec.http.iter().flat_map(|rule| &rule.matches);
        matches.filter_map(|own| own.relation(api)).min()
    }

    /// The route, or the API that owns it.
    fn name(&self) -> String {
        let Metadata { name, namespace, owner_references } = &self.metadata;
        match owner_references.iter().find(|owner| matches!(owner.kind.as_str(), "ExposedAPI" | "API")) {
            Some(owner) => format!("{} {namespace}/{}", owner.kind, owner.name),
            None => format!("VirtualService {namespace}/{name}"),
        }
    }
}

impl Match {
    fn relation(&self, api: &Api) -> Option<Relation> {
        self.uri.as_ref().map_or(Some(Relation::Anywhere), |uri| uri.relation(api))
    }
}

impl Uri {
    fn relation(&self, api: &Api) -> Option<Relation> {
        let (path, below) = (api.path().as_str(), api.path().below());
        match (self.exact.as_deref(), self.prefix.as_deref()) {
            (Some(exact), _) if exact == path => Some(Relation::Same),
            (Some(exact), _) if exact.starts_with(&below) => Some(Relation::Below),
            (_, Some(prefix)) if prefix == path || prefix == below => Some(Relation::Same),
            (_, Some(prefix)) if prefix.starts_with(&below) => Some(Relation::Below),
            (_, Some(prefix)) if path.starts_with(prefix) => Some(Relation::Above),
            _ => match self.regex.as_deref().map(|regex| taken(regex, api.path()))? {
                Taken::Path => Some(Relation::Expression),
                Taken::Below => Some(Relation::Within),
                Taken::Unknown => Some(Relation::Unknown),
                Taken::Nothing => None,
            },
        }
    }
}
