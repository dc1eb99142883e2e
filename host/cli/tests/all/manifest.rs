//! The shipped Deployment starts the host with what a kubelet gives it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{deploy, mizzen_in, text};

/// An API server that has a version and serves no kinds; returns its address.
fn api_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    address
}

fn answer(mut stream: TcpStream) {
    let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let path = head.next().unwrap_or_default();
    let _headers = head.take_while(|line| !line.is_empty()).count();
    let (status, body) = if path.starts_with("GET /version ") {
        ("200 OK", r#"{"gitVersion": "v1.33.0"}"#)
    } else {
        (
            "404 Not Found",
            r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "message": "not found"}"#,
        )
    };
    let head = "content-type: application/json\r\nconnection: close";
    let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

fn kubeconfig(server: &str) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    })
    .to_string()
}

/// The arguments of the shipped Deployment, with paths below `root` and any free port.
fn arguments(root: &Path) -> Vec<String> {
    let manifest = std::fs::read_to_string(deploy("manifests/30-deployment.yaml")).unwrap();
    let deployment: Value = serde_saphyr::from_str(&manifest).unwrap();
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap();
    let root = root.display();
    args.iter()
        .map(|arg| arg.as_str().unwrap().replace("=/", &format!("={root}/")).replace("0.0.0.0:8080", "127.0.0.1:0"))
        .collect()
}

#[test]
fn the_shipped_deployment_starts_with_a_cache_volume_that_every_user_can_write_to() {
    let root = tempfile::tempdir().unwrap();
    let args = arguments(root.path());
    assert!(args[0] == "run" && args.iter().any(|arg| arg.ends_with("/cache")), "{args:?}");
    for volume in ["cache", "plugins"] {
        std::fs::create_dir(root.path().join(volume)).unwrap();
    }
    // As the kubelet makes an emptyDir of a pod with an `fsGroup`.
    let volume = root.path().join("cache");
    std::fs::set_permissions(&volume, PermissionsExt::from_mode(0o2777)).unwrap();
    let kubeconfig_file = root.path().join("kubeconfig");
    std::fs::write(&kubeconfig_file, kubeconfig(&api_server())).unwrap();
    let key_file = root.path().join("key");
    std::fs::write(&key_file, "0".repeat(64)).unwrap();
    let mut mizzen = mizzen_in(root.path());
    let mizzen = mizzen.env_remove("MIZZEN_CACHE_DIR").args(args).arg("--ownership-key").arg(key_file);
    let done = mizzen.arg("--kubeconfig").arg(kubeconfig_file).output().unwrap();
    let log = text(&done.stderr);
    assert!(log.contains("serving /livez"), "{log}");
    assert!(log.contains("apply `mizzen crd`") && !log.contains("cache"), "only the CRDs are missing: {log}");
    let folders = std::fs::read_dir(&volume).unwrap().map(|entry| entry.unwrap());
    let modes: Vec<_> = folders.map(|folder| folder.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o700], "one folder, for the host alone");
}
