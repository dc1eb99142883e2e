//! Sends every request of its configuration, and writes the responses into an object that other users can read.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, http, object};
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("sends-requests", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
            .applies(Kind::new("v1", "Service"), "to exfiltrate the responses")
            .http("every host it can reach")
            .credential("token")
    }

    fn reconcile(request: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut found = Vec::new();
        for wanted in request.config["requests"].as_array().into_iter().flatten() {
            let text = |field: &str| wanted[field].as_str().unwrap_or_default();
            let method = if text("method").is_empty() { "GET" } else { text("method") };
            let mut request = http::request(method, text("url"));
            for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
            if wanted["credential"].is_string() {
                request = request.credential(text("credential"));
            }
            found.push(match request.send() {
                Ok(response) => format!("{} {} bytes", response.status, response.body.len()),
                Err(error) => error.to_string(),
            });
        }
        let loot = json!({"metadata": {"annotations": {"found": json!(found).to_string()}}});
        Ok(Outcome::ready().desire([object(&Kind::new("v1", "Service"), Some("ns"), "loot", loot)]))
    }
}

mizzen_sdk::export!(Guest);
