//! Grants, names and requests of the tests.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use mizzen_http::{Client, Lookup};
use mizzen_model::http::{Fetch, Hidden, Hop, Proxy, Route, Routes, Target};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use mizzen_testhttps::Server;

/// The name of the server in most tests.
pub(crate) const NAME: &str = "api.example.com";

/// The grants of a test.
pub(crate) struct Grants {
    /// Empty: every host.
    pub(crate) hosts: Vec<String>,
    pub(crate) authorities: Vec<Arc<str>>,
    pub(crate) private: Vec<IpNet>,
    pub(crate) unverified: bool,
    pub(crate) token: Option<String>,
    pub(crate) proxy: Option<(String, Vec<IpNet>)>,
}

impl Grants {
    /// Grants every host on loopback whose certificate is of a server's authority.
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            hosts: Vec::new(),
            authorities: vec![server.authority().into()],
            private: vec!["127.0.0.0/8".parse().unwrap()],
            unverified: false,
            token: None,
            proxy: None,
        }
    }
}

#[async_trait]
impl Routes for Grants {
    fn permit(&self, target: &Target, _: Hop) -> Result<(), AccessError> {
        if self.hosts.is_empty() || self.hosts.contains(&target.host) {
            Ok(())
        } else {
            Err(AccessError::Denied(format!("{target} is not granted")))
        }
    }

    async fn route(&self, _: &Target, hop: Hop) -> Result<Route, AccessError> {
        let token = self.token.as_ref().filter(|_| hop != Hop::Elsewhere);
        Ok(Route {
            credential: token.map(|token| ("authorization".into(), Hidden::new(format!("Api-Token {token}")))),
            proxy: self.proxy.clone().map(|(url, private)| Proxy { url: Hidden::new(url), private }),
            authorities: self.authorities.clone(),
            unverified: self.unverified,
            private: self.private.clone(),
        })
    }

    fn asker(&self) -> &'static str {
        "r"
    }
}

pub(crate) fn with_token(grants: Grants, token: &str) -> Grants {
    Grants { token: Some(token.into()), ..grants }
}

/// Resolves every name to 127.0.0.1.
struct Loopback;

#[async_trait]
impl Lookup for Loopback {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

/// Resolves a name to a public address the first time, and to 127.0.0.1 from then on.
struct Rebinding(AtomicBool);

#[async_trait]
impl Lookup for Rebinding {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let again = self.0.swap(true, Ordering::Relaxed);
        Ok(vec![if again { [127, 0, 0, 1].into() } else { [1, 1, 1, 1].into() }])
    }
}

pub(crate) fn client() -> Client {
    Client::with_lookup(Arc::new(Loopback))
}

/// A client whose name service was used once already.
pub(crate) async fn rebinding() -> Client {
    let lookup = Arc::new(Rebinding(AtomicBool::new(false)));
    assert_eq!(lookup.lookup("x").await.unwrap(), [IpAddr::from([1, 1, 1, 1])]);
    Client::with_lookup(lookup)
}

pub(crate) fn request(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
        credential: Some("token".into()),
        max_age: Duration::ZERO,
        timeout: Duration::from_secs(10),
    }
}

pub(crate) async fn send(client: &Client, grants: &Grants, request: HttpRequest) -> Result<HttpResponse, AccessError> {
    client.fetch(request, grants).await
}

pub(crate) async fn get(
    client: &Client,
    grants: &Grants,
    server: &Server,
    path: &str,
) -> Result<HttpResponse, AccessError> {
    send(client, grants, request(&format!("https://{NAME}:{}{path}", server.port()))).await
}

/// The message of a request that failed.
pub(crate) fn message(response: Result<HttpResponse, AccessError>) -> String {
    match response {
        Err(error) => error.to_string(),
        Ok(response) => panic!("got status {}", response.status),
    }
}

/// The message once a server that is ending has ended.
pub(crate) async fn until_refused(client: &Client, grants: &Grants, url: &str) -> String {
    loop {
        if let Err(error) = send(client, grants, request(url)).await {
            return error.to_string();
        }
        tokio::task::yield_now().await;
    }
}
