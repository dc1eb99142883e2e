use std::path::Path;

use mizzen_model::yaml;

use super::*;

mod grants;
mod network;

fn documents(text: &str) -> Vec<Document> {
    yaml::parse(Path::new("r.yaml"), text).unwrap()
}

fn objects(text: &str) -> Vec<Object> {
    documents(text).into_iter().map(|d| Object::new(d.value, &mizzen_model::Fields::Whole).unwrap()).collect()
}

fn reconciler(name: &str, rest: &str) -> String {
    // The rest begins in one line, with and without a subject of its own.
    let head = if rest.contains("  subject:") {
        format!("metadata:\n  name: {name}\nspec:\n")
    } else {
        format!("metadata: {{name: {name}}}\nspec:\n  subject: {{apiVersion: v1, kind: Service}}\n")
    };
    format!("---\napiVersion: mizzen.dev/v1alpha1\nkind: Reconciler\n{head}  component: {{file: x.wasm}}\n{rest}")
}

fn problems(text: &str) -> Vec<String> {
    Configuration::strict(&documents(text)).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn reconcilers_come_in_order_whatever_the_order_of_their_documents() {
    let text = reconciler("a", "  after: [b]\n") + &reconciler("b", "");
    let names: Vec<_> =
        Configuration::strict(&documents(&text)).unwrap().reconcilers.iter().map(|r| r.name.clone()).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn all_problems_are_reported_at_once_with_file_line_and_field() {
    let text = reconciler("a", "  aftr: [b]\n  mode: Enforced\n")
        + &reconciler("b", "  limits: {memory: 64Mb, time: soon}\n  after: [c]\n");
    let problems = problems(&text);
    let starts = [
        ("r.yaml:8: spec.aftr: ", "did you mean `after`?"),
        ("r.yaml:9: spec.mode: ", "Enforce"),
        ("r.yaml:17: spec.limits.memory: ", "64Mi"),
        ("r.yaml:17: spec.limits.time: ", "5s"),
        ("r.yaml:18: spec.after[0]: ", "no reconciler has this name"),
    ];
    for (start, hint) in starts {
        assert!(
            problems.iter().any(|p| p.starts_with(start) && p.contains(hint)),
            "{start} {hint} not in {problems:#?}"
        );
    }
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[test]
fn an_unknown_predecessor_lists_the_known_reconcilers() {
    let problems = problems(&(reconciler("a", "  after:\n    - mtsl\n") + &reconciler("mtls", "")));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("r.yaml:9: spec.after[0]: ") && problems[0].contains("did you mean `mtls`?"),
        "{problems:?}"
    );
}

#[test]
fn a_cycle_in_files_is_reported_once() {
    let problems = problems(&(reconciler("a", "  after: [b]\n") + &reconciler("b", "  afterAny: [a]\n")));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("a → b → a"), "{problems:?}");
}

#[test]
fn a_cycle_in_the_cluster_is_reported_for_each_object_at_the_field_that_causes_it() {
    let text = reconciler("a", "  after: [fine, c]\n")
        + &reconciler("b", "  afterAny: [a]\n")
        + &reconciler("c", "  after: [b]\n")
        + &reconciler("fine", "");
    let (configuration, problems) = Configuration::lenient(&objects(&text));
    assert_eq!(configuration.reconcilers.iter().map(|r| &*r.name).collect::<Vec<_>>(), ["fine"]);
    let mut said: Vec<_> = problems.iter().map(|p| (&*p.name, &*p.field)).collect();
    said.sort_unstable();
    assert_eq!(said, [("a", "spec.after[1]"), ("b", "spec.afterAny[0]"), ("c", "spec.after[0]")]);
}

#[test]
fn only_applies_can_adopt_objects_that_exist_already() {
    let grants = "  grants:\n    apply: [{apiVersion: v1, kind: ConfigMap, adopt: true}]\n";
    let (configuration, _) = Configuration::lenient(&objects(&reconciler("a", grants)));
    let grant = &configuration.reconcilers[0].grants.apply[0];
    assert_eq!((grant.adopt, grant.force), (true, false));
    let problems = problems(&reconciler("a", &grants.replace("apply", "read")));
    assert!(problems.len() == 1 && problems[0].contains("grants.read[0].adopt: applies alone"), "{problems:?}");
}

#[test]
fn an_unknown_choice_lists_the_known_choices() {
    let problems = problems(&reconciler("a", "  mode: Enforced\n"));
    let said = "did you mean `Enforce`? (known: `Enforce`, `Plan`, `Paused`)";
    assert!(problems.len() == 1 && problems[0].ends_with(said), "{problems:?}");
}

#[test]
fn a_problem_in_an_optional_part_is_reported_at_its_field() {
    let problems = problems(&reconciler("a", "  subject:\n    apiVersion: v1\n    lable: x\n"));
    let starts = ["r.yaml:8: spec.subject: `kind` is missing", "r.yaml:10: spec.subject.lable: `lable` is not known"];
    assert_eq!(problems.len(), 2, "{problems:?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problems:?}");
    }
}

