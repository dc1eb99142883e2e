//! That the host may read exactly the Secrets that its configuration names.

use std::path::Path;

use mizzen_config::Configuration;
use mizzen_model::yaml;

use super::*;

/// Subjects in all namespaces.
const EVERYWHERE: &str = "subject: {apiVersion: example.com/v1, kind: Thing}";

/// The rights for a credential at this place, of a plugin that sends requests.
async fn rights_of(secret: &str, subject: &str) -> Rights {
    let text = format!(
        "apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {{name: r}}
spec:
  component: {{file: r.wasm}}
  {subject}
  grants:
    http: [{{host: a.example.com, credentials: [token]}}]
    credentials: {{token: {{secret: {secret}}}}}
"
    );
    let configuration = Configuration::strict(&yaml::parse(Path::new("r.yaml"), &text).unwrap()).unwrap();
    let mut rights = Rights::default();
    let description = Description { http: vec!["hosts".into()], ..description(&Grants::default()) };
    rights.add(&configuration.reconcilers[0], &description, &Memory::from_yaml(THINGS).unwrap()).await;
    rights
}

fn rule(rules: &Rules) -> Option<Value> {
    rules.value().as_array().unwrap().iter().find(|rule| rule["resources"][0] == "secrets").cloned()
}

fn is_noted(rights: &Rights) -> bool {
    rights.notes.iter().any(|note| note.contains("the right to read all of them"))
}

#[tokio::test]
async fn a_named_secret_may_be_read_and_no_other() {
    let rights = rights_of("{namespace: ns, name: api, key: token}", EVERYWHERE).await;
    let wanted =
        json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["api"], "verbs": ["get", "watch"]});
    assert_eq!(rule(&rights.namespaces["ns"]), Some(wanted));
    assert_eq!(rule(&rights.cluster), None);
    assert!(rights.namespaces["ns"].yaml().contains("resourceNames: [\"api\"]\n"));
    assert!(!is_noted(&rights));
}

#[tokio::test]
async fn secrets_that_subjects_name_may_be_read_in_their_namespaces_with_a_note() {
    let secret = "{namespace: '{subject.namespace}', name: '{subject.spec.tokens}', key: token}";
    let subject = "subject: {apiVersion: example.com/v1, kind: Thing, namespaces: [x]}";
    let bounded = rights_of(secret, subject).await;
    let wanted = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch"]});
    assert_eq!((rule(&bounded.namespaces["x"]), rule(&bounded.cluster)), (Some(wanted.clone()), None));
    let everywhere = rights_of(secret, EVERYWHERE).await;
    assert_eq!(rule(&everywhere.cluster), Some(wanted));
    assert!(is_noted(&bounded) && is_noted(&everywhere));
}
