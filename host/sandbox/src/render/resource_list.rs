//! KRM's wire format: a `ResourceList` in, a `ResourceList` out.
//!
//! As in the KRM Functions Specification (`config.kubernetes.io/v1`): the document is the list's `functionConfig`, the
//! objects are its `items`, and errors and warnings are in `results`. Output is JSON or YAML; items are kept as text.

use mizzen_k8s::Listed;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::RenderFailure;
use super::limits::{MESSAGE, RESULTS};
use crate::text::line;

/// The objects of an output, and the warnings beside them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) objects: Vec<Box<str>>,
    pub(super) warnings: Vec<String>,
}

/// The output of a function.
#[derive(Deserialize)]
struct ResourceList {
    kind: String,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
    #[serde(default)]
    results: Vec<FunctionResult>,
}

/// An error, a warning or an information about the document.
#[derive(Deserialize)]
struct FunctionResult {
    #[serde(default)]
    message: String,
    /// Default: `error`.
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    field: Option<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    path: String,
}

/// Returns the input for a document, which is JSON.
pub(super) fn input(function_config: &str) -> Vec<u8> {
    let (before, after) =
        (r#"{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","functionConfig":"#, r#","items":[]}"#);
    [before, function_config, after].concat().into_bytes()
}

/// Parses an output.
///
/// # Errors
/// [`RenderFailure::Rejected`] when there are errors among its results, and [`RenderFailure::Output`] when it is not a
/// `ResourceList`.
pub(super) fn output(bytes: &[u8]) -> Result<Output, RenderFailure> {
    let invalid = |why: String| RenderFailure::Output(why);
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".into()))?;
    let list = parse(text)?;
    if list.kind != "ResourceList" {
        return Err(invalid(format!("its kind is `{}`", list.kind.escape_debug())));
    }
    let errors: Vec<_> = list.results.iter().filter(|result| result.is_error()).map(FunctionResult::message).collect();
    if !errors.is_empty() {
        return Err(RenderFailure::Rejected(Listed::first(RESULTS, &errors).to_string()));
    }
    let warnings = list.results.iter().filter(|result| result.severity.as_deref() == Some("warning"));
    let warnings = warnings.take(RESULTS).map(FunctionResult::message).collect();
    let mut objects = Vec::with_capacity(list.items.len());
    for (at, item) in list.items.into_iter().enumerate() {
        if !item.get().starts_with('{') {
            return Err(invalid(format!("items[{at}] is not an object")));
        }
        objects.push(Box::<str>::from(item));
    }
    Ok(Output { objects, warnings })
}

fn parse(text: &str) -> Result<ResourceList, RenderFailure> {
    let begins = text.trim_start();
    if begins.is_empty() {
        return Err(RenderFailure::Output("it is empty".into()));
    }
    let invalid = |error: serde_json::Error| RenderFailure::Output(error.to_string());
    if begins.starts_with('{') {
        return serde_json::from_str(text).map_err(invalid);
    }
    let value = mizzen_model::yaml::value(text).map_err(|error| RenderFailure::Output(error.to_string()))?;
    serde_json::from_value(value).map_err(invalid)
}

impl FunctionResult {
    fn is_error(&self) -> bool {
        self.severity.as_deref().is_none_or(|severity| severity == "error")
    }

    fn message(&self) -> String {
        let message = line(self.message.replace('\n', " "), MESSAGE);
        match &self.field {
            Some(field) if !field.path.is_empty() => format!("{}: {message}", line(field.path.clone(), MESSAGE)),
            _ => message,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn why(output: &str) -> String {
        super::output(output.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_document_is_the_function_config() {
        let input: Value = serde_json::from_slice(&input(r#"{"a":[1,"\""]}"#)).unwrap();
        assert_eq!(input["functionConfig"], json!({"a": [1, "\""]}));
        assert_eq!((&input["kind"], &input["items"]), (&json!("ResourceList"), &json!([])));
    }

    #[test]
    fn items_keep_their_order_in_json_and_in_yaml() {
        let json = r#"{"kind": "ResourceList", "items": [{"kind":"B"},{"kind":"A"}]}"#;
        let yaml = "kind: ResourceList\nitems:\n- kind: B\n- kind: A\n";
        for text in [json, yaml] {
            let objects = output(text.as_bytes()).unwrap().objects;
            assert_eq!(
                objects.iter().map(|object| &**object).collect::<Vec<_>>(),
                [r#"{"kind":"B"}"#, r#"{"kind":"A"}"#]
            );
        }
    }

    #[test]
    fn errors_among_the_results_reject_the_document_and_name_the_field() {
        let list = json!({"kind": "ResourceList", "items": [{}], "results": [
            {"severity": "warning", "message": "deprecated"},
            {"message": "unknown profile", "field": {"path": "spec.profile"}},
            {"severity": "error", "message": "too\nmuch"}]});
        assert_eq!(
            output(list.to_string().as_bytes()).unwrap_err(),
            RenderFailure::Rejected("spec.profile: unknown profile, too much".into())
        );
    }

    #[test]
    fn warnings_are_returned_beside_the_objects() {
        let list = json!({"kind": "ResourceList", "items": [{}], "results": [
            {"severity": "info", "message": "done"}, {"severity": "warning", "message": "deprecated"}]});
        let Output { objects, warnings } = output(list.to_string().as_bytes()).unwrap();
        assert_eq!((objects.len(), warnings), (1, vec!["deprecated".to_owned()]));
    }

    #[test]
    fn output_that_is_not_a_resource_list_is_a_failure() {
        assert!(why("").contains("it is empty"));
        assert!(why("nothing of the kind").contains("not a ResourceList"));
        assert!(why("{\"kind\":").contains("EOF"));
        assert!(why(r#"{"kind": "List"}"#).contains("its kind is `List`"));
        assert!(why(r#"{"kind": "ResourceList", "items": [1]}"#).contains("items[0] is not an object"));
        assert!(output(&[0xff]).unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn yaml_that_expands_without_limit_is_refused() {
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
             c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
             e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
             g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nkind: ResourceList\nitems: [{a: [*g,*g,*g,*g,*g,*g,*g,*g,*g]}]\n";
        assert!(why(laughs).contains("not a ResourceList"), "{}", why(laughs));
    }
}