#[test]
fn a_part_of_the_spec_that_is_not_indented_is_reported() {
    let problems = problems(&reconciler("a", "mode: Plan\nnonsense: 1\n"));
    assert!(problems[0].starts_with("r.yaml:8: mode: `mode` is beside `spec`"), "{problems:?}");
    assert!(problems[1].starts_with("r.yaml:9: nonsense: `nonsense` is not known"), "{problems:?}");
}

#[test]
fn a_secret_can_not_be_a_subject() {
    let problems = problems(&reconciler("a", "  subject: {apiVersion: v1, kind: Secret}\n"));
    assert!(problems[0].starts_with("r.yaml:8: spec.subject.kind: plugins never see Secrets"), "{problems:?}");
}

#[test]
fn a_pattern_is_not_a_valid_kind() {
    let problems =
        problems(&reconciler("a", "  grants: {read: [{apiVersion: '', kind: '*'}, {apiVersion: a/b/c, kind: Pod}]}\n"));
    let fields = ["read[0].apiVersion: `` is", "read[0].kind: `*` is", "read[1].apiVersion: `a/b/c` is"];
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, field) in problems.iter().zip(fields) {
        assert!(problem.contains(field), "{problems:?}");
    }
}

#[test]
fn the_time_limit_of_a_call_has_a_maximum() {
    assert!(Configuration::strict(&documents(&reconciler("a", "  limits: {time: 10m}\n"))).is_ok());
    let problems = problems(&reconciler("a", "  limits: {time: 11m}\n"));
    assert!(problems[0].contains("spec.limits.time: is more than the host allows, 10m"), "{problems:?}");
}

#[test]
fn a_duplicate_name_is_refused() {
    let problems = problems(&(reconciler("a", "") + &reconciler("a", "")));
    assert!(problems[0].contains("r.yaml:2"), "{problems:?}");
}

#[test]
fn a_secret_can_not_be_granted() {
    let problems = problems(&reconciler("a", "  grants:\n    read:\n      - {apiVersion: v1, kind: Secret}\n"));
    assert!(problems[0].starts_with("r.yaml:10: spec.grants.read[0]: plugins never see Secrets"), "{problems:?}");
}

#[test]
fn an_invalid_object_in_the_cluster_does_not_stop_the_others() {
    let text =
        reconciler("good", "") + &reconciler("bad", "  nonsense: 1\n") + &reconciler("behind", "  after: [bad]\n");
    let (configuration, problems) = Configuration::lenient(&objects(&text));
    assert_eq!(configuration.reconcilers.iter().map(|r| &*r.name).collect::<Vec<_>>(), ["good"]);
    assert_eq!(problems.iter().map(|p| &*p.name).collect::<Vec<_>>(), ["bad"]);
}

