//! What the commands print, and their exit codes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{deploy, mizzen, plugins, text};

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: peerauthentications.security.istio.io}
spec:
  group: security.istio.io
  scope: Namespaced
  names: {kind: PeerAuthentication, plural: peerauthentications}
  versions: [{name: v1, served: true, schema: {openAPIV3Schema: {}}}]
";
const ISTIO: &str =
    "{apiVersion: mizzen.dev/v1alpha1, kind: Istio, metadata: {name: default, namespace: istio-system}, spec: {}}\n";
const MTLS: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: Reconciler
metadata:
  name: mtls
spec:
  component: {file: mtls.wasm}
  config: {mode: STRICT}
  grants:
    read: [{apiVersion: security.istio.io/v1, kind: PeerAuthentication}]
    apply: [{apiVersion: security.istio.io/v1, kind: PeerAuthentication}]
  subject: {apiVersion: mizzen.dev/v1alpha1, kind: Istio}
";

/// A folder with a configuration, and a mesh to which it has not been applied.
fn folder(reconcilers: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(deploy("crds/istios.mizzen.dev.yaml"), folder.path().join("istios.yaml")).unwrap();
    for (name, text) in [("crd.yaml", CRD), ("istio.yaml", ISTIO), ("reconcilers.yaml", reconcilers)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn plan(folder: &TempDir, more: &[&str]) -> Output {
    mizzen().arg("plan").arg("-f").arg(folder.path()).args(more).output().unwrap()
}

#[test]
fn a_plan_shows_what_would_be_created_and_ends_with_2() {
    let done = plan(&folder(MTLS), &[]);
    let shown = text(&done.stdout);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
    for line in
        ["+ PeerAuthentication istio-system/default", "+     mode: STRICT", "1 to create, 0 to change, 0 to delete"]
    {
        assert!(shown.contains(line), "{line} not in:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_plan_is_the_same_as_json_and_as_yaml() {
    let folder = folder(MTLS);
    let json: Value = serde_json::from_slice(&plan(&folder, &["-o", "json"]).stdout).unwrap();
    let yaml: Value = serde_saphyr::from_str(&text(&plan(&folder, &["-o", "yaml"]).stdout)).unwrap();
    assert_eq!(json, yaml);
    let change = &json["changes"][0];
    assert_eq!(
        (&change["reconciler"], &change["verb"], &change["object"]["kind"]),
        (&"mtls".into(), &"create".into(), &"PeerAuthentication".into())
    );
    assert_eq!(change["after"]["spec"]["mtls"]["mode"], "STRICT");
}

#[test]
fn a_plan_shows_what_a_reconciler_in_mode_plan_would_do() {
    let done = plan(&folder(&(MTLS.to_owned() + "  mode: Plan\n")), &["-o", "wide"]);
    assert!(text(&done.stdout).contains("+ PeerAuthentication istio-system/default"), "{}", text(&done.stdout));
}

#[test]
fn a_plan_without_changes_ends_with_0() {
    let folder = folder(MTLS);
    std::fs::remove_file(folder.path().join("istio.yaml")).unwrap();
    let done = plan(&folder, &[]);
    assert_eq!((done.status.code(), text(&done.stdout).trim()), (Some(0), "0 to create, 0 to change, 0 to delete"));
}

#[test]
fn a_plan_reports_what_would_fail() {
    let folder = folder(MTLS);
    let theirs = "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, spec: {mtls: {mode: DISABLE}}, \
                  metadata: {name: default, namespace: istio-system}}";
    std::fs::write(folder.path().join("theirs.yaml"), theirs).unwrap();
    let done = plan(&folder, &["-o", "wide"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stdout).contains("Conflict") && text(&done.stdout).contains("`file`"), "{}", text(&done.stdout));
}

#[test]
fn check_reports_everything_at_once_with_file_line_and_field() {
    let broken = MTLS.replace("config:", "confg:").replace("name: mtls", "name: Mtls") + "  after: [missing]\n";
    let folder = folder(&broken);
    let done = mizzen().arg("check").arg("-f").arg(folder.path().join("reconcilers.yaml")).output().unwrap();
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    for part in ["reconcilers.yaml:5: metadata.name", "reconcilers.yaml:8: spec.confg", "did you mean `config`?"] {
        assert!(errors.contains(part), "{part} not in:\n{errors}");
    }
}

#[test]
fn check_continues_after_unreadable_documents_and_reports_all_of_them() {
    let folder = folder(&MTLS.replace("config:", "confg:"));
    std::fs::write(folder.path().join("a.yaml"), "a: [\n---\nb: {\n").unwrap();
    std::fs::write(folder.path().join("z.yaml"), b"\xff").unwrap();
    let done = mizzen().arg("check").arg("-f").arg(folder.path()).output().unwrap();
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(errors.matches("a.yaml:").count(), 2, "{errors}");
    for part in ["z.yaml: ", "reconcilers.yaml:8: spec.confg"] {
        assert!(errors.contains(part), "{part} not in:\n{errors}");
    }
}

#[test]
fn check_names_missing_grants_and_wrong_configuration_of_a_component() {
    let folder = folder(&MTLS.replace("mode: STRICT", "mode: strict").replace("    apply:", "    patch:"));
    let done = mizzen().arg("check").arg("-f").arg(folder.path().join("reconcilers.yaml")).output().unwrap();
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    for part in [
        "spec.config.mode",
        "spec.grants.apply",
        "add `- {apiVersion: security.istio.io/v1, kind: PeerAuthentication}`",
    ] {
        assert!(errors.contains(part), "{part} not in:\n{errors}");
    }
}

#[test]
fn check_names_the_lines_at_which_components_and_documents_disagree_and_continues_after_other_errors() {
    let wrong = MTLS.replace("mode: STRICT", "mode: strict").replace("    apply:", "    patch:");
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: mizzen.dev/v1alpha1\n  kind: Reconciler\n  \
                metadata: {name: two}\n  spec:\n    component: {file: mtls.wasm}\n    config:\n      nonsense: 1\n    \
                subject: {apiVersion: mizzen.dev/v1alpha1, kind: Istio}\n";
    let stray = "apiVersion: mizzen.dev/v1alpha1\nkind: Reconcilers\nmetadata: {name: three}\n";
    let broken = MTLS.replace("name: mtls", "name: Four");
    let folder = folder(&format!("{wrong}---\n{list}---\n{stray}---\n{broken}"));
    let done = mizzen().arg("check").arg("-f").arg(folder.path().join("reconcilers.yaml")).output().unwrap();
    let errors = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    for part in [
        "reconcilers.yaml:8: spec.config.mode: ",
        "reconcilers.yaml:9: spec.grants.apply: ",
        "reconcilers.yaml:23: spec.config.nonsense: ",
        "reconcilers.yaml:20: spec.grants.read: ",
        "reconcilers.yaml:27: kind: `Reconcilers` is not known; did you mean `Reconciler`?",
        "reconcilers.yaml:34: metadata.name: ",
    ] {
        assert!(errors.contains(part), "{part} not in:\n{errors}");
    }
}

#[test]
fn check_accepts_the_shipped_configuration() {
    let shipped = deploy("reconcilers.yaml");
    let done = mizzen().arg("check").arg("-f").arg(shipped).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    let output = text(&done.stdout);
    let names: Vec<_> = output.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(names, ["api-operator", "component-status", "monitoring", "mtls"]);
}

#[test]
fn the_shipped_rights_are_those_that_rbac_prints_for_the_shipped_configuration() {
    let mut rbac = mizzen();
    for path in ["reconcilers.yaml", "crds", "samples/crds"] {
        rbac.arg("-f").arg(deploy(path));
    }
    let rbac = |output: &str| {
        let done = mizzen().arg("rbac").args(rbac.get_args()).args(["-o", output]).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout)
    };
    let (printed, file) = (rbac("yaml"), deploy("manifests/20-rbac.yaml"));
    if std::env::var_os("MIZZEN_UPDATE").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == printed,
        "20-rbac.yaml is out of date: `make manifests` writes it"
    );
    let list: Value = serde_json::from_str(&rbac("json")).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&printed).unwrap();
    assert_eq!(list["items"], Value::from(documents));
}

#[test]
fn rbac_notes_its_guesses_on_standard_error() {
    let shipped = deploy("reconcilers.yaml");
    let done = mizzen()
        .args(["rbac", "--name", "mesh", "--service-account", "mesh/host", "-f"])
        .arg(shipped)
        .output()
        .unwrap();
    let (printed, notes) = (text(&done.stdout), text(&done.stderr));
    assert!(notes.contains("`exposedapis`, is a guess"), "{notes}");
    assert!(
        printed.contains("name: mesh") && printed.contains("namespace: mesh") && !printed.contains("guess"),
        "{printed}"
    );
    let done = mizzen().args(["rbac", "--service-account", "mesh", "-f", "x"]).output().unwrap();
    assert!(text(&done.stderr).contains("write `namespace/name`"), "{}", text(&done.stderr));
}

#[test]
fn inspect_shows_what_a_plugin_needs_and_why() {
    let component = plugins().join("mtls.wasm");
    let inspect =
        |output: &str| mizzen().args(["plugin", "inspect", "-o", output]).arg(&component).output().unwrap().stdout;
    assert!(text(&inspect("text")).contains("the mesh's default mode"));
    let json: Value = serde_json::from_slice(&inspect("json")).unwrap();
    assert_eq!((&json["name"], &json["subject"]["kind"]), (&"mtls".into(), &"Istio".into()));
    assert_eq!(serde_saphyr::from_str::<Value>(&text(&inspect("yaml"))).unwrap(), json);
}

#[test]
fn a_file_that_is_not_a_component_is_reported_as_such() {
    let folder = folder(MTLS);
    let done = mizzen().args(["plugin", "inspect"]).arg(folder.path().join("crd.yaml")).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("crd.yaml: not a component"), "{}", text(&done.stderr));
}

