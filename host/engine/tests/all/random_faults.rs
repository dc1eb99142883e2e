//! Faults that random plans found, each reduced to its steps.

use crate::support::{Stage, a_map, a_shop, desires, map_ref, memory, plugin, put, shop};
use mizzen_cluster::ReadError;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn drift_while_the_subjects_can_not_be_read_is_repaired_when_they_can() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, _) = plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({"a": "1"}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    memory.fail_reads(&shop(), Some(ReadError::NotServed(shop())));
    stage.engine.settled().await;
    memory.remove(&map_ref("a", "m"));
    stage.engine.settled().await;
    memory.fail_reads(&shop(), None);
    stage.engine.settled().await;
    assert_eq!(stage.data("m"), Some(json!({"a": "1"})), "the key was enqueued while no subject could be read");
}