#[test]
fn an_object_in_the_cluster_can_not_name_a_file_outside_the_plugin_folder() {
    for file in ["/etc/passwd", "../x.wasm"] {
        let text = reconciler("a", "").replace("x.wasm", file);
        let (_, problems) = Configuration::lenient(&objects(&text));
        assert!(problems[0].message.contains("is outside the host's plugin folder"), "{problems:?}");
    }
}

#[test]
fn the_shipped_configuration_is_valid() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/reconcilers.yaml");
    let configuration = Configuration::strict(&yaml::load(&shipped).unwrap()).unwrap();
    assert!(configuration.reconcilers.len() >= 3);
}

#[test]
fn the_crd_in_deploy_is_the_one_that_the_types_generate() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds/reconcilers.mizzen.dev.yaml");
    mizzen_model::crd::assert_file(&file, &crate::document::crd());
}

fn renderer(name: &str, labels: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: mizzen.dev/v1alpha1\nkind: Renderer\nmetadata:\n  name: {name}\n  labels: {labels}\n\
         spec:\n  component: {{file: x.wasm}}\n{rest}"
    )
}

#[test]
fn a_renderer_has_its_own_labels_and_limits() {
    let text = renderer("charts-1.31.0", "{example.com/version: 1.31.0}", "  limits: {memory: 300Mi, time: 10s}\n")
        + &reconciler("charts-1", "  grants: {renderers: {matchLabels: {example.com/version: 1.31.0}}}\n");
    let configuration = Configuration::strict(&documents(&text)).unwrap();
    let renderer = &configuration.renderers[0];
    assert_eq!((&*renderer.name, renderer.limits.memory), ("charts-1.31.0", 300 << 20));
    assert_eq!(renderer.limits.output, crate::RenderLimits::default().output);
    let granted = configuration.reconcilers[0].grants.renderers.as_ref().unwrap();
    assert!(granted.matches(&renderer.labels));
    assert!(!granted.matches(&mizzen_model::Labels::of(&serde_json::json!({"example.com/version": "1.31.1"}))));
}

#[test]
fn no_renderer_is_granted_by_default() {
    let configuration = Configuration::strict(&documents(&reconciler("a", ""))).unwrap();
    assert_eq!(configuration.reconcilers[0].grants.renderers, None);
    let problems = problems(&reconciler("a", "  grants:\n    renderers: {labels: {a: b}}\n"));
    assert!(
        problems.iter().any(|p| p.starts_with("r.yaml:9: spec.grants.renderers: `matchLabels` is missing")),
        "{problems:?}"
    );
}

#[test]
fn all_problems_of_a_renderer_are_reported_with_file_line_and_field() {
    let text = renderer("Charts", "{v: 1.31}", "  limits: {memory: 5Gi, output: much, reads: 1}\n  after: [a]\n");
    let problems = problems(&text);
    let starts = [
        ("r.yaml:5: metadata.name: ", "lower-case"),
        ("r.yaml:6: metadata.labels.v: ", "write it in quotes"),
        ("r.yaml:9: spec.limits.reads: ", "known: `input`, `memory`, `output`, `time`"),
        ("r.yaml:10: spec.after: ", "not known"),
    ];
    for (start, hint) in starts {
        assert!(
            problems.iter().any(|p| p.starts_with(start) && p.contains(hint)),
            "{start} {hint} not in {problems:#?}"
        );
    }
    let problems = self::problems(&renderer("charts", "{}", "  limits: {memory: 5Gi, output: much}\n"));
    assert!(
        problems[0].starts_with("r.yaml:9: spec.limits.memory: is more than the host allows, 4096 MiB"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("r.yaml:9: spec.limits.output: `much`"), "{problems:?}");
}

#[test]
fn an_invalid_renderer_in_the_cluster_stops_neither_the_others_nor_the_reconcilers() {
    let text = renderer("good", "{a: b}", "") + &renderer("bad", "{}", "  nonsense: 1\n") + &reconciler("r", "");
    let (configuration, problems) = Configuration::lenient(&objects(&text));
    assert_eq!((configuration.renderers.len(), configuration.reconcilers.len()), (1, 1));
    assert!(problems[0].to_string().starts_with("Renderer bad: spec.nonsense: "), "{problems:?}");
}

#[test]
fn the_crd_of_renderers_in_deploy_is_the_one_that_the_types_generate() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds/renderers.mizzen.dev.yaml");
    mizzen_model::crd::assert_file(&file, &crate::document::renderer_crd());
}

