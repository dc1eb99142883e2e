//! Policies under real traffic: an Envoy that istiod configures refuses and accepts requests as an
//! `IngressTrait` and an `ExposedAPI` require.
//!
//! There are no certificates here, so callers are not identified by mutual TLS, but by tokens, which the
//! gateway verifies.

use mizzen_e2e::ingress::Ingress;
use mizzen_e2e::{TestGroup, eventually, shipped};
use mizzen_traffic::{Backend, Request, Response};
use serde_json::{Value, json};

const SHOP: &str = "shop.example.com";
const APIS: &str = "apis.example.com";

/// The key that the gateway trusts: made for this test; the private key signed two tokens and was deleted.
const KEYS: &str = concat!(
    r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"test","#,
    r#""x":"Q9uPkQEa_Mnuhds1NAsK6sOKiIUwAZRYFQb5TycnJAQ","#,
    r#""y":"ux6pKXthseMT15alpyhOLnGGHhcio9MN5mRadCZF9rk"}]}"#
);
/// A token of issuer `https://login.example.com`, with subject and role `admin`, without expiry.
const ADMIN: &str = concat!(
    "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6InRlc3QifQ.",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwic3ViIjoiYWRtaW4iLCJyb2xlIjoiYWRtaW4ifQ.",
    "ilHVTHesiJENlp0klAbcmXcoNkKWBRmAXzfac7HyW_DcPxv9uYWpgDgxCWU73NNp2g-Lo9oX-BtmInA9amM3FA"
);
/// The same for `guest`.
const GUEST: &str = concat!(
    "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6InRlc3QifQ.",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwic3ViIjoiZ3Vlc3QiLCJyb2xlIjoiZ3Vlc3QifQ.",
    "MJXxdEvEtVTpF5HZps4NqBT_T-0TaOfzzP7-PL1Xm-0PL1UzwdvFxWzuSAGs6Q0RYjphWHOVfxpeiaqYvOSnVg"
);

fn to(host: &str, path: &str) -> Request {
    Request::get(host, path)
}

/// Whether a response is of the backend `name`, for a path.
fn is_of(response: &Response, name: &str, path: &str) -> bool {
    response.is(200, &format!("{name} {path}"))
}

