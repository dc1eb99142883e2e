//! Policies under real traffic: what an `IngressTrait` and an `ExposedAPI` ask to be refused is refused by a real Envoy that a real istiod
//! configures, and what they let in is let in.
//!
//! Nobody has certificates here, so nobody knows callers by mutual TLS; who they are is told by tokens, which the gateway verifies itself.

use mizzen_e2e::ingress::Ingress;
use mizzen_e2e::{TestGroup, eventually, shipped};
use mizzen_traffic::{Answer, Backend, Request};
use serde_json::{Value, json};

const SHOP: &str = "shop.example.com";
const APIS: &str = "apis.example.com";

/// Whom the gateway believes: a key made for this test, and thrown away with two tokens signed.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"test","x":"Q9uPkQEa_Mnuhds1NAsK6sOKiIUwAZRYFQb5TycnJAQ","y":"ux6pKXthseMT15alpyhOLnGGHhcio9MN5mRadCZF9rk"}]}"#;
/// Issuer `https://login.example.com`, subject and role `admin`, for ever.
const ADMIN: &str = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6InRlc3QifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwic3ViIjoiYWRtaW4iLCJyb2xlIjoiYWRtaW4ifQ.ilHVTHesiJENlp0klAbcmXcoNkKWBRmAXzfac7HyW_DcPxv9uYWpgDgxCWU73NNp2g-Lo9oX-BtmInA9amM3FA";
/// The same of `guest`.
const GUEST: &str = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6InRlc3QifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwic3ViIjoiZ3Vlc3QiLCJyb2xlIjoiZ3Vlc3QifQ.MJXxdEvEtVTpF5HZps4NqBT_T-0TaOfzzP7-PL1Xm-0PL1UzwdvFxWzuSAGs6Q0RYjphWHOVfxpeiaqYvOSnVg";

fn to(host: &str, path: &str) -> Request {
    Request::get(host, path)
}

/// What the backend `name` says of a path.
fn served(name: &str, path: &str) -> Answer {
    Answer { status: 200, body: format!("{name} {path}") }
}

/// A trait whose `/` is open to everybody, `/admin` to whoever has the role, and all below `/private` to one subject, but for `/private/open`.
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
async fn a_path_is_refused_to_whoever_its_policy_does_not_let_in_and_to_nobody_else() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Ingress::start(&["shop"], &[shipped("application-ingress")]).await else { return };
    let cart = Backend::start("cart").await.unwrap();
    mesh.serve("shop", "cart", &cart).await;
    // The application's own Gateway asks for TLS, for which nobody has a certificate here: this is the same without.
    mesh.listen("shop", "shop-store-gw", &[SHOP]).await;
    mesh.apply(&ingress()).await;
    mesh.until(&to(SHOP, "/"), |answer, _| *answer == served("cart", "/")).await;
    mesh.until(&to(SHOP, "/admin"), |answer, _| answer.status == 403).await;
    // While nobody can say who a token is of, it is nobody's.
    mesh.until(&to(SHOP, "/admin").header("authorization", ADMIN), |answer, _| answer.status == 403).await;

    mesh.apply(&json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "login", "namespace": "istio-system"},
        "spec": {"selector": {"matchLabels": {"istio": "ingressgateway"}},
                 "jwtRules": [{"issuer": "https://login.example.com", "jwks": KEYS, "forwardOriginalToken": true}]},
    }))
    .await;
    let known = to(SHOP, "/admin").header("authorization", ADMIN);
    mesh.until(&known, |answer, _| *answer == served("cart", "/admin")).await;

    let is = async |path: &str, token: Option<&str>, status: u16| {
        let request = to(SHOP, path);
        let request = if let Some(token) = token { request.header("authorization", token) } else { request };
        let (answer, _) = mesh.asks(&request).await.unwrap();
        assert_eq!(answer.status, status, "{request:?}: {answer:?}");
        assert_eq!(status == 200, answer.body.starts_with("cart "), "{request:?}: {answer:?}");
    };
    // By what the token says.
    is("/admin", Some(GUEST), 403).await;
    is("/admin?as=admin", Some(GUEST), 403).await;
    is("/admin", None, 403).await;
    // By whose it is, and for all that lies below.
    for path in ["/private", "/private/", "/private/deep/er", "/privateer"] {
        is(path, Some(ADMIN), 200).await;
        is(path, Some(GUEST), 403).await;
        is(path, None, 403).await;
    }
    // What a path within says for itself, and what is nobody's business.
    for path in ["/private/open", "/", "/admin/", "/administration"] {
        is(path, None, 200).await;
        is(path, Some(GUEST), 200).await;
    }
    // However it is written.
    for path in ["/./admin", "/x/../admin", "/%61dmin", "/private/open/../deep", "/private/%6fpen/x"] {
        is(path, Some(GUEST), 403).await;
    }
    let with_port = Request::get(&format!("{SHOP}:8443"), "/admin");
    assert_eq!(mesh.asks(&with_port).await.unwrap().0.status, 403);
    let upper = Request::get(&SHOP.to_uppercase(), "/admin");
    assert_eq!(mesh.asks(&upper).await.unwrap().0.status, 403);
    // A token that was changed is none.
    is("/", Some(&ADMIN.replace("ilHV", "ilHW")), 401).await;
}

