//! Converts between the contract's types and the host's, where requests, reads, descriptions and outcomes share them.

use mizzen_model as model;
use mizzen_model::{NameError, Selector, TextTest, Values, parse_namespace};
use serde_json::Value;

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::{cluster, types};

pub(crate) fn kind(kind: &types::Kind) -> Result<model::Kind, NameError> {
    model::Kind::parse(&kind.api_version, &kind.name)
}

pub(crate) fn object_ref(object: &types::ObjectRef) -> Result<model::ObjectRef, NameError> {
    model::ObjectRef::parse(kind(&object.kind)?, object.namespace.as_deref(), &object.name)
}

pub(crate) fn access_error(error: model::AccessError) -> types::AccessError {
    match error {
        model::AccessError::Denied(why) => types::AccessError::Denied(why),
        model::AccessError::NotServed(why) => types::AccessError::NotServed(why),
        model::AccessError::Unavailable(why) => types::AccessError::Unavailable(why),
        model::AccessError::Invalid(why) => types::AccessError::Invalid(why),
    }
}

pub(crate) fn query(query: cluster::Query) -> Result<model::Query, types::AccessError> {
    let selector = |text: &str| Selector::parse(text).map_err(|error| types::AccessError::Invalid(error.to_string()));
    let values = query.values.map(values).transpose()?;
    let invalid = |error: NameError| types::AccessError::Invalid(error.to_string());
    parse_namespace(query.namespace.as_deref()).map_err(invalid)?;
    Ok(model::Query {
        kind: kind(&query.kind).map_err(invalid)?,
        namespace: query.namespace.map(Into::into),
        labels: selector(&query.labels)?,
        namespace_labels: selector(&query.namespace_labels)?,
        values,
        fields: query.fields.map(Into::into),
    })
}

fn values(selectors: Vec<cluster::ValueSelector>) -> Result<Values, types::AccessError> {
    let selectors = selectors.into_iter().map(|selector| {
        let test = match selector.test {
            cluster::TextTest::Equals(text) => TextTest::Equals(text.into()),
            cluster::TextTest::StartsWith(text) => TextTest::StartsWith(text.into()),
            cluster::TextTest::PrefixOf(text) => TextTest::PrefixOf(text.into()),
        };
        (selector.path, test)
    });
    Values::parse(selectors).map_err(|error| types::AccessError::Invalid(error.to_string()))
}

pub(crate) fn request(request: &model::Request) -> wit::Request {
    let predecessors = request.predecessors.iter().map(|predecessor| wit::Predecessor {
        name: predecessor.name.clone(),
        readiness: match predecessor.readiness.clone() {
            model::Readiness::Ready => wit::Readiness::Ready,
            model::Readiness::Progressing(why) => wit::Readiness::Progressing(why),
            model::Readiness::Warning(why) => wit::Readiness::Warning(why),
            model::Readiness::Failed(why) => wit::Readiness::Failed(why),
        },
    });
    wit::Request {
        subject: request.subject.clone(),
        config: request.config.clone(),
        predecessors: predecessors.collect(),
    }
}

/// Parses a guest's JSON. `serde_json` bounds its nesting (128 levels), so a deep document can't overflow the stack.
pub(crate) fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}
