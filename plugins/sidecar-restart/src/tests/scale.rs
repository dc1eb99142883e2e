//! The cost of many pods.

use mizzen_model::{Fields, Object};

use super::*;

/// A pod as Istio 1.31 injects it, with an application container of a usual size.
fn injected() -> Value {
    let text = include_str!("injected.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn only_a_few_fields_of_a_pod_are_read_and_none_of_its_application() {
    let whole = Object::new(injected(), &Fields::Whole).unwrap().json().len();
    let read = Object::new(injected(), &Fields::parse(pod::PATHS).unwrap()).unwrap();
    assert!(
        read.json().len() < 1_300 && read.json().len() * 6 < whole,
        "{} of {whole}: {}",
        read.json().len(),
        read.json()
    );
    assert!(!read.json().contains("password"), "an application's environment is its own affair");
    let pod: Pod = serde_json::from_str(read.json()).unwrap();
    assert!(pod.is_ready() && pod.proxy().is_some() && pod.has_init("istio-validation"));
}

#[test]
fn memory_grows_with_workloads_and_not_with_their_pods() {
    let config = Config::default();
    let kept = |pods: usize| {
        let mut restarts = Restarts::new(MARK, "e", &config.pace);
        for at in 0..pods {
            let mut object = pod(OLD);
            object["metadata"]["name"] = json!(format!("cart-1-{at:04}"));
            object["metadata"]["ownerReferences"][0]["name"] = json!(format!("cart-{}", at % 10));
            let pod: Pod = serde_json::from_value(object).unwrap();
            let pod::Metadata { name, namespace, uid, owner_references: owners, .. } = pod.metadata;
            let (what, causes) = ("its image is old", &["image"]);
            let finding = Finding { what, causes, ready: true, excluded: false, mark: None };
            restarts.add(mizzen_workloads::Pod { namespace, name, uid, owners }, &finding);
        }
        (restarts.len(), format!("{restarts:?}").len())
    };
    let (few, many) = (kept(20), kept(2_000));
    assert_eq!((few.0, many.0), (10, 10));
    assert_eq!(few.1, many.1, "the same workloads, the same memory");
}