/// Returns a trait whose `/` is open, whose `/admin` needs the role, and whose `/private` and below need one
/// subject, except `/private/open`.
fn ingress() -> Value {
    let role = json!({"rules": [
        {"from": {"requestPrincipals": ["*"]}, "when": [{"key": "request.auth.claims[role]", "values": ["admin"]}]},
    ]});
    let subject = json!({"rules": [{"from": {"requestPrincipals": ["https://login.example.com/admin"]}}]});
    let paths = json!([
        {"path": "/"},
        {"path": "/admin", "authorizationPolicy": role},
        {"path": "/private", "pathType": "prefix", "authorizationPolicy": subject},
        {"path": "/private/open"},
    ]);
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app.oam.dev/name": "store"}},
        "spec": {"rules": [{"hosts": [SHOP], "paths": paths, "destination": {"host": "cart", "port": 8080}}],
                 "tls": {"secretName": "unused"}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_forbidden_to_exactly_the_callers_that_its_policy_excludes() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Ingress::start(&["shop"], &[shipped("application-ingress")]).await else { return };
    let cart = Backend::start("cart").await.unwrap();
    mesh.serve("shop", "cart", &cart).await;
    // The application's own Gateway needs a certificate for TLS: this is the same one without TLS.
    mesh.listen("shop", "shop-store-gw", &[SHOP]).await;
    mesh.apply(&ingress()).await;
    mesh.until(&to(SHOP, "/"), |response| is_of(response, "cart", "/")).await;
    mesh.until(&to(SHOP, "/admin"), |response| response.status == 403).await;
    // Without a RequestAuthentication, a token identifies no caller.
    mesh.until(&to(SHOP, "/admin").header("authorization", ADMIN), |response| response.status == 403).await;

    mesh.apply(&json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "login", "namespace": "istio-system"},
        "spec": {"selector": {"matchLabels": {"istio": "ingressgateway"}},
                 "jwtRules": [{"issuer": "https://login.example.com", "jwks": KEYS, "forwardOriginalToken": true}]},
    }))
    .await;
    let known = to(SHOP, "/admin").header("authorization", ADMIN);
    mesh.until(&known, |response| is_of(response, "cart", "/admin")).await;

    let is = async |path: &str, token: Option<&str>, status: u16| {
        let request = to(SHOP, path);
        let request = if let Some(token) = token { request.header("authorization", token) } else { request };
        let response = mesh.send(&request).await.unwrap();
        assert_eq!(response.status, status, "{request:?}: {response:?}");
        assert_eq!(status == 200, response.body.starts_with("cart "), "{request:?}: {response:?}");
    };
    // By a claim of the token.
    is("/admin", Some(GUEST), 403).await;
    is("/admin?as=admin", Some(GUEST), 403).await;
    is("/admin", None, 403).await;
    // By the token's subject, and for all paths below.
    for path in ["/private", "/private/", "/private/deep/er", "/privateer"] {
        is(path, Some(ADMIN), 200).await;
        is(path, Some(GUEST), 403).await;
        is(path, None, 403).await;
    }
    // A path below with rules of its own, and paths without a policy.
    for path in ["/private/open", "/", "/admin/", "/administration"] {
        is(path, None, 200).await;
        is(path, Some(GUEST), 200).await;
    }
    // In every spelling of the path.
    for path in ["/./admin", "/x/../admin", "/%61dmin", "/private/open/../deep", "/private/%6fpen/x"] {
        is(path, Some(GUEST), 403).await;
    }
    let with_port = Request::get(&format!("{SHOP}:8443"), "/admin");
    assert_eq!(mesh.send(&with_port).await.unwrap().status, 403);
    let upper = Request::get(&SHOP.to_uppercase(), "/admin");
    assert_eq!(mesh.send(&upper).await.unwrap().status, 403);
    // A token with a wrong signature.
    is("/", Some(&ADMIN.replace("ilHV", "ilHW")), 401).await;
}

/// Returns the reconciler of APIs, for a host of this test.
fn api_operator() -> Value {
    let mut reconciler = shipped("api-operator");
    reconciler["spec"]["config"] = json!({"gateway": "canvas/component-gateway", "publicHostname": APIS});
    reconciler
}

