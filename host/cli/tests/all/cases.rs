//! Folders as users have them, in `tests/cases`: what `plan` makes of each. The shipped plugins run
//! on them.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{deploy, mizzen, text};

/// The plan of a folder.
struct Planned {
    code: Option<i32>,
    errors: String,
    plan: Value,
}

impl Planned {
    fn of(folder: &Path) -> Self {
        let done = run(folder);
        let plan = serde_json::from_slice(&done.stdout).unwrap_or_default();
        Self { code: done.status.code(), errors: text(&done.stderr), plan }
    }

    /// The plan of a folder of `tests/cases`.
    fn case(name: &str) -> Self {
        Self::of(&case(name))
    }

    /// `verb Kind namespace/name` of each change, apart from statuses.
    fn changes(&self) -> Vec<String> {
        let changes = self.plan["changes"].as_array().unwrap_or_else(|| panic!("no plan: {}", self.errors)).iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = |change: &Value| {
            let object = &change["object"];
            let (verb, kind) = (text(&change["verb"]), text(&object["kind"]));
            format!("{verb} {kind} {}/{}", text(&object["namespace"]), text(&object["name"]))
        };
        changes.filter(|change| change["verb"] != "status").map(line).collect()
    }

    /// The names of the changed objects of a kind.
    fn names(&self, kind: &str) -> Vec<String> {
        let lines = self.changes();
        let of_kind = lines.iter().filter(|line| line.split(' ').nth(1) == Some(kind));
        of_kind.filter_map(|line| line.rsplit('/').next()).map(str::to_owned).collect()
    }

