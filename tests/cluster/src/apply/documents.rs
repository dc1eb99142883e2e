//! Reads Kubernetes objects from YAML files, and checks that each has a kind and a name before one is sent.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use kube::core::GroupVersionKind;
use serde_json::Value;

use super::ApplyError;

/// An object with an `apiVersion`, a `kind` and a name.
#[derive(Debug)]
pub(super) struct Document {
    value: Value,
    kind: GroupVersionKind,
    namespace: Option<String>,
    name: String,
}

/// Every document of a file, or of the files in a folder and those below it, in the order of their names.
pub(super) fn of_path(path: &Path) -> Result<Vec<Document>, ApplyError> {
    let mut documents = Vec::new();
    for file in files(path)? {
        let text = fs::read_to_string(&file).map_err(|source| ApplyError::Read { path: file.clone(), source })?;
        documents.extend(of_text(&text, &file.display().to_string())?);
    }
    Ok(documents)
}

/// Every document of a text; `origin` names it in errors.
pub(super) fn of_text(text: &str, origin: &str) -> Result<Vec<Document>, ApplyError> {
    let values: Vec<Value> = serde_saphyr::from_multiple(text)
        .map_err(|error| ApplyError::NotYaml { origin: origin.to_owned(), reason: error.to_string() })?;
    let objects = values.into_iter().enumerate().filter(|(_, value)| !value.is_null());
    objects
        .map(|(index, value)| {
            let origin = origin.to_owned();
            Document::new(value).map_err(|field| ApplyError::NotAnObject { origin, number: index + 1, field })
        })
        .collect()
}

fn files(path: &Path) -> Result<Vec<PathBuf>, ApplyError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |source| ApplyError::Read { path: path.to_owned(), source };
    let entries = fs::read_dir(path).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    let wanted = |path: &Path| {
        path.is_dir() || path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json")
    };
    paths.retain(|path| wanted(path));
    Ok(paths.iter().map(|path| files(path)).collect::<Result<Vec<_>, _>>()?.concat())
}

// === impl Document ===

impl Document {
    /// The error is the missing field.
    fn new(value: Value) -> Result<Self, &'static str> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let api_version = text("/apiVersion").ok_or("apiVersion")?;
        let kind = text("/kind").ok_or("kind")?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        Ok(Self {
            kind: GroupVersionKind::gvk(group, version, &kind),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name").ok_or("metadata.name")?,
            value,
        })
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn kind(&self) -> GroupVersionKind {
        self.kind.clone()
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_definition(&self) -> bool {
        self.kind.group == "apiextensions.k8s.io" && self.kind.kind == "CustomResourceDefinition"
    }

    pub(super) fn is_namespace(&self) -> bool {
        self.kind.group.is_empty() && self.kind.kind == "Namespace"
    }

    /// The kinds that a custom resource definition defines.
    pub(super) fn defined_kinds(&self) -> Vec<GroupVersionKind> {
        let spec = &self.value["spec"];
        let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else {
            return Vec::new();
        };
        let versions = spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true);
        versions
            .filter_map(|version| version["name"].as_str())
            .map(|version| GroupVersionKind::gvk(group, version, kind))
            .collect()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names_and_only_yaml_and_json() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for (file, name) in [("c.yaml", "third"), ("b/x.yml", "second"), ("a.json", "first")] {
            let text = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}");
            fs::write(folder.path().join(file), text).unwrap();
        }
        fs::write(folder.path().join("README.md"), "# no YAML: [").unwrap();
        let names: Vec<_> = of_path(folder.path()).unwrap().into_iter().map(|document| document.name).collect();
        assert_eq!(names, ["first", "second", "third"]);
    }

    #[test]
    fn empty_documents_are_skipped_and_a_missing_name_is_reported_with_its_place() {
        let text = "---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: a}\n";
        let error = of_text(text, "a.yaml").unwrap_err().to_string();
        assert!(error.contains("of a.yaml has no metadata.name"), "{error}");
        assert!(of_text("---\n---\n# nothing\n", "a.yaml").unwrap().is_empty());
    }

    #[test]
    fn a_definition_names_the_versions_that_are_served() {
        let text = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: cats.pets.example}
spec:
  group: pets.example
  names: {kind: Cat}
  versions: [{name: v1, served: true}, {name: v1alpha1, served: false}]
";
        let documents = of_text(text, "cats").unwrap();
        assert_eq!(documents[0].defined_kinds(), [GroupVersionKind::gvk("pets.example", "v1", "Cat")]);
    }
}
