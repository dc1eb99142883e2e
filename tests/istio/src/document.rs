//! YAML documents as JSON values, and the identity of objects.

use serde_json::Value;

/// The objects of a text of YAML documents; empty documents are none.
///
/// # Errors
/// If it is not valid YAML.
pub fn objects(yaml: &str) -> Result<Vec<Value>, serde_saphyr::Error> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}

/// The text of YAML documents, one for each object.
pub fn documents(objects: &[Value]) -> String {
    objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// The lines of a command's output that contain none of these texts: output about valid objects is
/// ignored.
pub fn lines_without<'a>(output: &'a str, harmless: &[&str]) -> Vec<&'a str> {
    output.lines().filter(|line| !line.trim().is_empty() && !harmless.iter().any(|text| line.contains(text))).collect()
}

/// The identity of an object: `apiVersion kind namespace/name`.
pub fn identity(object: &Value) -> String {
    let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    format!("{} {} {namespace}/{name}", text("/apiVersion"), text("/kind"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_is_an_object_and_an_empty_one_is_none() {
        let objects = objects("---\nkind: A\nmetadata: {name: a, namespace: b}\n---\n---\nkind: C\n").unwrap();
        assert_eq!(objects.iter().map(identity).collect::<Vec<_>>(), [" A b/a", " C /"]);
    }
}
