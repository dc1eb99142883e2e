//! The objects of the plugins for traffic out of the mesh, in every shape: for Istio's commands and
//! for an API server to validate.

use mizzen_plugin_egress::Egress;
use mizzen_plugin_egress_hosts::EgressHosts;
use mizzen_sdk::http::Response;
use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Failure, Outcome};
use serde_json::{Value, json};

/// A list with a line of every kind, including lines that can't share an entry.
pub const EXTERNAL_HOSTS: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: ExternalHosts
metadata: {name: every-shape, namespace: shapes}
spec:
  hosts:
    - {host: both.example.com, port: 443, protocol: HTTPS}
    - {host: both.example.com, port: 80, protocol: HTTP}
    - {host: tls.example.com, port: 8443, protocol: TLS}
    - {host: other.example.com, port: 8443, protocol: HTTP}
    - {host: db.example.com, port: 5432, protocol: TCP, name: db}
    - {host: db2.example.com, port: 5432, protocol: TCP, name: db}
    - {host: db2.example.com, port: 443, protocol: HTTPS, name: db}
    - {host: '*.wild.example.com', port: 443, protocol: HTTPS}
    - {host: '*.wild.example.com', port: 80, protocol: HTTP}
    - {host: '*.tls.example.com', port: 8443, protocol: TLS}
    - {ip: 203.0.113.7, port: 443}
    - {ip: '2001:db8::7', port: 443, protocol: TCP}
    - {cidr: 198.51.100.0/24, port: 65535}
    - {cidr: '2001:db8:1::/48', port: 1}
";

/// A DynaKube whose proxy is a name.
const DYNAKUBE: &str = "
apiVersion: dynatrace.com/v1beta6
kind: DynaKube
metadata: {name: every.shape, namespace: shapes}
spec:
  apiUrl: https://abc.live.dynatrace.com/api
  enableIstio: true
  proxy: {value: 'http://proxy.example.com:3128'}
";

/// Everything that `egress-hosts` and `egress` desire for every shape.
///
/// # Errors
/// The plugins' own errors.
pub fn emitted() -> Result<Vec<Value>, Failure> {
    let lists = Cluster::new().with(EXTERNAL_HOSTS);
    let own = testing::reconcile::<EgressHosts>(&lists, EXTERNAL_HOSTS, &json!({"visibility": "Namespace"}))?;
    let gates = "https://gate.example.com:9999/communication,http://gate2.example.com:9999,\
        https://192.0.2.1,https://[2001:db8::1]:9999";
    let many: Vec<_> = (0..300).map(|at| format!("https://h{at}.dynatrace.example.com/communication")).collect();
    let at = "https://abc.live.dynatrace.com/api/v1/deployment/installer";
    // The entry for the API first; requests are sent once it exists.
    let opened = testing::reconcile::<Egress>(&Cluster::new().with(DYNAKUBE), DYNAKUBE, &json!({}))?;
    let opened = opened.desired.into_iter().flatten();
    let dynatrace = opened
        .fold(Cluster::new().with(DYNAKUBE), |cluster, entry| cluster.with(&entry.to_string()))
        .with_response(
            &format!("{at}/gateway/connectioninfo"),
            Response::of_json(&json!({"communicationEndpoints": gates})),
        )
        .with_response(
            &format!("{at}/agent/connectioninfo"),
            Response::of_json(&json!({"communicationEndpoints": many})),
        );
    let theirs = testing::reconcile::<Egress>(&dynatrace, DYNAKUBE, &json!({}))?;
    Ok([own, theirs].into_iter().filter_map(|outcome: Outcome| outcome.desired).flatten().collect())
}
