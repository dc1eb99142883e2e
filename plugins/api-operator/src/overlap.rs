//! Who else takes an API's path: VirtualServices anywhere in the cluster, of other APIs and of anybody, at the same gateway and host.
//!
//! Istio merges them in the order of their age, so which of two gets a request is nobody's decision. It is asked for by value, never
//! for all of them: two thousand APIs beside each other do not wake each other.
//!
//! Those with a regular expression can't be asked for by a path. They are few, so all of them are read, and whether one takes a path is
//! decided here; what else changes of them, or of others, wakes nobody. A match that asks for no path but, e.g., for a header takes what it
//! asks for at every path; it is found where its VirtualService is, by a path or an expression of another match. A rule without any match
//! takes all that nobody else takes, for Istio puts it last: it is nobody's neighbour.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{AccessError, Condition, Description, Query, Text, cluster};
use serde::Deserialize;

use crate::api::Api;
use crate::expression::{Taken, taken};
use crate::route;

/// The condition that says whether a path is an API's own.
const EXCLUSIVE: &str = "PathExclusive";
/// The field set that routes are read with.
const ROUTES: &str = "routes";
/// The field set that routes with regular expressions are read with.
const EXPRESSIONS: &str = "expressions";
/// How many others a message names.
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

/// How two paths lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// Both take the same path.
    Same,
    /// The other takes ours by a regular expression.
    Expression,
    /// The other takes all of ours, and more.
    Above,
    /// The other takes requests whatever their path, by their headers and the like.
    Anywhere,
    /// Ours takes all of the other's, and more.
    Below,
    /// The other takes some of what is below ours by a regular expression.
    Within,
    /// The other has a regular expression that can't be read.
    Unknown,
}

/// What else takes an API's path.
pub(crate) struct Neighbours(Vec<(Relation, String)>);

pub(crate) fn declare(description: Description) -> Description {
    let owner = ["metadata.ownerReferences[*].kind", "metadata.ownerReferences[*].name"];
    let at = ["spec.hosts", "spec.gateways"];
    let by_path = [&at[..], &owner, &[EXACT, PREFIX]].concat();
    let by_expression = [&at[..], &owner, &[REGEX]].concat();
    description.reads_fields(ROUTES, route::kind(), &by_path, "whether another route takes an API's path").reads_fields(
        EXPRESSIONS,
        route::kind(),
        &by_expression,
        "whether another takes it by a regular expression",
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

    /// Whether the path is the API's own; when not, both sides by name.
    pub(crate) fn condition(&self, api: &Api) -> Condition {
        let (reason, message) = match self.0.first() {
            None => ("Exclusive", format!("no other route takes {}", place(api))),
            Some((relation, _)) => {
                let reason = if *relation == Relation::Same { "Clash" } else { "Overlap" };
                (reason, format!("{} {}/{} at {}: {}", api.kind, api.namespace, api.name(), place(api), self.said()))
            }
        };
        Condition { kind: EXCLUSIVE.to_owned(), status: Some(self.0.is_empty()), reason: reason.to_owned(), message }
    }

    fn said(&self) -> String {
        let each: Vec<_> = self.0.iter().map(|(relation, name)| relation.said_of(name)).take(NAMED).collect();
        Listed::of_total(&each, self.0.len()).separated_by("; ").to_string()
    }
}

impl Relation {
    fn said_of(self, name: &str) -> String {
        match self {
            Self::Same => format!("{name} takes the same path"),
            Self::Expression => format!("{name} takes it, too, by a regular expression"),
            Self::Above => format!("{name} takes it, too, with a path above it"),
            Self::Anywhere => {
                format!("{name} takes requests by what else they have, e.g. a header, whatever their path")
            }
            Self::Below => format!("{name} lies below it"),
            Self::Within => format!("{name} takes some of what is below it by a regular expression"),
            Self::Unknown => format!("{name} may take it, by a regular expression that can't be read here"),
        }
    }
}

fn place(api: &Api) -> String {
    format!("{} of host {} at gateway {}", api.path(), api.host().unwrap_or("*"), api.config.gateway)
}

/// The routes that could take a path, or lie below it.
fn near(api: &Api) -> Result<Vec<Route>, AccessError> {
    let (path, below) = (api.path().as_str(), api.path().below());
    let tests = [
        (EXACT, Text::equals(path)),
        (EXACT, Text::starts_with(&below)),
        (PREFIX, Text::starts_with(&below)),
        // What the path begins with: the same prefix, one above it, and those of others that end within a step of it.
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

    /// Whether it takes requests of the same host at the same gateway. One without gateways is for the mesh alone, and a host that is
    /// named is another one than `*`: Istio gives each a table of its own. Capitals make no other host.
    fn shares(&self, api: &Api) -> bool {
        let ours = api.config.gateway_of(api.namespace);
        let own = |gateway: &String| gateway.split_once('/').unwrap_or((&self.metadata.namespace, gateway)) == ours;
        let host = api.host().unwrap_or("*");
        self.spec.gateways.iter().any(own) && self.spec.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// The closest of its matches.
    fn relation(&self, api: &Api) -> Option<Relation> {
        let matches = self.spec.http.iter().flat_map(|rule| &rule.matches);
        matches.filter_map(|own| own.relation(api)).min()
    }

    /// It, by the API that it is of where it is one's.
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