fn api(name: &str, path: &str, more: &Value) -> Value {
    let mut spec = json!({"name": name, "apiType": "openapi", "implementation": "catalog", "path": path, "port": 8080});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name,
        "namespace": "shop"}, "spec": spec})
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_requests_are_accepted_for_the_origins_that_an_api_names() {
    const ALLOWED: &str = "access-control-allow-origin";
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Ingress::start(&["canvas", "shop"], &[api_operator()]).await else { return };
    let catalog = Backend::start("catalog").await.unwrap();
    mesh.listen("canvas", "component-gateway", &["*"]).await;
    mesh.serve("shop", "catalog", &catalog).await;
    let origins = "https://pages.example.com, https://*.partner.example.com";
    let cors = json!({"enabled": true, "allowCredentials": true, "allowOrigins": origins});
    let mut own = cors.clone();
    own["handlePreflightRequests"] = json!({"enabled": false});
    for (name, path, cors) in [("gateway", "/a", &cors), ("own", "/own", &own)] {
        mesh.apply(&api(name, path, &json!({"CORS": cors}))).await;
        mesh.until(&to(APIS, path), |response| is_of(response, "catalog", path)).await;
    }
    let preflight = |path: &str, origin: &str| {
        Request::of("OPTIONS", APIS, path).header("origin", origin).header("access-control-request-method", "POST")
    };
    for origin in ["https://pages.example.com", "https://a.partner.example.com"] {
        let response = mesh.send(&preflight("/a/items", origin)).await.unwrap();
        assert!(response.is(200, ""), "the gateway responds, not the implementation: {response:?}");
        let headers =
            [ALLOWED, "access-control-allow-credentials", "access-control-max-age"].map(|name| response.header(name));
        assert_eq!(headers, [Some(origin), Some("true"), Some("1800")]);
        assert_eq!(response.header("access-control-allow-methods"), Some("GET,POST,HEAD,OPTIONS"));
        let response = mesh.send(&to(APIS, "/a/items").header("origin", origin)).await.unwrap();
        assert!(is_of(&response, "catalog", "/a/items"), "{response:?}");
        assert_eq!(response.header(ALLOWED), Some(origin));
    }
    for origin in ["https://evil.example.com", "https://partner.example.com.evil.com", "http://pages.example.com"] {
        for request in [preflight("/a/items", origin), to(APIS, "/a/items").header("origin", origin)] {
            let response = mesh.send(&request).await.unwrap();
            assert_eq!(response.header(ALLOWED), None, "{request:?}");
        }
    }
    // An API that handles preflight requests itself gets them.
    let response = mesh.send(&preflight("/own/items", "https://pages.example.com")).await.unwrap();
    assert!(is_of(&response, "catalog", "/own/items") && response.header(ALLOWED).is_none(), "{response:?}");
    let response = mesh.send(&to(APIS, "/own").header("origin", "https://pages.example.com")).await.unwrap();
    assert!(is_of(&response, "catalog", "/own"), "{response:?}");
    assert_eq!(response.header(ALLOWED), Some("https://pages.example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_a_rate_limit_are_refused_and_those_of_other_paths_are_not() {
    const LIMIT: usize = 5;
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Ingress::start(&["canvas", "shop"], &[api_operator()]).await else { return };
    let catalog = Backend::start("catalog").await.unwrap();
    let sidecar = mesh.sidecar("shop", "catalog", &catalog).await;
    let at = |path: &str| to("catalog.shop.svc.cluster.local", path);
    mesh.until_at(sidecar.port(), &at("/"), |response| is_of(response, "catalog", "/")).await;
    mesh.apply(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "catalog", "namespace": "shop"},
        "spec": {"selector": {"app": "catalog"}, "ports": [{"name": "http", "port": 8080,
            "targetPort": sidecar.port()}]},
    }))
    .await;
    let status = async |path: &str| at(path).send(sidecar.port()).await.unwrap().status;
    let limit = json!({"rateLimit": {"enabled": true, "limit": LIMIT.to_string(), "interval": "pm"}});
    mesh.apply(&api("free", "/free", &json!({}))).await;
    // Each of a workload's APIs has a limit of its own.
    for (name, path) in [("limited", "/limited"), ("second", "/second")] {
        mesh.apply(&api(name, path, &limit)).await;
        eventually("the sidecar applies the limit", async || {
            sidecar.is_configured_with(&format!("envoy.filters.http.local_ratelimit.{name}")).await
        })
        .await;
        let paths = [path.to_owned(), format!("{path}/items"), format!("{path}?first=1")];
        for call in 0..LIMIT {
            assert_eq!(status(&paths[call % paths.len()]).await, 200, "call {call} of {LIMIT} to {name}");
        }
        for path in &paths {
            assert_eq!(status(path).await, 429, "{path} after {LIMIT} calls");
        }
        for path in ["/", "/free", "/limitedless"] {
            assert_eq!(status(path).await, 200, "{path} has no limit");
        }
    }
    let raised = json!({"rateLimit": {"enabled": true, "limit": "1000", "interval": "pm"}});
    mesh.apply(&api("limited", "/limited", &raised)).await;
    mesh.until_at(sidecar.port(), &at("/limited"), |response| response.status == 200).await;
    assert_eq!(status("/second").await, 429);
    mesh.apply(&api("second", "/second", &json!({"rateLimit": {"enabled": false}}))).await;
    mesh.until_at(sidecar.port(), &at("/second"), |response| response.status == 200).await;
}
