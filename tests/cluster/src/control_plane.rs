//! A running control plane.

use std::path::{Path, PathBuf};

use http::Request;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;

use crate::apply::{Applier, ApplyError};
use crate::assets::Assets;
use crate::builder::{Builder, StartError};
use crate::child::{Launch, Running};
use crate::credentials::{ADMIN, Credentials, CredentialsError};
use crate::folder::Folder;
use crate::ports::{Port, PortError};
use crate::program::Program;
use crate::readiness::{self, ReadyError};
use crate::writes::{WriteCounts, WritesError};

/// A running control plane. It ends, and its data is deleted, when this is dropped or the process ends.
///
/// Its methods take `&self`, so that tests can share one.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: clients of the API server first, the folder and the ports last.
    pub(crate) companions: Mutex<Vec<Running>>,
    pub(crate) apiserver: Mutex<Option<Running>>,
    pub(crate) etcd: Mutex<Running>,
    pub(crate) apiserver_flags: Vec<String>,
    pub(crate) credentials: Credentials,
    pub(crate) assets: Assets,
    pub(crate) folder: Folder,
    pub(crate) _ports: [Port; 3],
}

/// Why access was not granted.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The API server refuses a token.
    #[error("no token for ServiceAccount {namespace}/{name}: does it exist?")]
    Refused {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's error.
        source: Box<kube::Error>,
    },
    /// The API server's response has no token.
    #[error("the API server's response has no token")]
    NoToken,
    /// The kubeconfig can't be written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

// === impl ControlPlane ===

impl ControlPlane {
    /// Returns a builder with only etcd and the API server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts an API server with Istio's definitions and `ServiceMonitor`. See [`Builder::start_for_test`].
    pub async fn for_test() -> Option<Self> {
        Self::builder().mesh_crds().start_for_test().await
    }

    /// The URL of the API server, e.g. `https://127.0.0.1:20002/`; a restart does not change it.
    pub fn url(&self) -> &http::Uri {
        self.credentials.url()
    }

