//! Responses to HTTPS requests, from files: what `plan` and tests use in place of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::message::HttpResponse;
use crate::yaml::Document;

const API_VERSION: &str = "mizzen.dev/v1alpha1";
const KIND: &str = "HttpResponse";

/// One response, and the requests that it responds to:
///
/// ```yaml
/// apiVersion: mizzen.dev/v1alpha1
/// kind: HttpResponse
/// spec: {url: https://api.example.com/v1/hosts, status: 200, json: {hosts: [a.example.com]}}
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Canned {
    /// The URL of the requests. Without a query it also matches requests with any query.
    pub url: String,
    /// The method of the requests.
    pub method: String,
    /// The response.
    pub response: HttpResponse,
}

/// How closely a response matches a request; the greatest match is the closest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UrlMatch {
    /// The URLs are equal, except for the query of the request.
    AnyQuery,
    /// The URLs are equal.
    Exact,
}

/// Why a document is not a valid `HttpResponse`.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: spec: {why}")]
pub struct CannedError {
    file: String,
    line: usize,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
}

fn get() -> String {
    "GET".into()
}

fn ok() -> u16 {
    200
}

/// Whether a document has the kind `HttpResponse`.
pub fn is_canned(document: &Value) -> bool {
    document["apiVersion"] == API_VERSION && document["kind"] == KIND
}

// === impl Canned ===

impl Canned {
    /// Reads the response of a document; `None` if the document has another kind.
    ///
    /// # Errors
    /// When the document is not a valid `HttpResponse`.
    pub fn of(document: &Document) -> Option<Result<Self, CannedError>> {
        is_canned(&document.value).then(|| {
            let line = document.lines().line("spec");
            let wrong = |why: String| CannedError { file: document.file.display().to_string(), line, why };
            let spec = Spec::deserialize(&document.value["spec"]).map_err(|error| wrong(error.to_string()))?;
            if !(100..=599).contains(&spec.status) {
                return Err(wrong(format!("`{}` is not a valid HTTP status; write e.g. `200`", spec.status)));
            }
            let body = match (spec.json, spec.body) {
                (Some(_), Some(_)) => return Err(wrong("give `json` or `body`, not both".into())),
                (Some(json), None) => json.to_string(),
                (None, body) => body.unwrap_or_default(),
            };
            let headers = spec.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
            let response =
                HttpResponse { status: spec.status, headers, body: body.into_bytes().into(), age: Duration::ZERO };
            Ok(Self { url: spec.url, method: spec.method, response })
        })
    }

    /// How closely this matches a request; `None`: not at all.
    pub fn matches(&self, method: &str, url: &str) -> Option<UrlMatch> {
        let without_query = url.split_once('?').map(|(path, _)| path);
        match () {
            () if self.method != method => None,
            () if self.url == url => Some(UrlMatch::Exact),
            () if without_query == Some(&self.url) => Some(UrlMatch::AnyQuery),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml;

    fn canned(spec: &str) -> Result<Canned, CannedError> {
        let text = format!("apiVersion: {API_VERSION}\nkind: {KIND}\nmetadata: {{name: a}}\nspec: {spec}\n");
        let document = yaml::parse(Path::new("a.yaml"), &text).unwrap().remove(0);
        Canned::of(&document).unwrap()
    }

    #[test]
    fn a_response_matches_by_its_url_and_without_a_query_any_query() {
        let any = canned("{url: 'https://a/b', json: {x: 1}}").unwrap();
        assert_eq!((any.response.status, &*any.response.body), (200, &br#"{"x":1}"#[..]));
        assert_eq!(any.matches("GET", "https://a/b"), Some(UrlMatch::Exact));
        assert_eq!(any.matches("GET", "https://a/b?z=1"), Some(UrlMatch::AnyQuery));
        assert_eq!(any.matches("POST", "https://a/b"), None);
        assert_eq!(any.matches("GET", "https://a/bc"), None);
        let one = canned("{url: 'https://a/b?z=1', status: 503, headers: {Retry-After: '60'}}").unwrap();
        assert_eq!(one.matches("GET", "https://a/b?z=1"), Some(UrlMatch::Exact));
        assert_eq!(one.matches("GET", "https://a/b?z=2"), None);
        assert_eq!(one.response.headers, [("retry-after".to_owned(), "60".to_owned())]);
    }

    #[test]
    fn an_invalid_response_is_reported_with_its_line() {
        for (spec, why) in [
            ("{url: a, jsn: {}}", "a.yaml:4: spec: unknown field `jsn`"),
            ("{url: a, status: 900}", "`900` is not a valid HTTP status"),
            ("{url: a, json: 1, body: b}", "not both"),
        ] {
            let error = canned(spec).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
