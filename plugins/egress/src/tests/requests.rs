//! Requests to the Dynatrace API, and what follows from the responses.

use std::sync::Mutex;

use mizzen_sdk::AccessError;
use mizzen_sdk::http::Request;

use super::*;

/// An earlier response.
fn known() -> String {
    kube_with("", "https://gate.example.com:9999", "https://old.example.com:443")
}

/// The requests for a DynaKube, and the outcome, if each gets this response.
fn requests(
    kube: &str,
    respond: impl Fn(&Request) -> Result<Response, AccessError> + Send + Sync + 'static,
) -> (Vec<Request>, Outcome) {
    let sent = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&sent);
    let cluster = Cluster::new().with_http("https://", move |request| {
        seen.lock().unwrap().push(request.clone());
        respond(request)
    });
    let outcome = reconciled(cluster, kube);
    let sent = sent.lock().unwrap().clone();
    (sent, outcome)
}

fn named(host: &str) -> Response {
    Response::of_json(&json!({"communicationEndpoints": [format!("https://{host}")]}))
}

/// Checks that the last response stays in force, and what is reported.
fn kept(outcome: &Outcome) -> &str {
    assert!(names(outcome).len() == 6 && !outcome.so_far, "{:?}", names(outcome));
    assert_eq!(spec(outcome, "ServiceEntry", "prod-fqdn-activegate")["hosts"], json!(["gate.example.com"]));
    assert_eq!(spec(outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["old.example.com"]));
    let status = outcome.status.as_ref().unwrap();
    assert_eq!(
        status["oneAgent"]["connectionInfoStatus"],
        json!({"endpoints": "https://old.example.com:443", "tenantUUID": "abc"})
    );
    let (status, _, message) = reported(outcome, "IstioForOneAgent").unwrap();
    assert_eq!(status, Some(true));
    assert!(matches!(outcome.readiness, Readiness::Warning(_)), "{:?}", outcome.readiness);
    message
}

#[test]
fn the_entry_for_the_api_exists_before_a_request_is_sent() {
    let sent = std::sync::Arc::new(Mutex::new(0));
    let seen = std::sync::Arc::clone(&sent);
    let cluster = Cluster::new().with(&kube()).with_http("https://", move |_| {
        *seen.lock().unwrap() += 1;
        Ok(named("a.example.com"))
    });
    let outcome = testing::reconcile::<Egress>(&cluster, &kube(), &json!({})).unwrap();
    assert_eq!(names(&outcome), ["ServiceEntry prod-fqdn-operator", "VirtualService prod-fqdn-operator"]);
    assert!(outcome.so_far && matches!(outcome.readiness, Readiness::Progressing(_)));
    assert_eq!(*sent.lock().unwrap(), 0);
    let outcome = testing::reconcile::<Egress>(&cluster.with(OPEN), &kube(), &json!({})).unwrap();
    assert_eq!((outcome.readiness, *sent.lock().unwrap()), (Readiness::Ready, 2));
}

#[test]
fn requests_are_those_of_the_original() {
    let (sent, _) = requests(&kube_with("networkZone: 'eu west'", "", ""), |_| Ok(named("a.example.com")));
    let urls: Vec<_> = sent.iter().map(|request| &*request.url).collect();
    let agent = format!("{API}/agent/connectioninfo?networkZone=eu%20west&defaultZoneFallback=true");
    assert_eq!(urls, [&format!("{API}/gateway/connectioninfo"), &agent]);
    assert!(sent.iter().all(|request| request.credential.as_deref() == Some("apiToken") && request.method == "GET"));
    assert!(sent.iter().all(|request| request.timeout == Duration::from_secs(2)));
    let (sent, _) = requests(&kube(), |_| Ok(named("a.example.com")));
    assert_eq!(sent[1].url, format!("{API}/agent/connectioninfo"));
}

#[test]
fn the_threshold_is_the_maximum_age_of_a_cached_response() {
    for (spec, minutes) in [("", 15), ("dynatraceApiRequestThreshold: 60", 60), ("dynatraceApiRequestThreshold: 0", 0)]
    {
        let (sent, _) = requests(&kube_with(spec, "", ""), |_| Ok(named("a.example.com")));
        assert!(sent.iter().all(|request| request.max_age == Duration::from_mins(minutes)), "{spec}");
    }
}

