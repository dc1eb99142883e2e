//! Canonical text: compact JSON with sorted keys, the form in which stores keep objects. These
//! functions cut parts out of the text without parsing it into a tree.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// The canonical text of a value.
pub fn text(value: &Value) -> String {
    // Maps are BTreeMaps (serde_json without `preserve_order`) with keys that are strings: this can
    // not fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Parses the value at a key of an object; `null` if the object does not have the key.
pub fn part(text: &str, key: &str) -> Value {
    parts(text).and_then(|parts| serde_json::from_str(parts.get(key)?.get()).ok()).unwrap_or_default()
}

/// The text without the values at these paths.
pub fn without(text: &str, paths: &[&[&str]]) -> String {
    let Some(parts) = parts(text) else { return text.to_owned() };
    let mut rest = String::with_capacity(text.len());
    rest.push('{');
    for (key, part) in parts {
        let below = paths.iter().filter_map(|path| path.split_first()).filter(|(first, _)| **first == key);
        let below: Vec<_> = below.map(|(_, below)| below).collect();
        if below.iter().any(|path| path.is_empty()) {
            continue;
        }
        if rest.len() > 1 {
            rest.push(',');
        }
        rest.push_str(&self::text(&Value::from(key)));
        rest.push(':');
        if below.is_empty() {
            rest.push_str(part.get());
        } else {
            rest.push_str(&without(part.get(), &below));
        }
    }
    rest.push('}');
    rest
}

fn parts(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cutting_out_paths_leaves_the_canonical_text_of_the_rest() {
        let document =
            json!({"kind": "A", "metadata": {"name": "a\"b", "generation": 1, "finalizers": []}, "status": {"x": 1}});
        let rest = without(&text(&document), &[&["status"], &["metadata", "generation"], &["metadata", "finalizers"]]);
        assert_eq!(rest, text(&json!({"kind": "A", "metadata": {"name": "a\"b"}})));
    }

    #[test]
    fn a_key_that_needs_escapes_is_kept() {
        let document = json!({"\"\n": {"\\": 1, "b": 2}, "b": 3});
        assert_eq!(without(&text(&document), &[&["\"\n", "\\"]]), text(&json!({"\"\n": {"b": 2}, "b": 3})));
        assert_eq!(without(&text(&document), &[&["b"], &["\"\n"]]), "{}");
    }

    #[test]
    fn a_value_that_is_not_an_object_is_left_unchanged() {
        assert_eq!(without("[1]", &[&["a"]]), "[1]");
        assert_eq!(without(r#"{"a":[1]}"#, &[&["a", "b"]]), r#"{"a":[1]}"#);
    }

    #[test]
    fn one_part_is_parsed_by_itself() {
        assert_eq!(part(r#"{"a":{"b":[1]}}"#, "a"), json!({"b": [1]}));
        assert_eq!(part(r#"{"a":{"b":[1]}}"#, "b"), Value::Null);
    }
}