    /// The kubeconfig of the administrator. It needs no other file.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.credentials.kubeconfig_path(ADMIN)
    }

    /// The bearer token of the administrator.
    pub fn admin_token(&self) -> Result<&str, CredentialsError> {
        self.credentials.token(ADMIN)
    }

    /// Returns a new client of the administrator. A client belongs to the runtime in which it is made, so to one
    /// test.
    pub fn client(&self) -> Result<Client, CredentialsError> {
        self.credentials.client(ADMIN)
    }

    /// The kubeconfig of a user named with [`Builder::user`].
    pub fn user_kubeconfig(&self, user: &str) -> Result<PathBuf, CredentialsError> {
        self.credentials.token(user).map(|_| self.credentials.kubeconfig_path(user))
    }

    /// Writes a kubeconfig of an existing `ServiceAccount`, with a token for a day.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf, AccessError> {
        let token = self.service_account_token(namespace, name).await?;
        Ok(self.credentials.write_kubeconfig(namespace, name, &token)?)
    }

    /// Requests a token of an existing `ServiceAccount` for a day, as a kubelet does for a pod.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> Result<String, AccessError> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(24 * 60 * 60), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let refused = |source| AccessError::Refused {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            source: Box::new(source),
        };
        let response = accounts.create_token_request(name, &PostParams::default(), &request).await.map_err(refused)?;
        Ok(response.status.ok_or(AccessError::NoToken)?.token)
    }

    /// Kills the API server, as a crash does. Its port is closed until it is started again; everything else keeps
    /// running.
    pub fn stop_apiserver(&self) {
        drop(self.apiserver.lock().take());
    }

    /// Starts the API server on the same port and data, and waits until it is ready. Does nothing if it runs.
    pub async fn start_apiserver(&self) -> Result<(), StartError> {
        {
            let mut apiserver = self.apiserver.lock();
            if apiserver.is_none() {
                *apiserver = Some(self.run(Program::ApiServer, self.apiserver_flags.clone())?);
            }
        }
        let client = self.client()?;
        let alive = || live([&mut *self.etcd.lock()].into_iter().chain(self.apiserver.lock().iter_mut()));
        Ok(readiness::until("the API server", alive, || readiness::api_server(client.clone())).await?)
    }

    /// Installs the custom resource definitions of a file or folder, and waits until their kinds are served.
    /// Refuses any other object in it.
    pub async fn install_crds(&self, path: &Path) -> Result<Vec<String>, ApplyError> {
        Applier::new(self.client()?).definitions(path).await
    }

    /// Applies every document of a YAML text server-side, definitions and namespaces first. An object without a
    /// namespace goes to `default`. Returns the applied objects, e.g. `Service default/web`.
    pub async fn apply_yaml(&self, text: &str) -> Result<Vec<String>, ApplyError> {
        Applier::new(self.client()?).text(text).await
    }

    /// Like [`Self::apply_yaml`], for a file, or for all YAML and JSON files in a folder and below it.
    pub async fn apply_path(&self, path: &Path) -> Result<Vec<String>, ApplyError> {
        Applier::new(self.client()?).path(path).await
    }

    /// The API server's metrics, in the Prometheus text format.
    pub async fn metrics(&self) -> Result<String, WritesError> {
        let failed = |error| WritesError::NoMetrics(Box::new(error));
        let request =
            Request::get("/metrics").body(Vec::new()).map_err(|error| failed(kube::Error::HttpError(error)))?;
        self.client()?.request_text(request).await.map_err(failed)
    }

    /// The writes since the API server started, as it counts them. Compare two readings with
    /// [`WriteCounts::since`].
    pub async fn writes(&self) -> Result<WriteCounts, WritesError> {
        WriteCounts::parse(&self.metrics().await?)
    }

    /// Reserves a port of loopback for a program beside the control plane, until the value is dropped.
    pub fn port(&self) -> Result<Port, PortError> {
        Port::reserve(self.assets.ports())
    }

    /// The running programs, with their process ids.
    pub fn pids(&self) -> Vec<(Program, u32)> {
        let (etcd, apiserver, companions) = (self.etcd.lock(), self.apiserver.lock(), self.companions.lock());
        let running = [&*etcd].into_iter().chain(apiserver.iter()).chain(companions.iter());
        running.map(|running| (running.program(), running.pid())).collect()
    }

    /// The log of a program. It is deleted with the control plane.
    pub fn log_path(&self, program: Program) -> PathBuf {
        log_path(self.folder.path(), program)
    }

    pub(crate) fn run(&self, program: Program, flags: Vec<String>) -> Result<Running, StartError> {
        run(&self.assets, self.folder.path(), program, flags)
    }

    pub(crate) fn add(&self, running: Running) {
        self.companions.lock().push(running);
    }

    pub(crate) fn companions_live(&self) -> Result<(), ReadyError> {
        live(self.companions.lock().iter_mut())
    }
}

/// Starts a program of a control plane whose files are in `folder`.
pub(crate) fn run(assets: &Assets, folder: &Path, program: Program, flags: Vec<String>) -> Result<Running, StartError> {
    let path = assets.program(program)?;
    let (path, log) = (path.to_owned(), log_path(folder, program));
    Running::start(program, Launch { path, arguments: flags, environment: Vec::new(), log })
        .map_err(|source| StartError::Run { program, source })
}

fn log_path(folder: &Path, program: Program) -> PathBuf {
    folder.join(format!("{program}.log"))
}

/// Fails with the last lines of a program that has ended.
fn live<'a>(programs: impl Iterator<Item = &'a mut Running>) -> Result<(), ReadyError> {
    for running in programs {
        if let Some(status) = running.exited() {
            return Err(ReadyError::Ended { program: running.program(), status, tail: running.tail() });
        }
    }
    Ok(())
}
