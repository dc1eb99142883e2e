//! A control plane that runs: what to ask it, and how to take its API server away and give it back.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Request;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};

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

/// A control plane that runs. It ends, and its data with it, when this is dropped or the process ends.
///
/// Its methods take `&self`, so that tests can share one.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: those that talk to the API server first, the folder and the ports when nobody uses them any more.
    pub(crate) companions: Mutex<Vec<Running>>,
    pub(crate) apiserver: Mutex<Option<Running>>,
    pub(crate) etcd: Mutex<Running>,
    pub(crate) apiserver_flags: Vec<String>,
    pub(crate) credentials: Credentials,
    pub(crate) assets: Assets,
    pub(crate) folder: Folder,
    pub(crate) _ports: [Port; 3],
}

/// Why somebody got no access.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The API server gives no token.
    #[error("no token for ServiceAccount {namespace}/{name}: does it exist?")]
    Refused {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// The API server's answer holds no token.
    #[error("the API server's answer holds no token")]
    NoToken,
    /// The kubeconfig can't be written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

// === impl ControlPlane ===

impl ControlPlane {
    /// etcd and the API server alone, to which more can be added.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What most tests need: the API server with Istio's definitions and `ServiceMonitor`. See [`Builder::start_for_test`].
    pub async fn for_test() -> Option<Self> {
        Self::builder().mesh_crds(true).start_for_test().await
    }

    /// Where the API server is, e.g. `https://127.0.0.1:20002/`. The same after it was stopped and started.
    pub fn url(&self) -> &http::Uri {
        self.credentials.url()
    }

    /// The kubeconfig of a user who may do everything. It needs no other file.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.credentials.kubeconfig_path(ADMIN)
    }

    /// The bearer token of the user who may do everything.
    pub fn admin_token(&self) -> Result<&str, CredentialsError> {
        self.credentials.token(ADMIN)
    }

    /// A client that may do everything, made anew: a client belongs to the runtime, so to the test, that it is made in.
    pub fn client(&self) -> Result<Client, CredentialsError> {
        self.credentials.client(ADMIN)
    }

    /// The kubeconfig of a user named with [`Builder::user`].
    pub fn user_kubeconfig(&self, user: &str) -> Result<PathBuf, CredentialsError> {
        self.credentials.token(user).map(|_| self.credentials.kubeconfig_path(user))
    }

    /// The kubeconfig of a `ServiceAccount` that exists, as a pod under it would have: a token of its own, good for a day.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf, AccessError> {
        let token = self.service_account_token(namespace, name).await?;
        Ok(self.credentials.write_kubeconfig(&format!("account-{namespace}-{name}"), &token)?)
    }

    /// A token of a `ServiceAccount` that exists, as a kubelet would mount it for a pod: good for a day.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> Result<String, AccessError> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, namespace);
        let wish = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(24 * 60 * 60), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let refused = |source| AccessError::Refused {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            source: Box::new(source),
        };
        let answer = accounts.create_token_request(name, &PostParams::default(), &wish).await.map_err(refused)?;
        Ok(answer.status.ok_or(AccessError::NoToken)?.token)
    }

    /// Ends the API server at once, as a crash would. Nothing listens on its port until it is started again; etcd and everything else go on.
    pub fn stop_apiserver(&self) {
        drop(locked(&self.apiserver).take());
    }

    /// Starts the API server on the same port, with everything that was in it, and waits until it is ready. Does nothing if it runs.
    pub async fn start_apiserver(&self) -> Result<(), StartError> {
        {
            let mut apiserver = locked(&self.apiserver);
            if apiserver.is_none() {
                *apiserver = Some(self.run(Program::ApiServer, self.apiserver_flags.clone())?);
            }
        }
        let client = self.client()?;
        let alive = || live([&mut *locked(&self.etcd)].into_iter().chain(locked(&self.apiserver).iter_mut()));
        Ok(readiness::until("the API server", alive, || readiness::api_server(client.clone())).await?)
    }

    /// Installs the custom resource definitions of a file or folder and waits until their kinds are served. Refuses when anything else is in it.
    pub async fn install_crds(&self, path: &Path) -> Result<Vec<String>, ApplyError> {
        Applier::new(self.client()?).definitions(path).await
    }

    /// Applies every document of a YAML text server-side, definitions and namespaces first. An object whose namespace is not named goes to `default`.
    /// Returns what was applied, e.g. `Service default/web`.
    pub async fn apply_yaml(&self, text: &str) -> Result<Vec<String>, ApplyError> {
        Applier::new(self.client()?).text(text).await
    }

    /// Like [`Self::apply_yaml`], for a file, or for every YAML and JSON file in a folder and those below it.
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

    /// What was written since the API server started, by its own count. Compare two readings with [`WriteCounts::since`].
    pub async fn writes(&self) -> Result<WriteCounts, WritesError> {
        WriteCounts::parse(&self.metrics().await?)
    }

    /// A port of loopback for something that runs beside the control plane: nothing else on this machine takes it until the value is dropped.
    pub fn port(&self) -> Result<Port, PortError> {
        Port::take(self.assets.ports())
    }

    /// The programs that run, with their process ids.
    pub fn pids(&self) -> Vec<(Program, u32)> {
        let (etcd, apiserver, companions) = (locked(&self.etcd), locked(&self.apiserver), locked(&self.companions));
        let running = [&*etcd].into_iter().chain(apiserver.iter()).chain(companions.iter());
        running.map(|running| (running.program(), running.pid())).collect()
    }

    /// What a program has said so far, and goes on to say. The file goes with the control plane.
    pub fn log_path(&self, program: Program) -> PathBuf {
        log_path(self.folder.path(), program)
    }

    pub(crate) fn run(&self, program: Program, flags: Vec<String>) -> Result<Running, StartError> {
        run(&self.assets, self.folder.path(), program, flags)
    }

    pub(crate) fn add(&self, running: Running) {
        locked(&self.companions).push(running);
    }

    pub(crate) fn companions_live(&self) -> Result<(), ReadyError> {
        live(locked(&self.companions).iter_mut())
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

/// Fails with what a program said last, if one has ended.
fn live<'a>(programs: impl Iterator<Item = &'a mut Running>) -> Result<(), ReadyError> {
    for running in programs {
        if let Some(status) = running.exited() {
            return Err(ReadyError::Ended { program: running.program(), status, tail: running.tail() });
        }
    }
    Ok(())
}

/// What is behind a lock stays whole: nothing that holds one of these can leave it half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