#[test]
fn a_missing_file_is_named() {
    let done = mizzen().args(["plan", "-f", "/nowhere/at/all.yaml"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("/nowhere/at/all.yaml"), "{}", text(&done.stderr));
}

#[test]
fn run_ends_with_the_address_of_an_unavailable_api_server() {
    let folder = folder(MTLS);
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(
        &kubeconfig,
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], \
         clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u, user: {}}]}",
    )
    .unwrap();
    let done = mizzen().arg("run").arg("--kubeconfig").arg(kubeconfig).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("127.0.0.1:1"), "{}", text(&done.stderr));
}

#[test]
fn version_names_the_host_and_the_contract() {
    let done = mizzen().arg("version").output().unwrap();
    assert!(text(&done.stdout).starts_with("mizzen ") && text(&done.stdout).contains("mizzen:plugin"), "{done:?}");
}

#[test]
fn the_help_of_every_command_has_an_example() {
    for command in [
        &["run"][..],
        &["plan"],
        &["dev"],
        &["check"],
        &["rbac"],
        &["plugin", "inspect"],
        &["plugin", "compile"],
        &["crd"],
        &["version"],
        &["completions"],
    ] {
        let help = text(&mizzen().args(command).arg("--help").output().unwrap().stdout);
        assert!(help.contains("Example") && help.contains("Exit codes: 0"), "{command:?}:\n{help}");
    }
    let completions = text(&mizzen().args(["completions", "bash"]).output().unwrap().stdout);
    assert!(completions.contains("complete -F"));
}

/// Reads lines until one contains this.
fn until(lines: &mut impl Iterator<Item = std::io::Result<String>>, what: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for line in lines {
        seen.push(line.unwrap());
        if seen.last().is_some_and(|line| line.contains(what)) {
            return seen;
        }
    }
    panic!("{what} never came after {seen:#?}")
}

#[test]
fn dev_plans_again_when_a_file_changes_and_shows_only_differences() {
    let folder = folder(MTLS);
    let mut dev = mizzen().arg("dev").arg(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let first = until(&mut lines, "watching");
    assert!(first.iter().any(|line| line.contains("+ PeerAuthentication istio-system/default")), "{first:#?}");
    std::fs::write(folder.path().join("reconcilers.yaml"), MTLS.replace("STRICT", "PERMISSIVE")).unwrap();
    let second = until(&mut lines, "to delete");
    assert!(second.iter().any(|line| line.contains("mode: PERMISSIVE")), "{second:#?}");
    assert!(!second.iter().any(|line| line.contains("status")), "what stays the same is not shown: {second:#?}");
    let killed = Command::new("kill").arg(dev.id().to_string()).status().unwrap();
    assert!(killed.success() && dev.wait().unwrap().success(), "SIGTERM ends it with success");
}
