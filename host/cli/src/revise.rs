//! What if: revises the reconcilers of a plan before it is made.

use std::path::PathBuf;
use std::str::FromStr;

use mizzen_config::RECONCILER;
use mizzen_model::yaml::Document;
use serde_json::Value;

use crate::report::Errors;

/// A component to try in a reconciler, written `RECONCILER=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    reconciler: String,
    file: PathBuf,
}

impl FromStr for Candidate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { reconciler: name.to_owned(), file: file.into() })
            }
            _ => Err("write `RECONCILER=FILE`, e.g. `mtls=target/plugins/mtls.wasm`"),
        }
    }
}

/// Whether a plan adopts objects of other parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adoption {
    /// As the grants say.
    Granted,
    /// Everything that may be applied.
    Everything,
}

/// Puts candidates in the place of components, and adoption into the grants.
///
/// # Errors
/// A candidate for a reconciler that is not among the documents.
pub(crate) fn revise(
    documents: &mut [Document],
    candidates: &[Candidate],
    adoption: Adoption,
) -> Result<(), anyhow::Error> {
    let mut unknown = Vec::new();
    for Candidate { reconciler, file } in candidates {
        let file = std::path::absolute(file)?;
        match reconcilers(documents).find(|document| document["metadata"]["name"] == **reconciler) {
            Some(document) => document["spec"]["component"]["file"] = file.to_string_lossy().into(),
            None => unknown.push(format!("--candidate {reconciler}: there is no reconciler `{reconciler}`")),
        }
    }
    Errors::check(unknown)?;
    if adoption == Adoption::Everything {
        let applies = reconcilers(documents).filter_map(|document| document["spec"]["grants"]["apply"].as_array_mut());
        applies.flatten().filter(|grant| grant.is_object()).for_each(|grant| grant["adopt"] = true.into());
    }
    Ok(())
}

/// The documents of reconcilers that have a `spec`; the others are reported when they are validated.
fn reconcilers(documents: &mut [Document]) -> impl Iterator<Item = &mut Value> {
    let values = documents.iter_mut().map(|document| &mut document.value);
    values.filter(|value| {
        value["kind"] == *RECONCILER.name && value["apiVersion"] == *RECONCILER.api_version && value["spec"].is_object()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mizzen_model::yaml;

    use super::*;

    const DOCUMENTS: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: a}
spec: {component: {file: a.wasm}, grants: {apply: [{apiVersion: v1, kind: ConfigMap}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
";

    fn documents() -> Vec<Document> {
        yaml::parse(Path::new("a.yaml"), DOCUMENTS).unwrap()
    }

    #[test]
    fn a_candidate_takes_the_place_of_the_component() {
        let mut documents = documents();
        revise(&mut documents, &["a=x/y.wasm".parse().unwrap()], Adoption::Granted).unwrap();
        let file = documents[0].value["spec"]["component"]["file"].as_str().unwrap();
        assert!(file.starts_with('/') && file.ends_with("/x/y.wasm"), "{file}");
        assert_eq!(documents[0].value["spec"]["grants"]["apply"][0].get("adopt"), None);
    }

    #[test]
    fn a_candidate_for_no_reconciler_is_an_error() {
        let error = revise(&mut documents(), &["b=x.wasm".parse().unwrap()], Adoption::Granted).unwrap_err();
        assert_eq!(error.to_string(), "--candidate b: there is no reconciler `b`");
        assert!("b".parse::<Candidate>().is_err() && "=x".parse::<Candidate>().is_err());
    }

    #[test]
    fn everything_that_may_be_applied_may_be_adopted() {
        let mut documents = documents();
        revise(&mut documents, &[], Adoption::Everything).unwrap();
        assert_eq!(documents[0].value["spec"]["grants"]["apply"][0]["adopt"], true);
    }
}
