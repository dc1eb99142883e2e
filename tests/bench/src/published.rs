//! The objects of a published API: its route, the scraping of its metrics, its status.

use kube::api::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::{Address, ApiStatus, ApiType, Condition, Implementation, InvalidSpec, Settings, Spec, Status};

/// The objects and the status of a published API.
#[derive(Debug)]
pub struct Published {
    /// The `VirtualService`.
    pub route: Value,
    /// The `ServiceMonitor`, for metrics.
    pub monitor: Option<Value>,
    /// Its address, and whether it is ready.
    pub status: Status,
}

impl Published {
    /// Decides about an API.
    ///
    /// # Errors
    /// When its spec is invalid.
    pub fn decide(
        (namespace, name): (&str, &str),
        spec: &Spec,
        settings: &Settings,
        address: &Address,
        implementation: &Implementation,
    ) -> Result<Self, InvalidSpec> {
        spec.validate()?;
        let hostname = spec.hostname.as_deref().or(settings.public_hostname.as_deref());
        let base = hostname.or(address.ip.as_deref()).and_then(|host| address.base(host));
        let below = |path: &str| base.as_ref().map(|base| format!("{base}{path}"));
        let documented = spec.developer_ui.as_deref();
        let status = Status {
            api_status: ApiStatus {
                name: name.to_owned(),
                path: spec.path.clone(),
                port: spec.port,
                implementation: spec.implementation.clone(),
                url: below(&spec.path),
                developer_ui: documented.and_then(|ui| if ui.starts_with('/') { below(ui) } else { Some(ui.into()) }),
                ip: address.ip.clone(),
            },
            implementation: implementation.clone(),
            conditions: vec![condition(spec, implementation)],
        };
        let monitor = (spec.api_type != ApiType::Other).then(|| service_monitor(spec, namespace, name));
        let route = virtual_service(spec, namespace, name, hostname, &settings.gateway);
        Ok(Self { route, monitor, status })
    }
}

/// The resource of routes.
pub fn virtual_service_kind() -> ApiResource {
    let kind = GroupVersionKind::gvk("networking.istio.io", "v1", "VirtualService");
    ApiResource::from_gvk_with_plural(&kind, "virtualservices")
}

/// The resource by which metrics are scraped.
pub fn service_monitor_kind() -> ApiResource {
    let kind = GroupVersionKind::gvk("monitoring.coreos.com", "v1", "ServiceMonitor");
    ApiResource::from_gvk_with_plural(&kind, "servicemonitors")
}

fn condition(spec: &Spec, implementation: &Implementation) -> Condition {
    let (status, reason, message) = if implementation.ready {
        ("True", "Ready", String::new())
    } else {
        ("False", "Progressing", format!("no endpoint of Service {} is ready", spec.implementation))
    };
    Condition {
        kind: "Ready".into(),
        status: status.into(),
        reason: reason.into(),
        message,
        last_transition_time: String::new(),
    }
}

fn virtual_service(spec: &Spec, namespace: &str, name: &str, hostname: Option<&str>, gateway: &str) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "hosts": [hostname.unwrap_or("*")],
            "gateways": [gateway],
            "http": [{
                "match": matches(&spec.path),
                "route": [{"destination": {"host": spec.implementation, "port": {"number": spec.port}}}],
            }],
        },
    })
}

fn service_monitor(spec: &Spec, namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "selector": {"matchLabels": {"name": spec.implementation}},
            "endpoints": [{"path": spec.path, "interval": "15s", "scheme": "http", "targetPort": spec.port}],
        },
    })
}

/// Matches the path and all paths below it.
fn matches(path: &str) -> Value {
    match path.trim_end_matches('/') {
        "" => json!([{"uri": {"prefix": "/"}}]),
        path => json!([{"uri": {"exact": path}}, {"uri": {"prefix": format!("{path}/")}}]),
    }
}

#[cfg(test)]
mod tests {
    use mizzen_plugin_api_operator::ApiOperator;
    use mizzen_sdk::testing::{self, Cluster};

    use super::*;
    use crate::{ExposedApi, Port};

    /// For an API without endpoints, in a mesh with an address.
    #[test]
    fn the_native_code_desires_the_objects_of_the_plugin() {
        let mesh = "{apiVersion: v1, kind: Service, metadata: {name: in, namespace: x, \
                     labels: {istio: ingressgateway}}, \
                     status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}}\n---\n\
                    {apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g, namespace: x}, \
                     spec: {servers: [{port: {number: 8443, protocol: HTTPS}}]}}";
        let cluster = Cluster::new().with(mesh);
        let address =
            Address { ip: Some("192.0.2.7".into()), listener: Some(Port { number: 8443, protocol: "HTTPS".into() }) };
        for (kind, hostname) in [("prometheus", None), ("openapi", Some("apis.example.com"))] {
            let subject = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
                "metadata": {"name": "cat", "namespace": "shop"},
                "spec": {"apiType": kind, "implementation": "cats", "path": "/a", "port": 80, "developerUI": "/docs"}});
            let config = json!({"gateway": "x/g", "publicHostname": hostname});
            let plugin = testing::reconcile::<ApiOperator>(&cluster, &subject.to_string(), &config).unwrap();
            let api: ExposedApi = serde_json::from_value(subject).unwrap();
            let settings: Settings = serde_json::from_value(config).unwrap();
            let native =
                Published::decide(("shop", "cat"), &api.spec, &settings, &address, &Implementation::default()).unwrap();
            let objects: Vec<_> = [native.route].into_iter().chain(native.monitor).collect();
            assert_eq!(plugin.desired, Some(objects));
            let mut status = serde_json::to_value(native.status).unwrap();
            status.as_object_mut().unwrap().remove("conditions");
            // The native operator does not look up the uid of the route.
            let mut status_of_plugin = plugin.status.unwrap();
            status_of_plugin["apiStatus"].as_object_mut().unwrap().remove("uid");
            assert_eq!(status_of_plugin, status);
        }
    }
}
