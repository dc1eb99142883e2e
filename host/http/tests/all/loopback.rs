//! The client against real servers on loopback: what it sends, what it refuses, and how it treats responses.

use std::time::Duration;

use mizzen_model::AccessError;
use mizzen_testhttps::{Proxy, Response, Server};
use serde_json::json;

use crate::support::{self, Grants, NAME, client, get, message, with_token};

#[tokio::test]
async fn a_response_is_returned_whatever_its_status() {
    let server = Server::start(&[NAME], |request| match &*request.path {
        "/ok" => Response::json(&json!({"a": 1})).header("x-a", "b").header("set-cookie", "s=1"),
        "/empty" => Response::status(200),
        "/malformed" => Response::text("{\"a\": "),
        path => Response::status(path[1..].parse().unwrap()).header("retry-after", "60"),
    })
    .await;
    let (client, grants) = (client(), Grants::of(&server));
    let ok = get(&client, &grants, &server, "/ok").await.unwrap();
    assert_eq!((ok.status, &*ok.body, ok.age), (200, &br#"{"a":1}"#[..], Duration::ZERO));
    assert!(ok.headers.contains(&("x-a".into(), "b".into())));
    assert!(ok.headers.iter().all(|(name, _)| name != "set-cookie"), "{:?}", ok.headers);
    for status in [400, 429, 503] {
        let response = get(&client, &grants, &server, &format!("/{status}")).await.unwrap();
        assert_eq!(response.status, status);
        assert!(response.headers.contains(&("retry-after".into(), "60".into())));
    }
    assert_eq!(&*get(&client, &grants, &server, "/empty").await.unwrap().body, b"");
    assert_eq!(&*get(&client, &grants, &server, "/malformed").await.unwrap().body, b"{\"a\": ");
}

#[tokio::test]
async fn a_server_without_a_trusted_certificate_gets_no_request() {
    let server = Server::start(&[NAME], |_| Response::status(200)).await;
    let strangers = Grants { authorities: Vec::new(), ..Grants::of(&server) };
    let refused = message(get(&client(), &strangers, &server, "/").await);
    assert!(refused.contains("certificate"), "{refused}");
    assert!(server.requests().is_empty());
    let trusting = Grants { unverified: true, ..strangers };
    assert_eq!(get(&client(), &trusting, &server, "/").await.unwrap().status, 200);
    let other = Server::start(&["other.example.com"], |_| Response::status(200)).await;
    let refused = message(get(&client(), &Grants::of(&other), &other, "/").await);
    assert!(refused.contains("certificate"), "the name counts: {refused}");
}

#[tokio::test]
async fn a_loopback_address_is_refused_by_name_and_by_number_unless_its_network_is_granted() {
    let server = Server::start(&[NAME, "127.0.0.1"], |_| Response::status(200)).await;
    let public = Grants { private: Vec::new(), ..Grants::of(&server) };
    for host in [NAME, "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let url = format!("https://{host}:{}/", server.port());
        let refused = support::send(&client(), &public, support::request(&url)).await;
        assert!(matches!(&refused, Err(AccessError::Denied(why)) if why.contains("not public")), "{host}: {refused:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_the_second_time_is_refused() {
    let server = Server::start(&["rebinding.example.com"], |_| Response::status(200)).await;
    let public = Grants { private: Vec::new(), ..Grants::of(&server) };
    // The first resolution, at which a check beside the client would be made, returns a public address.
    let client = support::rebinding().await;
    let url = format!("https://rebinding.example.com:{}/", server.port());
    let refused = support::send(&client, &public, support::request(&url)).await;
    assert!(matches!(refused, Err(AccessError::Denied(_))), "{refused:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_is_followed_where_it_is_granted_and_without_the_credential() {
    let elsewhere = Server::start(&["elsewhere.example.com"], |_| Response::text("there")).await;
    let to = format!("https://elsewhere.example.com:{}/x", elsewhere.port());
    let server = Server::start(&[NAME], move |request| match &*request.path {
        "/here" => Response::redirect("/there"),
        "/there" => Response::text("same origin"),
        _ => Response::redirect(&to),
    })
    .await;
    let mut grants = with_token(Grants::of(&server), "dt0c01.secret");
    grants.authorities.push(elsewhere.authority().into());
    let (client, url) = (client(), |path| format!("https://{NAME}:{}{path}", server.port()));
    let same = support::send(&client, &grants, support::request(&url("/here"))).await.unwrap();
    assert_eq!(&*same.body, b"same origin");
    assert!(server.requests().iter().all(|request| request.header("authorization") == Some("Api-Token dt0c01.secret")));
    let mut request = support::request(&url("/away"));
    request.headers = vec![("accept".into(), "text/plain".into()), ("x-tenant".into(), "t".into())];
    let there = support::send(&client, &grants, request).await.unwrap();
    assert_eq!(&*there.body, b"there");
    let received = elsewhere.requests().remove(0);
    assert_eq!(
        (received.header("authorization"), received.header("x-tenant"), received.header("accept")),
        (None, None, Some("text/plain"))
    );
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_granted_is_denied_without_a_request_to_it() {
    let foreign = Server::start(&["foreign.example.com", "127.0.0.1"], |_| Response::text("secret")).await;
    let port = foreign.port();
    for to in [
        format!("https://foreign.example.com:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data".into(),
        "file:///etc/passwd".into(),
    ] {
        let location = to.clone();
        let server = Server::start(&[NAME], move |_| Response::redirect(&location)).await;
        let mut grants = Grants::of(&server);
        grants.authorities.push(foreign.authority().into());
        grants.hosts = vec![NAME.into()];
        let refused = get(&client(), &grants, &server, "/").await;
        assert!(matches!(refused, Err(AccessError::Denied(_) | AccessError::Invalid(_))), "{to}: {refused:?}");
    }
    assert!(foreign.requests().is_empty());
    let circle = Server::start(&[NAME], |_| Response::redirect("/")).await;
    assert!(message(get(&client(), &Grants::of(&circle), &circle, "/").await).contains("more than 5 redirects"));
    assert_eq!(circle.requests().len(), 6);
}

#[tokio::test]
async fn a_response_that_is_too_large_or_never_ends_is_an_error() {
    let server = Server::start(&[NAME], |request| match &*request.path {
        "/huge" => Response::huge(64),
        "/stalling" => Response::stalling(),
        "/slow" => Response::status(200).after(Duration::from_mins(10)),
        _ => Response::huge(3),
    })
    .await;
    let (client, grants) = (client(), Grants::of(&server));
    assert_eq!(get(&client, &grants, &server, "/large").await.unwrap().body.len(), 3 << 20);
    assert!(message(get(&client, &grants, &server, "/huge").await).contains("larger than 4194304 bytes"));
    for path in ["/stalling", "/slow"] {
        let mut request = support::request(&format!("https://{NAME}:{}{path}", server.port()));
        request.timeout = Duration::from_millis(200);
        let late = message(support::send(&client, &grants, request).await);
        assert!(late.contains("no complete response within 200ms"), "{late}");
    }
}

#[tokio::test]
async fn a_response_that_repeats_the_token_is_refused() {
    let server = Server::start(&[NAME], |request| {
        let token = request.header("authorization").unwrap_or("none").to_owned();
        match &*request.path {
            "/body" => Response::text(&format!("you said {token}")),
            "/header" => Response::status(200).header("x-echo", &token),
            "/redirect" => Response::redirect(&format!("/x?t={}", token.rsplit(' ').next().unwrap())),
            _ => Response::text("fine"),
        }
    })
    .await;
    let (client, grants) = (client(), with_token(Grants::of(&server), "dt0c01.secret"));
    for path in ["/body", "/header", "/redirect"] {
        let refused = message(get(&client, &grants, &server, path).await);
        assert!(refused.contains("credential") && !refused.contains("dt0c01"), "{refused}");
    }
    assert_eq!(&*get(&client, &grants, &server, "/fine").await.unwrap().body, b"fine");
}

#[tokio::test]
async fn a_response_is_cached_by_credential_and_no_longer_than_the_requests_max_age() {
    let server = Server::start(&[NAME], |request| Response::text(request.path.as_str())).await;
    let (client, one, two) =
        (client(), with_token(Grants::of(&server), "token-one"), with_token(Grants::of(&server), "token-two"));
    let mut request = support::request(&format!("https://{NAME}:{}/x", server.port()));
    request.max_age = Duration::from_mins(1);
    for (grants, requests) in [(&one, 1), (&one, 1), (&two, 2), (&one, 2), (&two, 2)] {
        support::send(&client, grants, request.clone()).await.unwrap();
        assert_eq!(server.requests().len(), requests);
    }
    request.max_age = Duration::ZERO;
    support::send(&client, &one, request.clone()).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    server.respond(|_| Response::status(503));
    request.url.push('y');
    request.max_age = Duration::from_mins(1);
    for requests in [4, 5] {
        assert_eq!(support::send(&client, &one, request.clone()).await.unwrap().status, 503);
        assert_eq!(server.requests().len(), requests, "an error is not kept");
    }
}

#[tokio::test]
async fn headers_that_authenticate_or_belong_to_the_connection_are_refused() {
    let server = Server::start(&[NAME], |_| Response::status(200)).await;
    let grants = Grants::of(&server);
    for (name, value) in [
        ("Authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("Host", "other"),
        ("Transfer-Encoding", "chunked"),
        ("x-a", "b\r\nauthorization: Bearer x"),
        ("x-a\r\nauthorization", "Bearer x"),
    ] {
        let mut request = support::request(&format!("https://{NAME}:{}/", server.port()));
        request.headers.push((name.into(), value.into()));
        let refused = support::send(&client(), &grants, request).await;
        assert!(matches!(refused, Err(AccessError::Denied(_) | AccessError::Invalid(_))), "{name}: {refused:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_proxy_connects_to_the_host_and_its_own_address_has_to_be_granted() {
    let server = Server::start(&["behind.example.com"], |_| Response::text("through")).await;
    let proxy = Proxy::to(server.port()).await;
    let url = format!("http://user:pass@127.0.0.1:{}", proxy.port());
    let granted = Grants {
        private: Vec::new(),
        proxy: Some((url.clone(), vec!["127.0.0.0/8".parse().unwrap()])),
        ..Grants::of(&server)
    };
    let request = || support::request("https://behind.example.com/x");
    let response = support::send(&client(), &granted, request()).await.unwrap();
    assert_eq!(&*response.body, b"through");
    let head = proxy.requests().remove(0);
    assert!(
        head.starts_with("CONNECT behind.example.com:443 ") && head.to_lowercase().contains("proxy-authorization"),
        "{head}"
    );
    assert!(server.requests()[0].header("proxy-authorization").is_none());
    let refused = Grants { proxy: Some((url, Vec::new())), ..granted };
    let refused = support::send(&client(), &refused, request()).await;
    assert!(matches!(&refused, Err(AccessError::Denied(why)) if !why.contains("pass")), "{refused:?}");
}

#[tokio::test]
async fn an_unreachable_server_is_reported_with_its_place() {
    let server = Server::start(&[NAME], |_| Response::status(200)).await;
    let grants = Grants::of(&server);
    let url = format!("https://{NAME}:{}/x?secret=1", server.port());
    drop(server);
    let gone = support::until_refused(&client(), &grants, &url).await;
    assert!(gone.contains(NAME) && gone.contains("no connection") && !gone.contains("secret"), "{gone}");
}
