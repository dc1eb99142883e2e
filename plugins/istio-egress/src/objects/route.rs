//! The VirtualService of an entry: traffic to a host goes to that host.

use serde_json::{Value, json};

use super::pack::Entry;
use super::{Scope, virtual_service};
use crate::{Host, Port, Protocol, Target};

/// The routes of an entry; `None` if none of its protocols names a host.
pub(super) fn of(scope: &Scope, name: &str, entry: &Entry<'_>) -> Option<Value> {
    let (mut hosts, mut tls, mut http) = (Vec::new(), Vec::new(), Vec::new());
    for (target, ports) in &entry.targets {
        let Target::Host(host) = target else { continue };
        let before = tls.len() + http.len();
        for (&port, protocol) in *ports {
            let number = port.number();
            match protocol {
                Protocol::Https | Protocol::Tls => {
                    tls.push(route(&json!({"port": number, "sniHosts": [host.as_str()]}), host, port));
                }
                Protocol::Http => {
                    let authority = json!({"regex": authority(host, port)});
                    http.push(route(&json!({"port": number, "authority": authority}), host, port));
                }
                Protocol::Tcp => {}
            }
        }
        if tls.len() + http.len() > before {
            hosts.push(host.as_str());
        }
    }
    if hosts.is_empty() {
        return None;
    }
    let mut spec = json!({"hosts": hosts});
    for (kind, routes) in [("tls", tls), ("http", http)] {
        if !routes.is_empty() {
            spec[kind] = json!(routes);
        }
    }
    Some(scope.object(&virtual_service(), name, spec))
}

fn route(of: &Value, host: &Host, port: Port) -> Value {
    let destination = json!({"host": host.as_str(), "port": {"number": port.number()}});
    json!({"match": [of], "route": [{"destination": destination}]})
}

/// A pattern for the `authority` of requests to this host. Routes of a VirtualService apply to all
/// its hosts: a match on the port alone would take the requests to every other host, too.
fn authority(host: &Host, port: Port) -> String {
    format!("(?i){}(:{port})?", host.as_str().replace('.', r"\."))
}
