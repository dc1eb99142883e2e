//! Comparison of the client's rendering with istioctl's.

use std::collections::BTreeMap;

use mizzen_istio_tests::{Istioctl, identity};
use serde_json::Value;

use super::Client;

/// The version that both are built as.
pub const VERSION: &str = "1.31.1";

/// Objects by identity.
pub type Rendered = BTreeMap<String, Value>;

/// Both, or `None` if Go is missing.
pub fn both() -> Option<(Client, Istioctl)> {
    Client::for_test(VERSION).zip(Istioctl::for_test(VERSION))
}

/// Objects by identity; each must exist once.
pub fn by_identity(all: Vec<Value>) -> Rendered {
    let count = all.len();
    let by: Rendered = all.into_iter().map(|object| (identity(&object), object)).collect();
    assert_eq!(by.len(), count, "an object is there twice");
    by
}

/// Renders an `IstioOperator` in both, and compares object by object.
pub fn compare(client: &Client, istioctl: &Istioctl, operator: &Value, case: &str) -> Rendered {
    let rendering = client.render(operator);
    assert_eq!(rendering.messages("error"), [], "{case}");
    let ours = by_identity(rendering.items);
    let theirs = by_identity(istioctl.generate(operator).unwrap_or_else(|error| panic!("{case}: {error}")));
    let names = |objects: &Rendered| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{case}: not the same objects");
    for (name, theirs) in &theirs {
        assert_eq!(&ours[name], theirs, "{case}: {name}");
    }
    ours
}
