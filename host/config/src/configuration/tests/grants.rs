use super::*;

#[test]
fn the_fields_of_a_patch_grant_are_paths() {
    let grants = "  grants:\n    patch:\n      - {apiVersion: v1, kind: Pod, fields: [a.b, 'c[']}\n";
    let problems = problems(&reconciler("a", grants));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("r.yaml:10: spec.grants.patch[0].fields[1]: "), "{problems:?}");
}

#[test]
fn only_a_patch_grant_has_fields() {
    let problems = problems(&reconciler("a", "  grants: {apply: [{apiVersion: v1, kind: Pod, fields: [a]}]}\n"));
    assert!(problems[0].ends_with("spec.grants.apply[0].fields: patches alone can have `fields`"), "{problems:?}");
}

#[test]
fn a_patch_grant_without_fields_is_a_warning() {
    let grants = "  grants:\n    patch:\n      - {apiVersion: v1, kind: Pod, fields: [metadata.labels.a]}\n      \
                  - {apiVersion: v1, kind: Service}\n";
    let configuration = Configuration::strict(&documents(&reconciler("a", grants))).unwrap();
    let warnings: Vec<_> = configuration.reconcilers[0].warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("r.yaml:11: spec.grants.patch[1]: the plugin may set any field of v1 Service"));
}

#[test]
fn a_credential_is_not_sent_without_tls() {
    let grants = "  grants:\n    http: [{host: a.example.com, plainHttp: true, credentials: [token]}]\n    \
                  credentials: {token: {secret: {namespace: a, name: b, key: c}}}\n";
    let problems = problems(&reconciler("a", grants));
    assert!(problems[0].starts_with("r.yaml:9: spec.grants.http[0].credentials: a credential is not sent without TLS"));
}

#[test]
fn a_grant_that_amounts_to_more_than_its_kind_is_a_warning() {
    let grants = "  grants:\n    apply:\n      - {apiVersion: apps/v1, kind: Deployment}\n      \
                  - {apiVersion: v1, kind: ConfigMap}\n      \
                  - {apiVersion: mizzen.dev/v1alpha1, kind: Reconciler}\n    \
                  patch: [{apiVersion: apps/v1, kind: Deployment, fields: [spec.template.metadata.annotations]}]\n";
    let configuration = Configuration::strict(&documents(&reconciler("a", grants))).unwrap();
    let warnings: Vec<_> = configuration.reconcilers[0].warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("spec.grants.apply[0]: amounts to running code as any service account"));
    assert!(warnings[1].contains("spec.grants.apply[2]: amounts to all rights of the host"));
}