#[test]
fn an_empty_response_from_the_cache_is_requested_again() {
    let (sent, outcome) = requests(&kube(), |request| {
        let empty = Response::of_json(&json!({"communicationEndpoints": []}));
        Ok(if request.max_age.is_zero() {
            named("a.example.com")
        } else {
            Response { age: Duration::from_mins(1), ..empty }
        })
    });
    let ages: Vec<_> = sent.iter().map(|request| request.max_age.as_secs()).collect();
    assert_eq!((ages, outcome.readiness), (vec![900, 0, 900, 0], Readiness::Ready));
}

#[test]
fn an_empty_response_leaves_the_last_good_one_in_force() {
    for body in [
        json!({"communicationEndpoints": []}),
        json!({"communicationEndpoints": ""}),
        json!({"communicationEndpoints": null}),
        json!({}),
    ] {
        let outcome = reconciled(responding(Response::of_json(&body), Response::of_json(&body)), &known());
        assert!(kept(&outcome).contains("the Dynatrace API reports no hosts"), "{body}");
        assert_eq!(outcome.requeue_after, Some(Duration::from_mins(1)));
    }
}

#[test]
fn an_error_status_leaves_the_last_good_response_in_force() {
    for status in [400, 401, 403, 404, 429, 500, 503] {
        let outcome = reconciled(responding(Response::of_status(status), Response::of_status(status)), &known());
        let message = kept(&outcome);
        assert!(
            message.contains(&format!(
                "as last reported: the request to the Dynatrace API failed: the server responded with status {status}"
            )),
            "{message}"
        );
        assert_eq!(outcome.requeue_after, Some(Duration::from_mins(1)));
    }
}

