//! The input of a call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::readiness::Readiness;

/// The input of a call: the subject, and the configuration.
#[derive(Clone, Debug)]
pub struct Request<Spec, Config> {
    /// The subject.
    pub subject: Subject<Spec>,
    /// The reconciler's configuration.
    pub config: Config,
    /// The latest readiness of each predecessor.
    pub predecessors: Vec<Predecessor>,
}

/// The subject, without its status.
#[derive(Clone, Debug)]
pub struct Subject<Spec> {
    /// `group/version`.
    pub api_version: String,
    /// The kind's name.
    pub kind: String,
    /// Name, namespace, labels and annotations.
    pub metadata: Metadata,
    /// The desired state, as its author wrote it.
    pub spec: Spec,
}

/// The metadata of an object that reconcilers use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// The object's name.
    pub name: String,
    /// Its namespace, if its kind has one.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Its uid; empty if it is not in a cluster.
    #[serde(default)]
    pub uid: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// The latest readiness of a predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Its name in the configuration.
    pub name: String,
    /// Its readiness.
    pub readiness: Readiness,
}

impl<Spec: serde::de::DeserializeOwned, Config: serde::de::DeserializeOwned> Request<Spec, Config> {
    /// Parses a request as the host sends it. A value that does not fit the types is invalid, and
    /// the error names the field. A subject without a `spec` (a `ConfigMap` has none) has an empty
    /// `spec`.
    pub(crate) fn parse(subject: &str, config: &str, predecessors: Vec<Predecessor>) -> Result<Self, Failure> {
        let Parts { api_version, kind, metadata, spec } =
            serde_json::from_str(subject).map_err(|error| Failure::invalid(format!("the subject: {error}")))?;
        let spec = typed(spec.map_or("{}", RawValue::get), "the subject's spec")?;
        let config = typed(config, "the configuration")?;
        Ok(Self { subject: Subject { api_version, kind, metadata, spec }, config, predecessors })
    }
}

/// Parses a text; an error names the field.
fn typed<T: serde::de::DeserializeOwned>(json: &str, what: &str) -> Result<T, Failure> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { format!(", field `{path}`") };
        Failure::invalid(format!("{what}{field}: {}", error.inner()))
    })
}

/// A subject whose `spec` is still text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts<'a> {
    api_version: String,
    kind: String,
    metadata: Metadata,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_subject_without_a_spec_has_an_empty_one() {
        let subject = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
        let request = Request::<Value, Value>::parse(subject, "{}", Vec::new()).unwrap();
        assert_eq!((request.subject.spec, &*request.subject.metadata.name), (json!({}), "a"));
    }

    #[test]
    fn a_spec_of_the_wrong_type_names_the_field() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "parsing fails before it is read")]
        struct Spec {
            port: u16,
        }
        let subject = r#"{"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": {}}"#;
        for subject in [subject, &subject.replace("{}", r#"{"port": "http"}"#)] {
            let failure = Request::<Spec, Value>::parse(subject, "{}", Vec::new()).unwrap_err();
            assert!(matches!(failure, Failure::Invalid(why) if why.contains("`port`")));
        }
    }
}
