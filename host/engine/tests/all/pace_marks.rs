//! Marks of paces on objects, which anyone who may annotate the object can write.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use mizzen_config::{Grant, Pace};
use mizzen_model::{Access, Kind, Need, ObjectRef, Outcome, Patch, Readiness};
use serde_json::{Value, json};

use crate::support::{Stage, a_shop, memory, plugin, put};

fn deployment(name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
           "metadata": {"name": name, "namespace": "a", "annotations": annotations}, "spec": {"replicas": 1}})
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_the_future_occupies_no_place_of_a_pace() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &deployment("forged", &json!({"mizzen.dev/pace-p": "workloads 9999-12-30T00:00:00Z"})));
    put(&memory, &deployment("stale", &json!({})));
    let kind = Kind::new("apps/v1", "Deployment");
    let object = ObjectRef::new(kind.clone(), Some("a"), "stale");
    let fragment = json!({"spec": {"template": {"metadata": {"annotations": {"restarted": "1"}}}}});
    let patch = Patch { object: object.clone(), fragment, pace: Some("workloads".into()), reason: "stale".into() };
    let builder = plugin("p").with(|description, reconciler| {
        description.needs.push(Need { kind: kind.clone(), access: Access::Patch, why: String::new() });
        reconciler.grants.patch.push(Grant::everywhere(kind));
        let deadline = Duration::from_mins(10);
        let pace =
            Pace { windows: Vec::new(), at_once: NonZeroUsize::new(1), per_minute: None, progress_deadline: deadline };
        reconciler.pace = BTreeMap::from([("workloads".to_owned(), pace)]);
    });
    let (node, _) =
        builder.returns(move |_| Ok(Outcome { patches: vec![patch.clone()], ..Outcome::new(Readiness::Ready) }));
    let stage = Stage::at("2026-01-01T12:00:00Z", &memory, vec![node]).await;
    let annotations = &stage.memory.find(&object).unwrap()["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["restarted"], "1");
}
