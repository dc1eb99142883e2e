//! What a plugin can't have the host look up, list or keep.

use std::sync::Arc;

use mizzen_model::{AccessError, Kind, Query, Reads, Selector};
use parking_lot::Mutex;
use serde_json::json;

use crate::support::{Stage, a_map, a_shop, config_map, desires, memory, plugin, put};

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_declared_is_not_looked_up() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let looked_up = Arc::new(Mutex::new(Vec::new()));
    let results = Arc::clone(&looked_up);
    let (node, _) = plugin("p").reconciles(move |_, reads| {
        let results = Arc::clone(&results);
        async move {
            for (group, name) in [("v1", "ConfigMap"), ("example.com/v1", "Shop"), ("apps/v1", "Deployment")] {
                let result = reads.serves(&Kind::new(group, name)).await;
                results.lock().push(result.is_ok());
            }
            Ok(Ok(desires(Vec::new())))
        }
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(*looked_up.lock(), [true, true, false], "what it applies, its subject, and another one");
    assert_eq!(stage.engine.snapshots().now().await.unwrap().reads, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_reads_too_much_gets_an_error_and_prunes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["kept"]})));
    let all = || Query {
        kind: config_map(),
        namespace: None,
        labels: Selector::everything(),
        namespace_labels: Selector::everything(),
        values: None,
        fields: None,
    };
    let (node, _) = plugin("p").reads_maps().reconciles(move |shop, reads: Arc<dyn Reads>| async move {
        let error = reads.list(&all()).await.err();
        let message = match &error {
            Some(AccessError::Invalid(why)) => why.clone(),
            other => format!("{other:?}"),
        };
        let names = shop["spec"]["names"].as_array().cloned().unwrap_or_default();
        let names = names.iter().filter_map(|name| name.as_str());
        let mut maps: Vec<_> = names.map(|name| a_map("a", name, json!({}))).collect();
        maps.push(a_map("a", "said", json!({"message": message})));
        Ok(Ok(desires(maps)))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    for at in 0..130 {
        put(&memory, &a_map("b", &format!("large-{at}"), json!({"text": "x".repeat(1 << 20)})));
    }
    stage.put(&a_shop("x", json!({"names": []}))).await;
    let message = stage.data("said").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("more than 128 MiB"), "{message}");
    assert!(stage.data("kept").is_some(), "after a failed read nothing is pruned");
}