#[test]
fn an_invalid_response_leaves_the_last_good_one_in_force() {
    for body in
        ["", "{", "7", "<html>", r#"{"communicationEndpoints": 7}"#, r#"{"communicationEndpoints": ["ftp://a", "x"]}"#]
    {
        let garbled = || Response::of_status(200).with_body(body);
        assert!(kept(&reconciled(responding(garbled(), garbled()), &known())).contains("is not valid"), "{body}");
    }
}

#[test]
fn a_failed_request_leaves_the_last_response_in_force_and_is_retried_in_a_minute() {
    for error in [
        AccessError::Unavailable("too slow".into()),
        AccessError::Denied("the API redirects to https://foreign.example.com".into()),
        AccessError::Denied("the API is at 10.0.0.1".into()),
    ] {
        let of = error.clone();
        let (_, outcome) = requests(&known(), move |_| Err(of.clone()));
        assert!(kept(&outcome).contains(&format!("can't be reached: {error}")));
        assert_eq!(outcome.requeue_after, Some(Duration::from_mins(1)));
    }
}

#[test]
fn a_failure_of_one_endpoint_does_not_affect_the_other() {
    type Trouble = fn() -> Result<Response, AccessError>;
    let troubles: [(&str, Trouble); 6] = [
        ("larger than", || Err(AccessError::Unavailable("the response is larger than 8 bytes".into()))),
        ("no complete response", || Err(AccessError::Unavailable("no complete response within 2s".into()))),
        ("redirects to", || Err(AccessError::Denied("it redirects to another host, which is not granted".into()))),
        ("is not valid", || Ok(Response::of_status(200).with_body("{"))),
        ("status 500", || Ok(Response::of_status(500))),
        ("status 503", || Ok(Response::of_status(503))),
    ];
    for (why, trouble) in troubles {
        for (bad, kept, good, condition) in [
            ("gateway", ("activegate", "gate.example.com"), "oneagent", "IstioForActiveGate"),
            ("agent", ("oneagent", "old.example.com"), "activegate", "IstioForOneAgent"),
        ] {
            let asked_of = format!("/{bad}/");
            let (_, outcome) = requests(&known(), move |request| {
                if request.url.contains(&asked_of) { trouble() } else { Ok(named("new.example.com")) }
            });
            for (component, host) in [kept, (good, "new.example.com")] {
                let entry = spec(&outcome, "ServiceEntry", &format!("prod-fqdn-{component}"));
                assert_eq!(entry["hosts"], json!([host]), "{why} {bad}");
            }
            let (status, _, message) = reported(&outcome, condition).unwrap();
            assert!(status == Some(true) && message.contains(why), "{message}");
            assert_eq!((outcome.so_far, outcome.requeue_after), (false, Some(Duration::from_mins(1))));
        }
    }
}

#[test]
fn an_api_that_limits_requests_is_not_sent_a_second_one() {
    assert_eq!(requests(&known(), |_| Ok(Response::of_status(429))).0.len(), 1);
    assert_eq!(requests(&known(), |_| Ok(Response::of_status(404))).0.len(), 2);
}

#[test]
fn hosts_inside_the_cluster_are_a_response_that_needs_no_entries() {
    for inside in ["https://gate.dynatrace.svc:443", "https://gate.dynatrace.svc.cluster.local,ftp://b.example.com"] {
        let outcome = reconciled(naming(inside, &["https://old.example.com:443"]), &known());
        assert!(!names(&outcome).iter().any(|name| name.contains("activegate")) && !outcome.so_far, "{inside}");
        assert_eq!(reported(&outcome, "IstioForActiveGate"), None);
        assert_eq!(outcome.status.clone().unwrap()["activeGate"]["connectionInfoStatus"]["endpoints"], inside);
        assert_eq!(outcome.readiness == Readiness::Ready, !inside.contains("ftp"), "{:?}", outcome.readiness);
    }
    let mixed = reconciled(
        naming("https://gate.dynatrace.svc:443,https://g.example.com", &["https://a.example.com"]),
        &known(),
    );
    let (_, _, message) = reported(&mixed, "IstioForActiveGate").unwrap();
    assert_eq!(
        message,
        "1 hosts and addresses can be reached; `gate.dynatrace.svc` is inside the cluster: the mesh knows it already"
    );
    assert_eq!((mixed.readiness, mixed.so_far), (Readiness::Ready, false));
    let unusable = reconciled(naming("https://gate", &["https://old.example.com:443"]), &known());
    assert!(names(&unusable).contains(&"ServiceEntry prod-fqdn-activegate".to_owned()), "nothing of it was understood");
}

/// How many requests the API gets if these entries exist.
fn requests_if(there: &[String], kube: &str) -> (usize, Outcome) {
    let sent = std::sync::Arc::new(Mutex::new(0));
    let seen = std::sync::Arc::clone(&sent);
    let cluster = Cluster::new().with_http("https://", move |_| {
        *seen.lock().unwrap() += 1;
        Ok(named("a.example.com"))
    });
    let cluster = there.iter().fold(cluster.with(kube), |cluster, entry| cluster.with(entry));
    let outcome = testing::reconcile::<Egress>(&cluster, kube, &json!({})).unwrap();
    let sent = *sent.lock().unwrap();
    (sent, outcome)
}

#[test]
fn another_api_or_proxy_is_not_used_before_the_entry_leads_there() {
    let proxied = known().replace("enableIstio", "proxy: {value: 'http://proxy.example.com:3128'}, enableIstio");
    let proxy = OPEN
        .replace("prod-fqdn", "prod-tcp")
        .replace("abc.live.dynatrace.com", "old-proxy.example.com")
        .replace("number: 443, protocol: HTTPS", "number: 3128, protocol: TCP");
    let at_address = OPEN
        .replace("prod-fqdn", "prod-ip")
        .replace("hosts: [abc.live.dynatrace.com]", "hosts: [x.invalid], addresses: [192.0.2.2/32]")
        .replace("HTTPS", "TCP");
    for (kube, there) in [
        (known().replace("abc.live", "xyz.live"), vec![OPEN.to_owned()]),
        (known().replace("dynatrace.com/api", "dynatrace.com:9999/api"), vec![OPEN.to_owned()]),
        (known().replace("abc.live.dynatrace.com", "192.0.2.1"), vec![at_address]),
        (known(), vec![OPEN.replace("HTTPS", "HTTP")]),
        (proxied, vec![OPEN.to_owned(), proxy]),
    ] {
        let (sent, opening) = requests_if(&there, &kube);
        assert!(sent == 0 && opening.so_far && matches!(opening.readiness, Readiness::Progressing(_)), "{kube}");
        assert_eq!(reported(&opening, "IstioForOneAgent").unwrap().0, Some(true), "the known hosts stay");
        let opened: Vec<_> = opening.desired.iter().flatten().map(Value::to_string).collect();
        let (sent, outcome) = requests_if(&opened, &kube);
        assert_eq!((sent, outcome.so_far), (2, false), "{kube}");
    }
}

#[test]
fn an_api_in_an_older_dynakubes_entry_is_used_once_that_exists() {
    let older = kube().replace("name: prod", "name: first").replace("2026-02", "2026-01");
    let of_first = OPEN.replace("prod-", "first-");
    for there in [vec![older.clone()], vec![older.clone(), of_first.replace("abc.live", "xyz.live")]] {
        let (sent, opening) = requests_if(&there, &known());
        let awaited = "yet: ServiceEntry dynatrace/first-fqdn-operator does not contain abc.live.dynatrace.com yet";
        assert!(sent == 0 && opening.so_far, "{there:?}");
        assert!(matches!(&opening.readiness, Readiness::Progressing(why) if why.ends_with(awaited)));
    }
    assert_eq!(requests_if(&[older, of_first], &known()).0, 2);
}

#[test]
fn before_the_first_response_the_operators_entries_are_desired_and_nothing_is_pruned() {
    for response in [Response::of_status(400), Response::of_status(503)] {
        let outcome = reconciled(responding(response.clone(), response), &kube());
        assert_eq!(names(&outcome), ["ServiceEntry prod-fqdn-operator", "VirtualService prod-fqdn-operator"]);
        assert!(outcome.so_far, "what is there of the others is not known to be too much");
        assert!(matches!(&outcome.readiness,
                Readiness::Progressing(why) if why.contains("request to the Dynatrace API failed")));
    }
}

#[test]
fn entries_of_an_unknown_response_stay_while_the_api_reports_no_hosts() {
    let left = OPEN.replace("prod-fqdn-operator", "prod-ip-activegate");
    let outcome = reconciled(naming("", &["https://a.example.com"]).with(&left), &kube());
    assert!(outcome.so_far);
    assert!(!reconciled(naming("", &["https://a.example.com"]), &kube()).so_far);
}

#[test]
fn hosts_that_change_are_followed() {
    let outcome = reconciled(naming("https://gate.example.com:9999", &["https://new.example.com"]), &known());
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["new.example.com"]));
    assert_eq!(
        outcome.status.clone().unwrap()["oneAgent"]["connectionInfoStatus"]["endpoints"],
        "https://new.example.com"
    );
    assert_eq!((outcome.readiness, outcome.so_far), (Readiness::Ready, false));
}

#[test]
fn the_same_hosts_in_another_order_are_not_a_change() {
    let known = kube_with("", "", "https://a.example.com;https://b.example.com");
    let outcome = reconciled(naming("", &["https://b.example.com", "https://a.example.com"]), &known);
    assert_eq!(
        outcome.status.unwrap()["oneAgent"]["connectionInfoStatus"]["endpoints"],
        "https://a.example.com;https://b.example.com"
    );
}

#[test]
fn the_next_call_is_in_15_minutes_or_in_one() {
    let again = |cluster: Cluster| reconciled(cluster, &kube()).requeue_after.unwrap().as_secs();
    let busy = |seconds: &str| Response::of_status(429).with_header("Retry-After", seconds);
    assert_eq!(again(naming("https://g.example.com", &["https://a.example.com"])), 900);
    assert_eq!(again(naming("", &["https://a.example.com"])), 60);
    assert_eq!(again(responding(Response::of_status(503), Response::of_status(503))), 60);
    assert_eq!(again(responding(busy("1"), busy("1"))), 60);
    assert_eq!(again(responding(busy("120"), busy("120"))), 120);
    assert_eq!(again(responding(busy("86400"), busy("86400"))), 900);
}
