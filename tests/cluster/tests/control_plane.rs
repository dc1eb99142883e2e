//! The control plane itself: it is real, its API server can be stopped and started, its counts are right.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in what its cases share")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::pinned_kind;
use kube::{Api, Client, Config};
use mizzen_testcluster::{ApplyError, Assets, AssetsError, ControlPlane, Program};
use tokio::time::{sleep, timeout};

/// Every condition here holds within seconds, except on a machine that compiles at the same time.
const TIMEOUT: Duration = Duration::from_mins(1);

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("answer".to_owned(), "42".to_owned())])),
        ..ConfigMap::default()
    }
}

async fn client_of(kubeconfig: &Path) -> Result<Client, Box<dyn Error>> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    Ok(Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)?)
}

#[tokio::test]
async fn it_is_ready_with_the_kinds_of_istio_and_service_monitors() {
    let began = Instant::now();
    let Some(cluster) = ControlPlane::for_test().await else { return };
    println!("started in {:.1} s: {:?}", began.elapsed().as_secs_f32(), cluster.pids());

    let client = client_of(&cluster.kubeconfig_path()).await.unwrap();
    for (group, kind) in [
        ("networking.istio.io", "VirtualService"),
        ("security.istio.io", "PeerAuthentication"),
        ("monitoring.coreos.com", "ServiceMonitor"),
    ] {
        pinned_kind(&client, &GroupVersionKind::gvk(group, "v1", kind)).await.unwrap();
    }
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");

    let wrong = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {hots: [a]}}";
    let error = cluster.apply_yaml(wrong).await.unwrap_err();
    assert!(matches!(error, ApplyError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn its_objects_and_controllers_outlive_an_outage_of_the_api_server() {
    let Some(cluster) = ControlPlane::builder().controller_manager().start_for_test().await else { return };
    let url = cluster.url().clone();
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client().unwrap());
    maps.create(&PostParams::default(), &config_map("kept")).await.unwrap();

    cluster.stop_apiserver();
    maps.get("kept").await.unwrap_err();
    assert!(cluster.pids().iter().all(|(program, _)| *program != Program::ApiServer));

    cluster.start_apiserver().await.unwrap();
    assert_eq!(cluster.url(), &url);
    assert_eq!(maps.get("kept").await.unwrap().data.unwrap()["answer"], "42");

    cluster.apply_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: later}}").await.unwrap();
    let accounts = Api::<ServiceAccount>::namespaced(cluster.client().unwrap(), "later");
    let account = async {
        while accounts.get_opt("default").await.unwrap().is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, account).await.expect("the controllers create the account of the new namespace");
}

#[tokio::test]
async fn a_deployments_pod_becomes_ready_and_the_endpoint_of_its_service() {
    let began = Instant::now();
    let builder = ControlPlane::builder().controller_manager().scheduler().kwok();
    let Some(cluster) = builder.start_for_test().await else { return };
    println!("started in {:.1} s: {:?}", began.elapsed().as_secs_f32(), cluster.pids());
    let applied = cluster
        .apply_yaml(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
",
        )
        .await
        .unwrap();
    assert_eq!(applied, ["Deployment shop/web", "Service shop/web", "Namespace shop"]);

    let client = cluster.client().unwrap();
    let deployments = Api::<Deployment>::namespaced(client.clone(), "shop");
    let ready = async {
        while deployments.get("web").await.unwrap().status.and_then(|status| status.ready_replicas) != Some(1) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, ready).await.expect("the deployment has a ready pod");

    let slices = Api::<EndpointSlice>::namespaced(client, "shop");
    let endpoint = async {
        loop {
            let slices = slices.list(&ListParams::default()).await.unwrap();
            let mut endpoints = slices.items.iter().flat_map(|slice| &slice.endpoints);
            if endpoints
                .any(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) == Some(true))
            {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, endpoint).await.expect("the service has a ready endpoint");
}

#[tokio::test]
async fn writes_are_counted_and_reads_are_not() {
    let Some(cluster) = ControlPlane::builder().start_for_test().await else { return };
    let maps = Api::<ConfigMap>::default_namespaced(cluster.client().unwrap());

    let before = cluster.writes().await.unwrap();
    maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
    maps.create(&PostParams::default(), &config_map("one")).await.unwrap_err();
    maps.create(&PostParams { dry_run: true, ..PostParams::default() }, &config_map("two")).await.unwrap();
    let created = cluster.writes().await.unwrap();
    let counted = created.since(&before).of_resource("configmaps");
    assert_eq!((counted.total(), counted.refused()), (1, 1), "{counted}");

    maps.get("one").await.unwrap();
    maps.list(&ListParams::default()).await.unwrap();
    let read = cluster.writes().await.unwrap();
    assert_eq!(read.since(&created).of_resource("configmaps").total(), 0, "{}", read.since(&created));

    cluster.apply_yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {answer: '43'}}").await.unwrap();
    maps.delete("one", &DeleteParams::default()).await.unwrap();
    let counted = cluster.writes().await.unwrap().since(&read).of_resource("configmaps");
    assert_eq!(counted.to_string(), "      1 Apply configmaps\n      1 Delete configmaps\n");
}

