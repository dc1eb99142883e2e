//! KRM's wire format: a `ResourceList` in, a `ResourceList` out.
//!
//! As the KRM Functions Specification has it (`config.kubernetes.io/v1`): the document is the list's `functionConfig`, the objects are its
//! `items`, and what the function has to say is in `results`. Output is JSON or YAML, as functions please; each item is kept as text.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ended::Ended;

/// Results that are told; a function may have one for each of a thousand objects.
const TOLD: usize = 10;

/// Bytes of one result's message. Stops a renderer from filling a status.
const LONGEST: usize = 1024;

/// What a function writes.
#[derive(Deserialize)]
struct ResourceList {
    kind: String,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
    #[serde(default)]
    results: Vec<Outcome>,
}

/// Something that a function has to say.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    message: String,
    /// `error` unless it says otherwise.
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

/// The input for a document, which is JSON.
pub(crate) fn input(function_config: &str) -> Vec<u8> {
    let (before, after) =
        (r#"{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","functionConfig":"#, r#","items":[]}"#);
    [before, function_config, after].concat().into_bytes()
}

/// The objects of an output, and the warnings beside them.
pub(crate) fn output(bytes: &[u8]) -> Result<(Vec<Box<str>>, Vec<String>), Ended> {
    let text = std::str::from_utf8(bytes).map_err(|_| Ended::Answer("it is not UTF-8".into()))?;
    let list = parse(text).map_err(Ended::Answer)?;
    if list.kind != "ResourceList" {
        return Err(Ended::Answer(format!("its kind is `{}`", list.kind.escape_debug())));
    }
    let is_error = |outcome: &&Outcome| outcome.severity.as_deref().is_none_or(|severity| severity == "error");
    let (errors, others): (Vec<_>, Vec<_>) = list.results.iter().partition(is_error);
    if !errors.is_empty() {
        return Err(Ended::Rejected(told(&errors)));
    }
    let warnings = others.iter().filter(|outcome| outcome.severity.as_deref() == Some("warning"));
    let warnings = warnings.take(TOLD).map(|outcome| outcome.told()).collect();
    let mut objects = Vec::with_capacity(list.items.len());
    for (at, item) in list.items.into_iter().enumerate() {
        if !item.get().starts_with('{') {
            return Err(Ended::Answer(format!("items[{at}] is no object")));
        }
        objects.push(Box::<str>::from(item));
    }
    Ok((objects, warnings))
}

fn parse(text: &str) -> Result<ResourceList, String> {
    let begins = text.trim_start();
    if begins.is_empty() {
        return Err("it is empty".into());
    }
    if begins.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let value = mizzen_model::yaml::value(text).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn told(outcomes: &[&Outcome]) -> String {
    let mut told: Vec<_> = outcomes.iter().take(TOLD).map(|outcome| outcome.told()).collect();
    if outcomes.len() > TOLD {
        told.push(format!("and {} more", outcomes.len() - TOLD));
    }
    told.join("; ")
}

// === impl Outcome ===

impl Outcome {
    fn told(&self) -> String {
        let message = crate::text::line(self.message.replace('\n', " "), LONGEST);
        match &self.field {
            Some(field) if !field.path.is_empty() => {
                format!("{}: {message}", crate::text::line(field.path.clone(), LONGEST))
            }
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
    fn a_document_is_the_function_config() {
        let input: Value = serde_json::from_slice(&input(r#"{"a":[1,"\""]}"#)).unwrap();
        assert_eq!(input["functionConfig"], json!({"a": [1, "\""]}));
        assert_eq!((&input["kind"], &input["items"]), (&json!("ResourceList"), &json!([])));
    }

    #[test]
    fn items_are_given_in_their_order_whether_they_are_json_or_yaml() {
        let json = r#"{"kind": "ResourceList", "items": [{"kind":"B"},{"kind":"A"}]}"#;
        let yaml = "kind: ResourceList\nitems:\n- kind: B\n- kind: A\n";
        for text in [json, yaml] {
            let (objects, _) = output(text.as_bytes()).unwrap();
            assert_eq!(
                objects.iter().map(|object| &**object).collect::<Vec<_>>(),
                [r#"{"kind":"B"}"#, r#"{"kind":"A"}"#]
            );
        }
    }

    #[test]
    fn errors_among_the_results_reject_the_document_and_say_where_it_is_wrong() {
        let list = json!({"kind": "ResourceList", "items": [{}], "results": [
            {"severity": "warning", "message": "deprecated"},
            {"message": "unknown profile", "field": {"path": "spec.profile"}},
            {"severity": "error", "message": "too\nmuch"}]});
        assert_eq!(
            output(list.to_string().as_bytes()).unwrap_err(),
            Ended::Rejected("spec.profile: unknown profile; too much".into())
        );
    }

    #[test]
    fn warnings_come_beside_the_objects() {
        let list = json!({"kind": "ResourceList", "items": [{}], "results": [
            {"severity": "info", "message": "done"}, {"severity": "warning", "message": "deprecated"}]});
        let (objects, warnings) = output(list.to_string().as_bytes()).unwrap();
        assert_eq!((objects.len(), warnings), (1, vec!["deprecated".to_owned()]));
    }

    #[test]
    fn what_is_no_resource_list_is_said_to_be_none() {
        assert!(why("").contains("it is empty"));
        assert!(why("nothing of the kind").contains("no ResourceList"));
        assert!(why("{\"kind\":").contains("EOF"));
        assert!(why(r#"{"kind": "List"}"#).contains("its kind is `List`"));
        assert!(why(r#"{"kind": "ResourceList", "items": [1]}"#).contains("items[0] is no object"));
        assert!(output(&[0xff]).unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn yaml_that_grows_without_end_is_refused() {
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
             d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
             g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nkind: ResourceList\nitems: [{a: [*g,*g,*g,*g,*g,*g,*g,*g,*g]}]\n";
        assert!(why(laughs).contains("no ResourceList"), "{}", why(laughs));
    }
}