/// The reconciler of APIs, at a host of this test.
fn api_operator() -> Value {
    let mut reconciler = shipped("api-operator");
    reconciler["spec"]["config"] = json!({"gateway": "canvas/component-gateway", "publicHostname": APIS});
    reconciler
}

fn api(name: &str, path: &str, asks: &Value) -> Value {
    let mut spec = json!({"name": name, "apiType": "openapi", "implementation": "catalog", "path": path, "port": 8080});
    spec.as_object_mut().unwrap().extend(asks.as_object().unwrap().clone());
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_requests_are_answered_for_the_origins_that_an_api_names() {
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
    for (name, path, cors) in [("answered", "/a", &cors), ("own", "/own", &own)] {
        mesh.apply(&api(name, path, &json!({"CORS": cors}))).await;
        mesh.until(&to(APIS, path), |answer, _| *answer == served("catalog", path)).await;
    }
    let preflight = |path: &str, origin: &str| {
        Request::of("OPTIONS", APIS, path).header("origin", origin).header("access-control-request-method", "POST")
    };
    for origin in ["https://pages.example.com", "https://a.partner.example.com"] {
        let (answer, headers) = mesh.asks(&preflight("/a/items", origin)).await.unwrap();
        assert_eq!(answer, Answer { status: 200, body: String::new() }, "the gateway answers, not the implementation");
        let said =
            [ALLOWED, "access-control-allow-credentials", "access-control-max-age"].map(|name| headers.get(name));
        assert_eq!(said, [Some(origin), Some("true"), Some("1800")]);
        assert_eq!(headers.get("access-control-allow-methods"), Some("GET,POST,HEAD,OPTIONS"));
        let (answer, headers) = mesh.asks(&to(APIS, "/a/items").header("origin", origin)).await.unwrap();
        assert_eq!((answer, headers.get(ALLOWED)), (served("catalog", "/a/items"), Some(origin)));
    }
    for origin in ["https://evil.example.com", "https://partner.example.com.evil.com", "http://pages.example.com"] {
        for request in [preflight("/a/items", origin), to(APIS, "/a/items").header("origin", origin)] {
            let (_, headers) = mesh.asks(&request).await.unwrap();
            assert_eq!(headers.get(ALLOWED), None, "{request:?}");
        }
    }
    // Of an API that answers them itself, they reach it.
    let (answer, headers) = mesh.asks(&preflight("/own/items", "https://pages.example.com")).await.unwrap();
    assert_eq!((answer, headers.get(ALLOWED)), (served("catalog", "/own/items"), None));
    let (answer, headers) = mesh.asks(&to(APIS, "/own").header("origin", "https://pages.example.com")).await.unwrap();
    assert_eq!((answer, headers.get(ALLOWED)), (served("catalog", "/own"), Some("https://pages.example.com")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_after_the_last_that_a_limit_allows_is_refused_and_those_of_other_paths_are_not() {
    const LIMIT: usize = 5;
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Ingress::start(&["canvas", "shop"], &[api_operator()]).await else { return };
    let catalog = Backend::start("catalog").await.unwrap();
    let sidecar = mesh.sidecar("shop", "catalog", &catalog).await;
    let at = |path: &str| to("catalog.shop.svc.cluster.local", path);
    mesh.until_at(sidecar.port(), &at("/"), |answer, _| *answer == served("catalog", "/")).await;
    mesh.apply(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "catalog", "namespace": "shop"},
        "spec": {"selector": {"app": "catalog"}, "ports": [{"name": "http", "port": 8080, "targetPort": sidecar.port()}]},
    }))
    .await;
    let status = async |path: &str| at(path).send(sidecar.port()).await.unwrap().0.status;
    let limit = json!({"rateLimit": {"enabled": true, "limit": LIMIT.to_string(), "interval": "pm"}});
    mesh.apply(&api("free", "/free", &json!({}))).await;
    // Each of a workload's APIs has a limit of its own.
    for (name, path) in [("limited", "/limited"), ("second", "/second")] {
        mesh.apply(&api(name, path, &limit)).await;
        eventually("the sidecar keeps the limit", async || {
            sidecar.goes_by(&format!("envoy.filters.http.local_ratelimit.{name}")).await
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
    mesh.until_at(sidecar.port(), &at("/limited"), |answer, _| answer.status == 200).await;
    assert_eq!(status("/second").await, 429);
    mesh.apply(&api("second", "/second", &json!({"rateLimit": {"enabled": false}}))).await;
    mesh.until_at(sidecar.port(), &at("/second"), |answer, _| answer.status == 200).await;
}
