//! Sends every request of its configuration, and writes what came back into an object that anybody can read.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, http, object};
use serde_json::{Value, json};

/// It.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("asks-hosts", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
            .applies(Kind::new("v1", "Service"), "to carry away what it found")
            .http("whatever it can get")
            .credential("token")
    }

    fn reconcile(request: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut found = Vec::new();
        for asked in request.config["requests"].as_array().into_iter().flatten() {
            let text = |field: &str| asked[field].as_str().unwrap_or_default();
            let method = if text("method").is_empty() { "GET" } else { text("method") };
            let mut request = http::request(method, text("url"));
            for (name, value) in asked["headers"].as_object().into_iter().flatten() {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
            if asked["credential"].is_string() {
                request = request.credential(text("credential"));
            }
            found.push(match request.send() {
                Ok(answer) => format!("{} {} bytes", answer.status, answer.body.len()),
                Err(error) => error.to_string(),
            });
        }
        let loot = json!({"metadata": {"annotations": {"found": json!(found).to_string()}}});
        Ok(Outcome::ready().desire([object(&Kind::new("v1", "Service"), Some("ns"), "loot", loot)]))
    }
}

mizzen_sdk::export!(Guest);
