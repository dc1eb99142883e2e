//! Requests of plugins: the responses of `plan`, and what `check` and `rbac` report about hosts and
//! credentials.

use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{guest, mizzen_in, text};

const CONFIGURATION: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata: {name: asks}
spec:
  component: {file: sends-requests.wasm}
  config: {requests: [{url: 'https://api.example.com/v1/hosts?zone=a', credential: token}]}
  subject: {apiVersion: v1, kind: ConfigMap, labelSelector: asked, namespaces: [ns]}
  grants:
    apply: [{apiVersion: v1, kind: Service}]
    http: [{host: api.example.com, credentials: [token]}]
    credentials:
      token: {secret: {namespace: '{subject.namespace}', name: api, key: token}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ns}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: subject, namespace: ns, labels: {asked: ''}}}
";

const RESPONSE: &str = "---
apiVersion: mizzen.dev/v1alpha1
kind: HttpResponse
metadata: {name: hosts}
spec: {url: 'https://api.example.com/v1/hosts', status: 200, body: hello}
";

fn folder(configuration: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(guest("sends-requests"), folder.path().join("sends-requests.wasm")).unwrap();
    std::fs::write(folder.path().join("configuration.yaml"), configuration).unwrap();
    folder
}

fn mizzen(folder: &TempDir, args: &[&str]) -> Output {
    mizzen_in(folder.path()).args(args).output().unwrap()
}

/// The only change of a plan, which has what the guest received.
fn found(configuration: &str) -> String {
    let done = mizzen(&folder(configuration), &["plan", "-f", "configuration.yaml", "-o", "json"]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    let plan: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan:#}");
    plan["changes"][0].to_string()
}

#[test]
fn a_plan_takes_responses_from_documents_and_needs_no_secret() {
    assert!(found(&format!("{CONFIGURATION}{RESPONSE}")).contains("200 5 bytes"));
}

#[test]
fn a_plan_sends_no_requests_and_says_how_to_provide_a_response() {
    let report = found(CONFIGURATION);
    assert!(report.contains("no request is sent here") && report.contains("HttpResponse"), "{report}");
}

#[test]
fn an_invalid_response_document_is_reported_with_its_line() {
    let folder = folder(&format!("{CONFIGURATION}{}", RESPONSE.replace("status: 200", "stats: 200")));
    let done = mizzen(&folder, &["plan", "-f", "configuration.yaml"]);
    assert_eq!(done.status.code(), Some(1));
    let errors = text(&done.stderr);
    assert!(errors.contains("configuration.yaml:22: spec: ") && errors.contains("`stats`"), "{errors}");
}

#[test]
fn check_reports_missing_hosts_and_credentials() {
    let bare = CONFIGURATION.replace("    http: [{host: api.example.com, credentials: [token]}]\n", "");
    let bare = bare.replace(
        "    credentials:\n      token: {secret: {namespace: '{subject.namespace}', name: api, key: token}}\n",
        "",
    );
    let done = mizzen(&folder(&bare), &["check", "-f", "configuration.yaml"]);
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert!(errors.contains("spec.grants.http: the plugin sends HTTPS requests (every host it can reach)"), "{errors}");
    assert!(errors.contains("spec.grants.credentials: the plugin uses a credential `token`"), "{errors}");
}

#[test]
fn rbac_grants_reading_that_secret_alone_in_the_namespaces_of_the_subjects() {
    let done = mizzen(&folder(CONFIGURATION), &["rbac", "-f", "configuration.yaml", "-o", "json"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let list: Value = serde_json::from_slice(&done.stdout).unwrap();
    let rules = |role: &Value| role["rules"].as_array().cloned().unwrap_or_default();
    let secrets: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|role| rules(role).into_iter().map(|rule| (role["metadata"]["namespace"].clone(), rule)))
        .filter(|(_, rule)| rule["resources"][0] == "secrets")
        .collect();
    let rule = |name: Option<&str>, verbs: &[&str]| {
        let mut rule = serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "verbs": verbs});
        if let Some(name) = name {
            rule["resourceNames"] = serde_json::json!([name]);
        }
        rule
    };
    // In its own namespace the host keeps the key of its marks.
    let own = [(None, ["create"]), (Some("mizzen-ownership"), ["get"])];
    let mut expected: Vec<_> =
        own.iter().map(|(name, verbs)| (Value::from("mizzen-system"), rule(*name, verbs))).collect();
    expected.push(("ns".into(), rule(Some("api"), &["get", "watch"])));
    assert_eq!(secrets, expected);
}