#[tokio::test]
async fn users_and_service_accounts_may_do_only_what_rbac_says() {
    let Some(cluster) = ControlPlane::builder().user("ann", &["readers"]).start_for_test().await else { return };
    cluster
        .apply_yaml(
            "
{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}
- {kind: ServiceAccount, name: robot, namespace: default}
",
        )
        .await
        .unwrap();
    let kubeconfigs = [
        cluster.user_kubeconfig("ann").unwrap(),
        cluster.service_account_kubeconfig("default", "robot").await.unwrap(),
    ];
    for kubeconfig in kubeconfigs {
        let maps = Api::<ConfigMap>::default_namespaced(client_of(&kubeconfig).await.unwrap());
        maps.list(&ListParams::default()).await.unwrap();
        let error = maps.create(&PostParams::default(), &config_map("no")).await.unwrap_err();
        assert!(matches!(&error, kube::Error::Api(status) if status.code == 403), "{error}");
    }
    assert!(cluster.user_kubeconfig("bob").is_err());
}

/// Returns a command that runs one of these tests in another process, without Go, with this cache folder.
fn again_without_go(test: &str, cache: &Path) -> Command {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env("PATH", "/nowhere").env("MIZZEN_CACHE", cache);
    again.env_remove("KUBEBUILDER_ASSETS").env_remove("CI");
    again
}

/// A test that needs only etcd and the API server.
const SMALL: &str = "users_and_service_accounts_may_do_only_what_rbac_says";

#[test]
fn a_control_plane_starts_from_the_programs_in_kubebuilder_assets() {
    let programs = [Program::Etcd, Program::ApiServer];
    let assets = match Assets::find_or_build_only(&programs, &[]) {
        Err(AssetsError::Go(error)) if error.wants_go() && std::env::var_os("CI").is_none_or(|ci| ci != "true") => {
            return eprintln!("SKIPPED: {error}");
        }
        found => found.unwrap(),
    };
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for program in programs {
        symlink(assets.program(program).unwrap(), folder.path().join(program.name())).unwrap();
    }
    // Ports are reserved in the same folder as all others.
    symlink(assets.ports(), cache.path().join("ports")).unwrap();
    let done = again_without_go(SMALL, cache.path()).env("KUBEBUILDER_ASSETS", folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && text.contains("1 passed") && !text.contains("SKIPPED"), "{text}");
}

#[test]
fn without_go_and_programs_a_test_is_skipped_with_a_message_except_in_ci() {
    let cache = tempfile::tempdir().unwrap();
    let skipped = again_without_go(SMALL, cache.path()).output().unwrap();
    let text = String::from_utf8_lossy(&skipped.stderr);
    assert!(skipped.status.success() && text.contains("SKIPPED: ") && text.contains("install Go"), "{text}");
    let failed = again_without_go(SMALL, cache.path()).env("CI", "true").output().unwrap();
    assert!(!failed.status.success());
}

#[test]
fn without_go_the_message_names_the_ways_out() {
    let empty = tempfile::tempdir().unwrap();
    let mut build = Command::new(env!("CARGO_BIN_EXE_mizzen-testcluster"));
    build.arg("build").env("PATH", empty.path()).env("MIZZEN_CACHE", empty.path()).env_remove("KUBEBUILDER_ASSETS");
    let output = build.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("install Go") && text.contains("KUBEBUILDER_ASSETS"), "{text}");
}

#[tokio::test]
async fn the_cluster_ends_with_its_command_and_its_exit_code() {
    let Some(_another) = ControlPlane::builder().controller_manager().start_for_test().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let mut up = Command::new(env!("CARGO_BIN_EXE_mizzen-testcluster"));
    up.args(["up", "--no-mesh-crds", "--kubeconfig"]).arg(&kubeconfig);
    let output = up.args(["--", "sh", "-c", "grep server: $KUBECONFIG; exit 7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let port = String::from_utf8(output.stdout).unwrap().trim().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    TcpStream::connect(("127.0.0.1", port)).expect_err("the port is closed");
    assert!(!kubeconfig.exists());
}

#[test]
fn a_kubeconfig_that_another_program_made_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    fs::write(&kubeconfig, "current-context: production").unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_mizzen-testcluster"));
    let output = up.args(["up", "--kubeconfig"]).arg(&kubeconfig).args(["--", "true"]).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(fs::read_to_string(&kubeconfig).unwrap(), "current-context: production");
}
