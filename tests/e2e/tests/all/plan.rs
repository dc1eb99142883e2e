//! `mizzen plan --live`: the plan of a real cluster by a user who may only read it.

use std::path::Path;

use mizzen_e2e::{
    INGRESS_GATEWAY, Objects, Operator, TestGroup, apply, definitions, eventually, plan, plugins, repository,
};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

const NAMESPACE: &str = "components";

/// A user who may read everything and write nothing.
const READER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]
";

async fn canvas() -> Option<(ControlPlane, Objects)> {
    let cluster = definitions().user("reader", &[]).start_for_test().await?;
    for path in ["samples/mesh/00-namespaces.yaml", "samples/mesh/10-istio.yaml", INGRESS_GATEWAY, "reconcilers.yaml"] {
        cluster.apply_path(&repository("deploy").join(path)).await.unwrap();
    }
    cluster.apply_yaml(READER).await.unwrap();
    let objects = Objects(cluster.client().unwrap());
    Some((cluster, objects))
}

fn api(name: &str) -> Value {
    let spec = json!({"name": name, "implementation": "catalog", "port": 8080, "apiType": "openapi",
        "path": format!("/{name}")});
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": metadata, "spec": spec})
}

/// The verbs and kinds of the changes of a plan.
fn changes(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|change| format!("{} {}", text(&change["verb"]), text(&change["object"]["kind"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_reader_plans_on_a_live_cluster_what_the_operator_then_does() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = canvas().await else { return };
    apply(&objects.apis(NAMESPACE), &api("a")).await;
    let (plugins, reader) = (plugins(), cluster.user_kubeconfig("reader").unwrap());
    let plan = async |more: &[&Path]| plan(&reader, plugins.path(), more).await;

    let before = cluster.writes().await.unwrap();
    // The API server initializes the storage of a new kind for some seconds.
    let first = std::sync::Mutex::new(Value::Null);
    eventually("every kind can be listed, and there are changes", async || {
        let (code, planned) = plan(&[]).await;
        *first.lock().unwrap() = planned;
        code == 2
    })
    .await;
    let first = first.into_inner().unwrap();
    assert!(changes(&first).contains(&"create VirtualService".to_owned()), "{first:#}");
    assert!(text(&first["warnings"][0]).contains("mizzen-ownership does not exist"), "{first:#}");
    // The user may not write: what was tried would be counted as refused. The API server itself writes to other groups.
    let written = cluster.writes().await.unwrap().since(&before);
    for group in ["networking.istio.io", "security.istio.io", "oda.tmforum.org", "monitoring.coreos.com", "mizzen.dev"]
    {
        let written = written.of_group(group);
        assert_eq!((written.total(), written.refused()), (0, 0), "{written}");
    }
    assert!(objects.routes(NAMESPACE).get_opt("a").await.unwrap().is_none());

    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    let routes = objects.routes(NAMESPACE);
    eventually("the API is published", async || routes.get_opt("a").await.unwrap().is_some()).await;
    operator.settled().await;
    operator.stop().await;
    let (code, converged) = plan(&[]).await;
    assert_eq!((code, changes(&converged)), (0, Vec::new()), "{converged:#}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.yaml");
    std::fs::write(&file, api("b").to_string()).unwrap();
    let (code, with_file) = plan(&[Path::new("-f"), &file]).await;
    assert_eq!((code, changes(&with_file)), (2, vec!["create VirtualService".to_owned()]), "{with_file:#}");
    assert!(objects.apis(NAMESPACE).get_opt("b").await.unwrap().is_none());
}
