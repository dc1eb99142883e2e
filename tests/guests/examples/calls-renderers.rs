//! Has every renderer that is available render its configuration, and calls one that it was not granted.

use mizzen_sdk::renderers::{self, RenderError};
use mizzen_sdk::{AccessError, Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        let map = Kind::new("v1", "ConfigMap");
        Description::new("calls-renderers", "0.1.0", "Misbehaves", map.clone())
            .applies(map, "what renderers return")
            .renderer("maps")
    }

    fn reconcile(request: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let foreign = renderers::render("foreign", &request.config);
        let Err(RenderError::Access(AccessError::Denied(_))) = foreign else {
            return Ok(Outcome::failed("a renderer that is not granted returned objects"));
        };
        let mut objects = Vec::new();
        for renderer in renderers::available() {
            objects.extend(renderers::render(&renderer.name, &request.config)?);
        }
        Ok(Outcome::ready().desire(objects))
    }
}

mizzen_sdk::export!(Guest);
