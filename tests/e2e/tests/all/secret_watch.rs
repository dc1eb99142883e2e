//! A Secret for requests, on a real API server: watched by name, with exactly the rights of `mizzen rbac`.

use std::time::Duration;

use mizzen_cluster::{Change, Changes, Cluster, ReadError};
use mizzen_e2e::TestGroup;
use mizzen_live::{Live, LiveOptions};
use mizzen_model::{Kind, ObjectRef};
use mizzen_testcluster::ControlPlane;
use serde_json::Value;

/// Longer than any change here takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `get` and `watch`, by name: no `list`, and no other Secret.
const RIGHTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: tenant}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: host, namespace: tenant}
rules: [{apiGroups: [''], resources: [secrets], resourceNames: [api], verbs: [get, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: host, namespace: tenant}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: host}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: host}]
";

fn secret(name: &str, token: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}, namespace: tenant}}, \
          stringData: {{token: {token}}}}}"
    )
}

fn reference(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::new("v1", "Secret"), Some("tenant"), name)
}

async fn next_watched(changes: &mut Changes) -> String {
    let next = async {
        loop {
            if let Change::Watched(object) = changes.recv().await.unwrap() {
                return object.name.to_string();
            }
        }
    };
    tokio::time::timeout(TIMEOUT, next).await.unwrap()
}

async fn token(watch: &dyn mizzen_cluster::ObjectWatch) -> Option<Value> {
    Some(watch.read().await.unwrap()?.value()["data"]["token"].clone())
}

#[tokio::test]
async fn a_secret_is_watched_by_its_name_and_no_other_can_be_read() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = ControlPlane::builder().user("host", &[]).start_for_test().await else { return };
    cluster.apply_yaml(RIGHTS).await.unwrap();
    cluster.apply_yaml(&secret("other", "one")).await.unwrap();
    let kubeconfig = Some(cluster.user_kubeconfig("host").unwrap());
    let live = Live::connect(&LiveOptions { kubeconfig, context: None }).await.unwrap();
    let mut changes = live.subscribe();
    let watch = live.watch_object(&reference("api"));
    assert_eq!(token(&*watch).await, None, "it does not exist, which is not an error");
    cluster.apply_yaml(&secret("api", "one")).await.unwrap();
    assert_eq!(next_watched(&mut changes).await, "api");
    assert_eq!(token(&*watch).await, Some("b25l".into()));
    cluster.apply_yaml(&secret("api", "two")).await.unwrap();
    assert_eq!(next_watched(&mut changes).await, "api");
    assert_eq!(token(&*watch).await, Some("dHdv".into()));
    let other = live.watch_object(&reference("other"));
    assert!(matches!(other.read().await, Err(ReadError::Forbidden { .. })));
}