#[test]
fn paces_are_parsed_and_their_problems_are_reported_with_lines() {
    let good = "
  pace:
    workloads:
      atOnce: 10
      perMinute: 60
      progressDeadline: 1h
      windows: [{days: [Mon-Fri], from: '22:00', to: '04:00', timezone: Europe/Berlin}]
";
    let read = Configuration::strict(&documents(&reconciler("a", good))).unwrap().reconcilers.remove(0);
    let pace = &read.pace["workloads"];
    assert_eq!(
        (pace.at_once.unwrap().get(), pace.per_minute.unwrap().get(), pace.progress_deadline.as_secs()),
        (10, 60, 3600)
    );
    assert_eq!(pace.windows.len(), 1);
    let bad = "  pace:
    w:
      atOnce: 0
    x:
      progressDeadline: long
      windows:
        - days: [Mo]
          from: '22'
          to: '04:00'
          timezone: Berlin
";
    let problems = problems(&reconciler("a", bad));
    assert!(problems.iter().any(|problem| problem.starts_with("r.yaml:10: spec.pace.w.atOnce: ")), "{problems:#?}");
    let bad = bad.replace("    w:\n      atOnce: 0\n", "");
    let problems = self::problems(&reconciler("a", &bad));
    for start in [
        "r.yaml:10: spec.pace.x.progressDeadline: `long` is not a valid duration",
        "r.yaml:12: spec.pace.x.windows[0].days[0]: `Mo` is not a valid day",
        "r.yaml:13: spec.pace.x.windows[0].from: `22` is not a valid time of day",
        "r.yaml:15: spec.pace.x.windows[0].timezone: `Berlin` is not a valid time zone",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "{start} not in {problems:#?}");
    }
    assert_eq!(problems.len(), 4, "{problems:#?}");
}

#[test]
fn a_misspelt_kind_or_group_is_reported() {
    let spec = "metadata: {name: a}\nspec: {component: {file: x.wasm}, subject: {apiVersion: v1, kind: Service}}\n";
    let said = |head: &str| problems(&format!("{head}{spec}")).join("; ");
    assert!(
        said("apiVersion: mizzen.dev/v1alpha1\nkind: Reconcilers\n")
            .starts_with("r.yaml:2: kind: `Reconcilers` is not")
    );
    assert!(said("apiVersion: mizen.dev/v1alpha1\nkind: Reconciler\n").starts_with("r.yaml:1: apiVersion: "));
    assert!(said("apiVersion: v1alpha1\nkind: reconciler\n").starts_with("r.yaml:2: kind: "));
    assert!(said("apiVersion: mizzen.dev/v1alpha1\n").starts_with("r.yaml:1: kind: is missing"));
}

#[test]
fn documents_of_other_groups_and_kinds_are_ignored() {
    let text =
        "apiVersion: example.com/v1\nkind: Reconciler\n---\napiVersion: mizzen.dev/v1alpha1\nkind: Istio\n---\na: 1\n";
    assert_eq!(Configuration::strict(&documents(text)), Ok(Configuration::default()));
}

#[test]
fn a_survey_keeps_reconcilers_behind_an_invalid_predecessor() {
    let text = reconciler("a", "  after: [b]\n") + &reconciler("b", "  mode: no\n");
    let (configuration, problems) = Configuration::survey(&documents(&text));
    assert_eq!((configuration.reconcilers.len(), problems.len()), (1, 1));
}
