//! Grants of the network.

use mizzen_model::http::Target;

use super::*;
use crate::http::{Holder, HostPattern, KeyError, Place};

const GOOD: &str = "  grants:
    http:
      - host: '*.live.Example.com'
        credentials: [api-token]
        headers: [X-Tenant]
        proxy:
          url: '{subject.spec.proxy.value}'
          secret: {namespace: '{subject.namespace}', name: '{subject.spec.proxy.valueFrom}', key: proxy}
          private: [10.0.0.0/8]
        trust: {configMap: {namespace: '{subject.namespace}', name: '{subject.spec.trustedCAs}', key: certs}}
        skipVerifyIf: '{subject.spec.skipCertCheck}'
      - {host: api.internal, port: 8080, plainHttp: true, methods: [POST], private: [10.20.0.0/16]}
    credentials:
      api-token:
        secret: {namespace: '{subject.namespace}', name: '{subject.spec.tokens | subject.name}', key: apiToken}
        scheme: Api-Token
";

#[test]
fn hosts_and_credentials_are_parsed_with_their_defaults() {
    let network =
        Configuration::strict(&documents(&reconciler("a", GOOD))).unwrap().reconcilers[0].grants.network.clone();
    let [cloud, internal] = &network.hosts[..] else { panic!() };
    assert_eq!((&cloud.host, cloud.port), (&HostPattern::Below(".live.example.com".into()), 443));
    assert_eq!(
        (&*cloud.methods, &*cloud.headers),
        (&["GET".to_owned(), "HEAD".into()][..], &["x-tenant".to_owned()][..])
    );
    assert_eq!((&*internal.methods, internal.port), (&["POST".to_owned()][..], 8080));
    let find = |plain, host: &str, port| network.find(&Target { plain, host: host.into(), port });
    assert!(find(false, "x.live.example.com", 443).is_some());
    assert_eq!(find(true, "x.live.example.com", 80), None, "a host without TLS needs a grant of its own");
    assert_eq!(find(false, "api.internal", 8080), None);
    let credential = &network.credentials["api-token"];
    assert_eq!((&*credential.header, &*credential.prefix), ("authorization", "Api-Token "));
    assert_eq!((credential.secret.holder, &credential.secret.namespace), (Holder::Secret, &Place::Subject));
    assert_eq!(network.keys().count(), 3);
}

#[test]
fn a_secret_is_chosen_by_the_subject_and_only_within_its_grant() {
    let network =
        Configuration::strict(&documents(&reconciler("a", GOOD))).unwrap().reconcilers[0].grants.network.clone();
    let secret = &network.credentials["api-token"].secret;
    let object = |spec: serde_json::Value| {
        secret.object(&serde_json::json!({"metadata": {"name": "dk", "namespace": "ns"}, "spec": spec}))
    };
    assert_eq!(object(serde_json::json!({})).unwrap().unwrap().to_string(), "Secret ns/dk");
    assert_eq!(object(serde_json::json!({"tokens": "other"})).unwrap().unwrap().to_string(), "Secret ns/other");
    for bad in ["../../namespaces/kube-system/secrets/x", "a/b", "A", ".."] {
        assert!(
            object(serde_json::json!({"tokens": bad})).unwrap_err().to_string().contains("is not a valid name"),
            "{bad}"
        );
    }
    let nowhere = secret.object(&serde_json::json!({"metadata": {"name": "dk"}})).unwrap_err();
    assert_eq!(nowhere, KeyError::NoNamespace(Holder::Secret));
}

#[test]
fn all_problems_of_a_host_are_reported_with_lines() {
    let bad = "  grants:
    http:
      - host: https://a.example.com/x
      - host: '*.com'
      - host: '*'
      - host: a.example.com
        methods: [get]
        headers: [Authorization, 'a b']
        credentials: [tokn]
        private: [10.0.0.0]
        proxy: {url: 'proxy:3128'}
        trust: {pem: nonsense}
        skipVerifyIf: '{subject.status.x}'
      - {host: b.example.com, proxy: {}, trust: {}}
";
    let problems = problems(&reconciler("a", bad));
    for start in [
        "r.yaml:10: spec.grants.http[0].host: `https://a.example.com/x` is not a valid host",
        "r.yaml:11: spec.grants.http[1].host: `*.com` matches every host of `com`",
        "r.yaml:12: spec.grants.http[2].host: `*` is not a valid host",
        "r.yaml:14: spec.grants.http[3].methods[0]: `get` can't be granted",
        "r.yaml:15: spec.grants.http[3].headers[0]: only the host may set `Authorization`",
        "r.yaml:15: spec.grants.http[3].headers[1]: `a b` is not a valid header name",
        "r.yaml:16: spec.grants.http[3].credentials[0]: no credential has this name",
        "r.yaml:17: spec.grants.http[3].private[0]: `10.0.0.0` is not a valid network",
        "r.yaml:18: spec.grants.http[3].proxy.url: `proxy:3128` is not a valid proxy",
        "r.yaml:19: spec.grants.http[3].trust.pem: has no certificate",
        "r.yaml:20: spec.grants.http[3].skipVerifyIf: `{subject.status.x}`",
        "r.yaml:21: spec.grants.http[4].proxy: is empty",
        "r.yaml:21: spec.grants.http[4].trust: is empty",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "{start} not in {problems:#?}");
    }
    assert_eq!(problems.len(), 13, "{problems:#?}");
}

#[test]
fn all_problems_of_a_credential_are_reported_with_lines() {
    let bad = "  grants:
    http:
      - {host: a.example.com, credentials: [token]}
    credentials:
      token:
        secret: {namespace: '{subject.spec.namespace}', name: A, key: a/b}
        header: Host
        scheme: a b
      stray:
        secret: {namespace: a, name: b, key: c}
";
    let problems = problems(&reconciler("a", bad));
    for start in [
        "r.yaml:13: spec.grants.credentials.token.secret.namespace: `{subject.spec.namespace}` is not a valid",
        "r.yaml:13: spec.grants.credentials.token.secret.name: `A` is not a valid name of a Secret",
        "r.yaml:13: spec.grants.credentials.token.secret.key: `a/b` is not a valid key",
        "r.yaml:14: spec.grants.credentials.token.header: `host` is not a valid header for a credential",
        "r.yaml:15: spec.grants.credentials.token.scheme: `a b` is not a valid scheme",
        "r.yaml:16: spec.grants.credentials.stray: is not used by any host",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "{start} not in {problems:#?}");
    }
    assert_eq!(problems.len(), 6, "{problems:#?}");
}
