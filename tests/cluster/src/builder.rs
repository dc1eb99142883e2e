//! The parts of a control plane, and its start.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io;
use std::path::PathBuf;

use futures::future::try_join;
use parking_lot::Mutex;
use serde_json::json;

use crate::apply::ApplyError;
use crate::assets::{Assets, AssetsError, Manifests};
use crate::control_plane::{self, ControlPlane};
use crate::credentials::{ADMIN, Credentials, CredentialsError};
use crate::flags::{self, ServiceAccounts};
use crate::folder::Folder;
use crate::kwok::{self, Jobs};
use crate::ports::{Port, PortError};
use crate::program::Program;
use crate::readiness::{self, ReadyError};

/// The node that kwok simulates.
const NODE: &str = "kwok-0";

/// The parts of a control plane besides etcd and the API server.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    programs: BTreeSet<Program>,
    mesh_crds: bool,
    service_monitors: bool,
    jobs: Jobs,
    crds: Vec<PathBuf>,
    users: BTreeMap<String, Vec<String>>,
}

/// Why a control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A program or manifest is missing.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// No port is free.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// Keys, certificates or kubeconfig files can't be written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The folder can't be created.
    #[error("can't create a folder for the control plane's files")]
    Folder(#[source] io::Error),
    /// A program can't be run.
    #[error("can't run {program}")]
    Run {
        /// The program.
        program: Program,
        /// The cause.
        source: io::Error,
    },
    /// Something did not become ready.
    #[error(transparent)]
    NotReady(#[from] ReadyError),
    /// The definitions or the node were not applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The address of the API server is invalid.
    #[error("the address of the API server is invalid")]
    Address(#[from] http::uri::InvalidUri),
}

// === impl Builder ===

impl Builder {
    /// Adds kube-controller-manager: garbage collection by owner, Deployments, EndpointSlices of Services,
    /// `ServiceAccount`s, the deletion of namespaces.
    #[must_use]
    pub fn controller_manager(self) -> Self {
        self.with(Program::ControllerManager)
    }

    /// Adds kube-scheduler, which gives pods their node.
    #[must_use]
    pub fn scheduler(self) -> Self {
        self.with(Program::Scheduler)
    }

    /// Adds kwok, with a node `kwok-0` on which every pod is Running and Ready at once.
    #[must_use]
    pub fn kwok(self) -> Self {
        self.with(Program::Kwok)
    }

    /// Installs Istio's custom resource definitions and that of `ServiceMonitor`, as their projects release them.
    #[must_use]
    pub fn mesh_crds(mut self) -> Self {
        self.mesh_crds = true;
        self
    }

    /// Installs the definition of `ServiceMonitor` without Istio's.
    #[must_use]
    pub fn service_monitors(mut self) -> Self {
        self.service_monitors = true;
        self
    }

    /// Keeps the pods of Jobs running; by default they complete at once.
    #[must_use]
    pub fn endless_jobs(mut self) -> Self {
        self.jobs = Jobs::Endless;
        self
    }

    /// Installs the custom resource definitions of a file or folder without other objects. May be called again.
    #[must_use]
    pub fn crds(mut self, path: impl Into<PathBuf>) -> Self {
        self.crds.push(path.into());
        self
    }

    /// Adds a user with a token: see [`ControlPlane::user_kubeconfig`]. RBAC decides about the user's rights.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, groups: &[&str]) -> Self {
        self.users.insert(name.into(), groups.iter().copied().map(str::to_owned).collect());
        self
    }

    /// Starts it, and returns when it is ready and its definitions are installed. Builds missing programs first,
    /// which takes minutes, once.
    pub async fn start(self) -> Result<ControlPlane, StartError> {
        let assets = self.assets().await?;
        let cluster = self.launch(assets)?;
        cluster.start_apiserver().await?;
        try_join(self.install(&cluster), self.accompany(&cluster)).await?;
        Ok(cluster)
    }

    /// Starts it for a test. `None`, with a line on standard error, where it can't be built without Go: the test
    /// is then skipped.
    ///
    /// # Panics
    ///
    /// When it does not start for any other reason; with `CI=true` in the environment, also without Go, since no
    /// test may be skipped there.
    #[expect(clippy::panic, reason = "it is called by tests alone, which have no other way to fail")]
    pub async fn start_for_test(self) -> Option<ControlPlane> {
        match self.start().await {
            Ok(cluster) => Some(cluster),
            Err(StartError::Assets(AssetsError::Go(error)))
                if error.wants_go() && env::var_os("CI").is_none_or(|ci| ci != "true") =>
            {
                eprintln!("SKIPPED: {error}");
                None
            }
            Err(error) => panic!("the control plane does not start: {}", with_causes(&error)),
        }
    }

    fn with(mut self, program: Program) -> Self {
        self.programs.insert(program);
        self
    }

    /// Finds or builds only the programs of this control plane.
    async fn assets(&self) -> Result<Assets, AssetsError> {
        let programs: Vec<_> =
            [Program::Etcd, Program::ApiServer].into_iter().chain(self.programs.iter().copied()).collect();
        let stages = self.programs.contains(&Program::Kwok).then_some(Manifests::KwokStages);
        let manifests: Vec<_> = self.sets().chain(stages).collect();
        let find = move || Assets::find_or_build_only(&programs, &manifests);
        let interrupted = |_| AssetsError::NotIncluded { name: "the control plane's programs".to_owned() };
        tokio::task::spawn_blocking(find).await.map_err(interrupted)?
    }

    /// The released definitions that are installed.
    fn sets(&self) -> impl Iterator<Item = Manifests> {
        let istio = self.mesh_crds.then_some(Manifests::IstioCrds);
        istio.into_iter().chain((self.mesh_crds || self.service_monitors).then_some(Manifests::ServiceMonitorCrd))
    }

    /// Starts etcd. The API server is started by the method that also restarts it.
    fn launch(&self, assets: Assets) -> Result<ControlPlane, StartError> {
        let folder = Folder::create().map_err(StartError::Folder)?;
        flags::write_files(folder.path())
            .and_then(|()| kwok::write_files(folder.path()))
            .map_err(StartError::Folder)?;
        let port = || Port::reserve(assets.ports());
        let (clients, peers, server) = (port()?, port()?, port()?);
        let url = format!("https://127.0.0.1:{}", server.number()).parse()?;
        let credentials = Credentials::create(folder.path(), url, &self.users)?;
        let accounts = if self.programs.contains(&Program::ControllerManager) {
            ServiceAccounts::Required
        } else {
            ServiceAccounts::NotRequired
        };
        let server_flags = flags::apiserver(folder.path(), clients.number(), server.number(), accounts);
        let etcd_flags = flags::etcd(folder.path(), clients.number(), peers.number());
        let etcd = control_plane::run(&assets, folder.path(), Program::Etcd, etcd_flags)?;
        Ok(ControlPlane {
            companions: Mutex::default(),
            apiserver: Mutex::default(),
            etcd: Mutex::new(etcd),
            apiserver_flags: server_flags,
            credentials,
            assets,
            folder,
            _ports: [clients, peers, server],
        })
    }

    async fn install(&self, cluster: &ControlPlane) -> Result<(), StartError> {
        let mut crds = self.crds.clone();
        for set in self.sets() {
            crds.extend_from_slice(cluster.assets.manifests(set)?);
        }
        for path in crds {
            cluster.install_crds(&path).await?;
        }
        Ok(())
    }

    /// Starts the programs beside the API server, and waits until they work.
    async fn accompany(&self, cluster: &ControlPlane) -> Result<(), StartError> {
        for program in &self.programs {
            let flags = match program {
                Program::ControllerManager => flags::controller_manager(cluster.folder.path(), &cluster.credentials),
                Program::Scheduler => flags::scheduler(&cluster.credentials),
                Program::Kwok => {
                    let stages = cluster.assets.manifests(Manifests::KwokStages)?;
                    kwok::flags(cluster.folder.path(), &cluster.credentials, stages, self.jobs)
                }
                Program::Etcd | Program::ApiServer | Program::Kubectl => continue,
            };
            let running = cluster.run(*program, flags)?;
            cluster.add(running);
        }
        let (client, alive) = (cluster.credentials.client(ADMIN)?, || cluster.companions_live());
        if self.programs.contains(&Program::ControllerManager) {
            readiness::until("the controller-manager", alive, || readiness::controllers(client.clone())).await?;
        }
        if self.programs.contains(&Program::Kwok) {
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}});
            cluster.apply_yaml(&node.to_string()).await?;
            readiness::until("the node", alive, || readiness::node(client.clone(), NODE)).await?;
        }
        Ok(())
    }
}

/// Returns an error and its causes, one per line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join("\n  because: ")
}
