//! What is not known is not taken for what does not exist.

use std::time::Duration;

use mizzen_cluster::ReadError;
use mizzen_faults::cluster::WriteFault;
use mizzen_faults::run::Stage;
use mizzen_faults::world::{config_map, map_ref, shop_ref};
use serde_json::json;

const LONG: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn an_object_whose_create_took_effect_after_its_subject_was_deleted_is_pruned_before_the_finalizer_goes() {
    let stage = Stage::new(1);
    stage.settle().await;
    // The finalizer is added, and the create gets no response.
    stage.cluster().next_writes([None, Some(WriteFault::Late(Duration::from_secs(20)))]);
    stage.put_shop("x", &json!({"far": {"one": "1"}}));
    stage.after(Duration::from_millis(50)).await;
    stage.memory().remove(&shop_ref("x"));
    stage.after(Duration::from_secs(10)).await;
    assert!(stage.memory().find(&shop_ref("x")).is_some(), "it is not known yet whether the object exists");
    stage.after(LONG).await;
    assert_eq!(stage.memory().find(&map_ref("far", "x-one")), None);
    assert_eq!(stage.memory().find(&shop_ref("x")), None);
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_stays_while_an_applied_kind_is_only_missing_from_discovery() {
    let stage = Stage::new(1);
    stage.put_shop("x", &json!({"far": {"one": "1"}}));
    stage.after(LONG).await;
    stage.memory().fail_reads(&config_map(), Some(ReadError::NotServed(config_map())));
    stage.memory().remove(&shop_ref("x"));
    stage.after(LONG).await;
    assert!(stage.memory().find(&shop_ref("x")).is_some(), "the API server serves the kind all the same");
    stage.memory().fail_reads(&config_map(), None);
    stage.after(LONG).await;
    assert_eq!(stage.memory().find(&map_ref("far", "x-one")), None);
    assert_eq!(stage.memory().find(&shop_ref("x")), None);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_refused_at_the_moment_stops_no_other_object_of_its_subject() {
    let stage = Stage::new(1);
    stage.settle().await;
    // The finalizer is added, and the first object is refused.
    stage.cluster().next_writes([None, Some(WriteFault::Temporary)]);
    stage.put_shop("x", &json!({"maps": {"one": "1", "two": "2"}, "far": {"one": "1"}}));
    stage.after(Duration::from_millis(50)).await;
    let exists = |namespace, name| stage.memory().find(&map_ref(namespace, name)).is_some();
    assert_eq!((exists("a", "x-one"), exists("a", "x-two"), exists("far", "x-one")), (false, true, true));
    stage.after(LONG).await;
    assert!(exists("a", "x-one"));
}
