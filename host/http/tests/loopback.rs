//! The client against real servers on loopback: what it asks, what it refuses, and what it makes of what servers do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::time::Duration;

use mizzen_model::AccessError;
use mizzen_testhttps::{Answer, Proxy, Server};
use serde_json::json;
use support::{Grants, NAME, client, get, message, with_token};

#[tokio::test]
async fn an_answer_is_given_whatever_its_status() {
    let server = Server::start(&[NAME], |asked| match &*asked.path {
        "/ok" => Answer::json(&json!({"a": 1})).header("x-a", "b").header("set-cookie", "s=1"),
        "/empty" => Answer::status(200),
        "/malformed" => Answer::text("{\"a\": "),
        path => Answer::status(path[1..].parse().unwrap()).header("retry-after", "60"),
    })
    .await;
    let (client, grants) = (client(), Grants::of(&server));
    let ok = get(&client, &grants, &server, "/ok").await.unwrap();
    assert_eq!((ok.status, &*ok.body, ok.age), (200, &br#"{"a":1}"#[..], Duration::ZERO));
    assert!(ok.headers.contains(&("x-a".into(), "b".into())));
    assert!(ok.headers.iter().all(|(name, _)| name != "set-cookie"), "{:?}", ok.headers);
    for status in [400, 429, 503] {
        let answer = get(&client, &grants, &server, &format!("/{status}")).await.unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.headers.contains(&("retry-after".into(), "60".into())));
    }
    assert_eq!(&*get(&client, &grants, &server, "/empty").await.unwrap().body, b"");
    assert_eq!(&*get(&client, &grants, &server, "/malformed").await.unwrap().body, b"{\"a\": ");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_told_anything() {
    let server = Server::start(&[NAME], |_| Answer::status(200)).await;
    let strangers = Grants { authorities: Vec::new(), ..Grants::of(&server) };
    let refused = message(get(&client(), &strangers, &server, "/").await);
    assert!(refused.contains("certificate"), "{refused}");
    assert!(server.asked().is_empty());
    let trusting = Grants { unverified: true, ..strangers };
    assert_eq!(get(&client(), &trusting, &server, "/").await.unwrap().status, 200);
    let other = Server::start(&["other.example.com"], |_| Answer::status(200)).await;
    let refused = message(get(&client(), &Grants::of(&other), &other, "/").await);
    assert!(refused.contains("certificate"), "the name counts: {refused}");
}

#[tokio::test]
async fn a_loopback_address_is_refused_by_name_and_by_number_unless_its_network_is_granted() {
    let server = Server::start(&[NAME, "127.0.0.1"], |_| Answer::status(200)).await;
    let public = Grants { private: Vec::new(), ..Grants::of(&server) };
    for host in [NAME, "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let url = format!("https://{host}:{}/", server.port());
        let refused = support::ask(&client(), &public, support::request(&url)).await;
        assert!(matches!(&refused, Err(AccessError::Denied(why)) if why.contains("not public")), "{host}: {refused:?}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_at_a_second_look_gains_nothing() {
    let server = Server::start(&["rebinding.example.com"], |_| Answer::status(200)).await;
    let public = Grants { private: Vec::new(), ..Grants::of(&server) };
    // The first look, at which a check beside the client would be made, gives a public address.
    let client = support::rebinding().await;
    let url = format!("https://rebinding.example.com:{}/", server.port());
    let refused = support::ask(&client, &public, support::request(&url)).await;
    assert!(matches!(refused, Err(AccessError::Denied(_))), "{refused:?}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_is_followed_where_it_is_granted_and_the_credential_stays_behind() {
    let elsewhere = Server::start(&["elsewhere.example.com"], |_| Answer::text("there")).await;
    let to = format!("https://elsewhere.example.com:{}/x", elsewhere.port());
    let server = Server::start(&[NAME], move |asked| match &*asked.path {
        "/here" => Answer::redirect("/there"),
        "/there" => Answer::text("same origin"),
        _ => Answer::redirect(&to),
    })
    .await;
    let mut grants = with_token(Grants::of(&server), "dt0c01.secret");
    grants.authorities.push(elsewhere.authority().into());
    let (client, url) = (client(), |path| format!("https://{NAME}:{}{path}", server.port()));
    let same = support::ask(&client, &grants, support::request(&url("/here"))).await.unwrap();
    assert_eq!(&*same.body, b"same origin");
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == Some("Api-Token dt0c01.secret")));
    let mut asked = support::request(&url("/away"));
    asked.headers = vec![("accept".into(), "text/plain".into()), ("x-tenant".into(), "t".into())];
    let there = support::ask(&client, &grants, asked).await.unwrap();
    assert_eq!(&*there.body, b"there");
    let told = elsewhere.asked().remove(0);
    assert_eq!(
        (told.header("authorization"), told.header("x-tenant"), told.header("accept")),
        (None, None, Some("text/plain"))
    );
}

#[tokio::test]
async fn a_redirect_out_of_what_is_granted_is_denied_and_nobody_there_is_asked() {
    let foreign = Server::start(&["foreign.example.com", "127.0.0.1"], |_| Answer::text("secret")).await;
    let port = foreign.port();
    for to in [
        format!("https://foreign.example.com:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data".into(),
        "file:///etc/passwd".into(),
    ] {
        let location = to.clone();
        let server = Server::start(&[NAME], move |_| Answer::redirect(&location)).await;
        let mut grants = Grants::of(&server);
        grants.authorities.push(foreign.authority().into());
        grants.hosts = vec![NAME.into()];
        let refused = get(&client(), &grants, &server, "/").await;
        assert!(matches!(refused, Err(AccessError::Denied(_) | AccessError::Invalid(_))), "{to}: {refused:?}");
    }
    assert!(foreign.asked().is_empty());
    let circle = Server::start(&[NAME], |_| Answer::redirect("/")).await;
    assert!(message(get(&client(), &Grants::of(&circle), &circle, "/").await).contains("more than 5 redirects"));
    assert_eq!(circle.asked().len(), 6);
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_never_ends_is_none() {
    let server = Server::start(&[NAME], |asked| match &*asked.path {
        "/huge" => Answer::huge(64),
        "/stalling" => Answer::stalling(),
        "/slow" => Answer::status(200).after(Duration::from_mins(10)),
        _ => Answer::huge(3),
    })
    .await;
    let (client, grants) = (client(), Grants::of(&server));
    assert_eq!(get(&client, &grants, &server, "/large").await.unwrap().body.len(), 3 << 20);
    assert!(message(get(&client, &grants, &server, "/huge").await).contains("larger than 4194304 bytes"));
    for path in ["/stalling", "/slow"] {
        let mut asked = support::request(&format!("https://{NAME}:{}{path}", server.port()));
        asked.timeout = Duration::from_millis(200);
        let late = message(support::ask(&client, &grants, asked).await);
        assert!(late.contains("no whole answer within 200ms"), "{late}");
    }
}

#[tokio::test]
async fn a_token_that_comes_back_is_not_handed_over() {
    let server = Server::start(&[NAME], |asked| {
        let token = asked.header("authorization").unwrap_or("none").to_owned();
        match &*asked.path {
            "/body" => Answer::text(&format!("you said {token}")),
            "/header" => Answer::status(200).header("x-echo", &token),
            "/redirect" => Answer::redirect(&format!("/x?t={}", token.rsplit(' ').next().unwrap())),
            _ => Answer::text("fine"),
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
async fn an_answer_is_kept_for_those_who_have_the_same_credential_and_no_longer_than_they_like() {
    let server = Server::start(&[NAME], |asked| Answer::text(asked.path.as_str())).await;
    let (client, one, two) =
        (client(), with_token(Grants::of(&server), "token-one"), with_token(Grants::of(&server), "token-two"));
    let mut asked = support::request(&format!("https://{NAME}:{}/x", server.port()));
    asked.max_age = Duration::from_mins(1);
    for (grants, requests) in [(&one, 1), (&one, 1), (&two, 2), (&one, 2), (&two, 2)] {
        support::ask(&client, grants, asked.clone()).await.unwrap();
        assert_eq!(server.asked().len(), requests);
    }
    asked.max_age = Duration::ZERO;
    support::ask(&client, &one, asked.clone()).await.unwrap();
    assert_eq!(server.asked().len(), 3);
    server.answers(|_| Answer::status(503));
    asked.url.push('y');
    asked.max_age = Duration::from_mins(1);
    for requests in [4, 5] {
        assert_eq!(support::ask(&client, &one, asked.clone()).await.unwrap().status, 503);
        assert_eq!(server.asked().len(), requests, "an error is not kept");
    }
}

#[tokio::test]
async fn what_authenticates_and_what_belongs_to_the_connection_can_not_be_smuggled_in() {
    let server = Server::start(&[NAME], |_| Answer::status(200)).await;
    let grants = Grants::of(&server);
    for (name, value) in [
        ("Authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("Host", "other"),
        ("Transfer-Encoding", "chunked"),
        ("x-a", "b\r\nauthorization: Bearer x"),
        ("x-a\r\nauthorization", "Bearer x"),
    ] {
        let mut asked = support::request(&format!("https://{NAME}:{}/", server.port()));
        asked.headers.push((name.into(), value.into()));
        let refused = support::ask(&client(), &grants, asked).await;
        assert!(matches!(refused, Err(AccessError::Denied(_) | AccessError::Invalid(_))), "{name}: {refused:?}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_host_and_its_own_address_has_to_be_granted() {
    let server = Server::start(&["behind.example.com"], |_| Answer::text("through")).await;
    let proxy = Proxy::to(server.port()).await;
    let url = format!("http://user:pass@127.0.0.1:{}", proxy.port());
    let granted = Grants {
        private: Vec::new(),
        proxy: Some((url.clone(), vec!["127.0.0.0/8".parse().unwrap()])),
        ..Grants::of(&server)
    };
    let asked = || support::request("https://behind.example.com/x");
    let answer = support::ask(&client(), &granted, asked()).await.unwrap();
    assert_eq!(&*answer.body, b"through");
    let head = proxy.asked().remove(0);
    assert!(
        head.starts_with("CONNECT behind.example.com:443 ") && head.to_lowercase().contains("proxy-authorization"),
        "{head}"
    );
    assert!(server.asked()[0].header("proxy-authorization").is_none());
    let refused = Grants { proxy: Some((url, Vec::new())), ..granted };
    let refused = support::ask(&client(), &refused, asked()).await;
    assert!(matches!(&refused, Err(AccessError::Denied(why)) if !why.contains("pass")), "{refused:?}");
}

#[tokio::test]
async fn nobody_there_is_no_answer_and_says_where() {
    let server = Server::start(&[NAME], |_| Answer::status(200)).await;
    let grants = Grants::of(&server);
    let url = format!("https://{NAME}:{}/x?secret=1", server.port());
    drop(server);
    let gone = support::until_refused(&client(), &grants, &url).await;
    assert!(gone.contains(NAME) && gone.contains("no connection") && !gone.contains("secret"), "{gone}");
}