    fn change(&self, kind: &str, name: &str) -> &Value {
        let is_it = |change: &&Value| {
            change["object"]["kind"] == kind && change["object"]["name"] == name && change["verb"] != "status"
        };
        self.plan["changes"].as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    /// The `spec` of an object as it would be.
    fn spec(&self, kind: &str, name: &str) -> &Value {
        &self.change(kind, name)["after"]["spec"]
    }

    /// Every text of a pointer in the specs of a kind.
    fn texts(&self, kind: &str, pointer: &str) -> Vec<String> {
        let names = self.names(kind);
        let values = names.iter().filter_map(|name| self.spec(kind, name).pointer(pointer));
        let lists = values.map(|value| value.as_array().cloned().unwrap_or_default());
        lists.flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let list = self.plan[name].as_array().cloned().unwrap_or_default();
        list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
    }
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn run(folder: &Path) -> Output {
    let mut plan = mizzen();
    plan.args(["plan", "--status", "-o", "json"]);
    for file in [deploy("crds"), deploy("samples/crds"), case("definitions.yaml"), folder.to_owned()] {
        plan.arg("-f").arg(file);
    }
    plan.output().unwrap()
}

/// A copy of a case.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(case(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// A copy of a case, with one file changed.
fn changed(name: &str, file: &str, from: &str, to: &str) -> TempDir {
    let folder = copy(name);
    let old = std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(old.contains(from), "{from} is not in {file}");
    std::fs::write(folder.path().join(file), old.replace(from, to)).unwrap();
    folder
}

#[test]
fn nulls_of_custom_resources_are_dropped_as_the_api_server_does() {
    let done = Planned::case("nulls");
    assert_eq!((done.code, done.list("problems")), (Some(2), Vec::new()), "{}", done.errors);
    assert_eq!(done.names("ServiceEntry"), ["watch-fqdn-operator", "partners-fqdn"]);
    assert_eq!(done.spec("VirtualService", "web-rule-0-vs")["hosts"][0], "store.shop.mesh.example.com");
    assert!(done.names("VirtualService").contains(&"orders".to_owned()));
}

#[test]
fn a_required_field_that_is_null_is_one_problem_with_its_line() {
    let done = Planned::of(changed("nulls", "20-nulls.yaml", "path: /orders", "path: null").path());
    assert_eq!((done.code, done.errors.lines().count()), (Some(1), 1), "{}", done.errors);
    assert!(done.errors.contains("20-nulls.yaml:13: ") && done.errors.contains("`spec.path` is required"));
}

#[test]
fn scalars_of_yaml_1_1_mean_what_they_mean_to_kubectl() {
    let done = Planned::case("scalars");
    assert_eq!(done.code, Some(2), "{}", done.errors);
    assert_eq!(done.names("ServiceEntry"), ["words-fqdn-operator"], "`enableIstio: yes` is true");
    for name in ["hexport", "underscored"] {
        let port = done.spec("VirtualService", name).pointer("/http/0/route/0/destination/port/number").cloned();
        assert_eq!(port, Some(8080.into()), "{name}");
    }
}

#[test]
fn labels_and_annotations_that_are_no_texts_are_refused_with_their_lines() {
    let done = Planned::case("scalars-refused");
    let lines: Vec<_> = done.errors.lines().collect();
    assert_eq!((done.code, lines.len()), (Some(1), 5), "{}", done.errors);
    for (line, field) in [
        (4, "metadata.labels.istio-injection"),
        (8, "metadata.labels['istio.io/rev']"),
        (12, "metadata.labels.build"),
        (16, "metadata.annotations.commit"),
        (20, "metadata.annotations['mizzen.dev/restart']"),
    ] {
        let is_it = |error: &&str| error.contains(&format!("20-refused.yaml:{line}: ")) && error.contains(field);
        assert!(lines.iter().any(is_it), "{line} {field} not in {}", done.errors);
    }
}

#[test]
fn no_document_is_lost_whatever_the_separators_line_ends_and_byte_order_marks() {
    for name in ["separators", "separators-crlf", "separators-bom"] {
        let done = Planned::case(name);
        assert_eq!(done.changes().len(), 4, "{name}: {}", done.errors);
        assert_eq!(done.names("VirtualService"), ["four", "one", "three", "two"], "{name}");
        assert!(!done.plan.to_string().contains("\\r"), "{name}");
    }
    let done = Planned::case("separators-utf16");
    assert_eq!((done.code, done.errors.lines().count()), (Some(1), 1), "{}", done.errors);
    assert!(done.errors.contains("20-utf16.yaml: is encoded in UTF-16; save it as UTF-8"), "{}", done.errors);
}

#[test]
fn anchors_merge_keys_and_tags_are_resolved_and_a_helper_key_is_named() {
    let done = Planned::case("anchors");
    assert_eq!(done.names("VirtualService"), ["404", "carts", "lists", "orders"], "{}", done.errors);
    let http = &done.spec("VirtualService", "lists")["http"][0];
    assert_eq!(
        (&http["match"][0]["uri"]["exact"], &http["route"][0]["destination"]["port"]["number"]),
        (&"/lists".into(), &9090.into())
    );
    let warnings = done.list("warnings");
    assert!(
        warnings.len() == 1 && warnings[0].contains("20-anchors.yaml:1: ") && warnings[0].contains("`x-shared`"),
        "{warnings:#?}"
    );
}

#[test]
fn each_duplicate_key_is_refused_with_its_line_in_the_file() {
    let done = Planned::case("duplicate-keys");
    assert_eq!((done.code, done.errors.lines().count()), (Some(1), 2), "{}", done.errors);
    for part in ["20-duplicates.yaml:10: key `path` in `spec`", "20-duplicates.yaml:18: key `labels` in `metadata`"] {
        assert!(done.errors.contains(part), "{part} not in {}", done.errors);
    }
}

#[test]
fn a_dump_of_a_cluster_is_read_without_a_change_to_what_is_in_it() {
    let done = Planned::case("dump");
    assert_eq!((done.code, done.changes()), (Some(2), vec!["create VirtualService shop/orders".into()]));
    assert_eq!((done.list("problems"), done.list("warnings")), (Vec::new(), Vec::new()));
}

#[test]
fn an_object_that_exists_is_a_conflict_and_never_a_create() {
    let theirs = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: orders, namespace: shop}\n\
                  spec: {hosts: [other.example.com]}\n";
    let folder = copy("dump");
    std::fs::write(folder.path().join("30-theirs.yaml"), theirs).unwrap();
    let done = Planned::of(folder.path());
    assert_eq!((done.code, done.changes()), (Some(1), Vec::new()), "{}", done.errors);
    assert!(done.list("problems")[0].contains("VirtualService shop/orders"), "{:#?}", done.list("problems"));
}

#[test]
fn no_part_of_a_password_in_a_url_is_in_a_status() {
    let shown = Planned::case("proxy-urls").plan.to_string();
    for part in ["k3y", "07Q", "Blue7", "50%off", "mesh.relay"] {
        assert!(!shown.contains(part), "{part}");
    }
}

#[test]
fn native_sidecars_are_judged_as_sidecars() {
    let done = Planned::case("native-sidecars");
    assert_eq!(done.names("Deployment"), ["stale-beside-other-native", "stale-native"]);
}

#[test]
fn an_injected_gateway_is_restarted_for_its_image_alone() {
    let done = Planned::case("injected-gateways");
    let names = done.names("Deployment");
    assert!(names.contains(&"old-gateway".to_owned()) && !names.contains(&"edge-gateway".to_owned()), "{names:?}");
}

#[test]
fn resources_that_an_autoscaler_sets_and_equal_amounts_restart_nothing() {
    assert_eq!(Planned::case("autoscaled-sidecars").names("Deployment"), <[String; 0]>::default());
}

#[test]
fn a_path_that_begins_with_another_is_a_path_of_its_own() {
    let done = Planned::case("paths-in-paths");
    assert_eq!(done.names("VirtualService"), ["caps", "policy", "policy-author", "policy-slash", "policy2", "under"]);
    let matches = done.spec("VirtualService", "policy")["http"][0]["match"].to_string();
    assert_eq!(matches, r#"[{"uri":{"exact":"/policy"}},{"uri":{"prefix":"/policy/"}}]"#);
    let problems = done.list("problems");
    assert!(problems.len() == 1 && problems[0].contains("`//policy`"), "{problems:#?}");
}

#[test]
fn addresses_and_networks_each_have_one_entry_with_a_host_of_its_own() {
    let done = Planned::case("addresses");
    let (mut addresses, mut hosts) = (done.texts("ServiceEntry", "/addresses"), done.texts("ServiceEntry", "/hosts"));
    let (found, named) = (addresses.len(), hosts.len());
    addresses.sort();
    addresses.dedup();
    hosts.sort();
    hosts.dedup();
    assert_eq!((addresses.len(), hosts.len()), (found, named));
    assert!(addresses.iter().all(|address| address.contains('/')), "{addresses:?}");
    let problems = done.list("problems");
    for (list, part) in [("wrong", "203.0.112.0/20"), ("zone", "eth0"), ("bracket", "[2001:db8::1]"), ("zeros", "010.")]
    {
        let is_it = |problem: &&String| problem.contains(&format!("shop/{list}\"")) && problem.contains(part);
        assert!(problems.iter().any(|problem| is_it(&problem) && problem.contains("spec.hosts[0].")), "{list}");
    }
}

#[test]
fn protocols_that_share_a_port_get_entries_of_their_own() {
    let done = Planned::case("ports");
    for name in ["db-tcp.one", "db-tcp.two", "odd-tcp", "odd-fqdn"] {
        let hosts = done.spec("ServiceEntry", name)["hosts"].as_array().map(Vec::len);
        assert_eq!(hosts, Some(1), "{name}");
    }
    let problems = done.list("problems");
    for list in ["all-tcp", "bare-star", "middle"] {
        let is_it =
            |problem: &&String| problem.contains(&format!("shop/{list}\"")) && problem.contains("spec.hosts[0].");
        assert!(problems.iter().any(|problem| is_it(&problem)), "{list}: {problems:#?}");
    }
}

#[test]
fn each_rule_has_its_own_hosts_and_each_host_one_server() {
    let done = Planned::case("rules-and-hosts");
    let hosts = |name: &str| done.spec("VirtualService", name)["hosts"].to_string();
    for name in ["web-rule-0-vs", "web-rule-2-vs"] {
        assert_eq!(hosts(name), r#"["shop.store.mesh.example.com"]"#);
    }
    assert_eq!(hosts("web-rule-1-vs"), r#"["shop.example.com","shop2.example.com"]"#);
    let servers = &done.spec("Gateway", "store-shop-gw")["servers"];
    let of_server = |at: usize| servers[at]["hosts"].to_string();
    assert_eq!(of_server(0), r#"["shop.store.mesh.example.com","shop.example.com","shop2.example.com"]"#);
    assert_eq!((of_server(1), servers.as_array().map(Vec::len)), (r#"["pay.example.com"]"#.into(), Some(2)));
}

#[test]
fn long_names_give_valid_names_or_a_condition_that_names_the_limit() {
    let done = Planned::case("long-names");
    let names = done.changes();
    assert!(names.iter().all(|line| line.rsplit('/').next().is_some_and(|name| name.len() <= 253)), "{names:#?}");
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    let problems = done.list("problems");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.contains("write up to 40 characters")), "{problems:#?}");
}

#[test]
fn workloads_that_do_not_roll_are_named_and_not_restarted() {
    let done = Planned::case("workloads-that-do-not-roll");
    let restarted: Vec<_> = done.changes();
    assert_eq!(
        restarted,
        ["defaulted", "partition-zero", "rolling"].map(|name| format!("change StatefulSet shop/{name}"))
    );
    let shown = done.plan.to_string();
    for name in ["on-delete", "stuck-revision", "agent"] {
        assert!(shown.contains(&format!("shop/{name} (its update strategy is OnDelete)")), "{name}");
    }
    assert!(shown.contains("shop/paused (its rollout is paused)"));
    assert!(shown.contains("shop/partitioned (its update strategy has a partition)"));
}

#[test]
fn a_webhook_configuration_gets_its_conditions_and_no_other_change() {
    let done = Planned::case("webhooks");
    assert_eq!(done.changes(), ["change MutatingWebhookConfiguration /istio-revision-tag-default"]);
    let change = done.change("MutatingWebhookConfiguration", "istio-revision-tag-default");
    let (mut before, mut after) = (change["before"]["webhooks"].clone(), change["after"]["webhooks"].clone());
    for webhook in after.as_array().unwrap() {
        let conditions = webhook["matchConditions"].as_array().unwrap();
        let own = conditions.iter().filter(|condition| condition["name"] == "mizzen.dev/excluded-namespaces").count();
        assert_eq!(own, 1, "{webhook:#}");
    }
    assert_eq!(after[1]["matchConditions"][0]["name"], "not-ours");
    for webhooks in [&mut before, &mut after] {
        for webhook in webhooks.as_array_mut().unwrap() {
            webhook.as_object_mut().unwrap().remove("matchConditions");
        }
    }
    assert_eq!(before, after);
}

#[test]
fn what_gitops_marks_its_objects_by_is_not_copied() {
    let done = Planned::case("tracking-labels");
    let created: Vec<_> = done.plan["changes"].as_array().unwrap().iter().filter(|c| c["verb"] == "create").collect();
    assert!(created.len() > 15, "{:#?}", done.changes());
    for change in created {
        let metadata = &change["after"]["metadata"];
        let marks = format!("{} {}", metadata["labels"], metadata["annotations"]);
        for mark in [
            "argocd.argoproj.io",
            "toolkit.fluxcd.io",
            "helm.sh",
            "kubectl.kubernetes.io",
            "name/instance",
            "kubernetes.io/instance",
        ] {
            assert!(!marks.contains(mark), "{mark} in {marks}");
        }
    }
}

#[test]
fn a_template_keeps_the_elements_whose_keys_are_there_twice() {
    let done = Planned::case("keys-twice-in-lists");
    assert_eq!(done.changes(), ["change Deployment shop/doubled"]);
    let change = done.change("Deployment", "doubled");
    let pod = |when: &str| change[when]["spec"]["template"]["spec"].clone();
    assert_eq!(pod("before"), pod("after"));
    assert_eq!(pod("after").to_string().matches("\"MODE\"").count(), 3);
}

#[test]
fn the_revision_that_injects_decides_what_is_restarted() {
    let done = Planned::case("revisions");
    assert_eq!(done.changes(), ["change Deployment b-tag/app", "change Deployment d-pod-rev/app"]);
    let with_default = changed("revisions", "10-reconcilers.yaml", "tags: [prod]", "tags: [prod, default]");
    let done = Planned::of(with_default.path());
    let namespaces = ["a-both", "b-tag", "d-pod-rev", "h-pod-inject", "i-enabled"];
    assert_eq!(done.changes(), namespaces.map(|namespace| format!("change Deployment {namespace}/app")));
}

#[test]
fn policies_on_some_paths_leave_the_others_open_and_have_names_of_their_own() {
    let done = Planned::case("policies-on-paths");
    let problems = done.list("problems");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    for part in ["`spec.rules[0].paths[2]`", "when[0].values`"] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part} not in {problems:#?}");
    }
    let mut names = done.names("AuthorizationPolicy");
    let found = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), found);
    let shown = done.plan.to_string();
    assert!(!shown.contains("GatewayMissing"), "each Gateway is in the same plan");
}
