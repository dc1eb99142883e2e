//! `mizzen run`: the operator.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mizzen_catalog::{Catalog, FileWatch};
use mizzen_cluster::{Change, Cluster, Scope, View};
use mizzen_config::{Configuration, Problem, RECONCILER};
use mizzen_engine::observe::{Log, Observers};
use mizzen_engine::{Concurrency, Engine};
use mizzen_live::{Live, LiveOptions};
use mizzen_model::{Fields, Selector};
use mizzen_serve::Metrics;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::statuses::Statuses;
use crate::{assemble, logging};

/// How often statuses of Reconciler objects are looked at. They are written only when something is different.
const STATUSES: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: Run) -> anyhow::Result<ExitCode> {
    logging::start(&args.log, args.log_format)?;
    // Before anything takes long: a signal that comes early ends the host, too.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let host = tokio::select! {
        host = Host::start(args) => host?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    host.run(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await
}

/// Everything that runs.
struct Host {
    engine: Engine,
    catalog: Catalog,
    source: Source,
    files: FileWatch,
    statuses: Option<Statuses>,
    stop: CancellationToken,
}

/// Where the configuration comes from.
enum Source {
    Files(Vec<PathBuf>),
    Cluster(Arc<dyn Cluster>, mizzen_cluster::Changes),
}

impl Host {
    async fn start(args: Run) -> anyhow::Result<Self> {
        let live = Live::connect(&LiveOptions { kubeconfig: args.kubeconfig, context: args.context }).await?;
        tracing::info!(server = %live.server(), version = live.version().await?, "connected");
        let cluster: Arc<dyn Cluster> = Arc::new(live);
        let catalog = assemble::catalog(assemble::sandbox(&args.sandbox)?, Some(args.plugins.clone()));
        let metrics = Arc::new(Metrics::new());
        let observers = Observers(vec![Arc::new(Log), Arc::clone(&metrics) as _]);
        let engine = Engine::start(Arc::clone(&cluster), Arc::new(observers), Concurrency::default());
        let stop = CancellationToken::new();
        let address = mizzen_serve::serve(args.listen, engine.snapshots(), metrics, stop.clone()).await?;
        tracing::info!(%address, "serving /livez, /readyz and /metrics");
        let mut files = FileWatch::new().context("can't watch files")?;
        files.folder(&args.plugins, false).with_context(|| format!("plugin folder {}", args.plugins.display()))?;
        let (source, statuses) = if args.files.is_empty() {
            let view = View { kind: RECONCILER.clone(), scope: Scope::All, fields: Fields::Whole };
            let changes = cluster.subscribe();
            cluster
                .watch(view)
                .await
                .context("the configuration can't be read; apply `mizzen crd`, or give a file with `-f`")?;
            let statuses = Statuses::new(Arc::clone(&cluster), engine.snapshots());
            (Source::Cluster(cluster, changes), Some(statuses))
        } else {
            for file in &args.files {
                let folder = if file.is_dir() { file.as_path() } else { file.parent().unwrap_or(file) };
                files.folder(folder, file.is_dir())?;
            }
            // What is wrong at the start ends it; what is wrong later leaves the last good configuration running.
            assemble::configuration_of(&args.files)?;
            (Source::Files(args.files), None)
        };
        Ok(Self { engine, catalog, source, files, statuses, stop })
    }

    /// Runs until it is told to stop, then lets what is under way come to its end.
    async fn run(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
        tokio::pin!(stop);
        let mut ticks = tokio::time::interval(STATUSES);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.configure().await;
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.files.changed() => self.configure().await,
                () = self.source.changed() => self.configure().await,
                _ = ticks.tick() => if let Some(statuses) = &mut self.statuses { statuses.write().await },
            }
        }
        tracing::info!("stopping: what is under way comes to its end");
        self.stop.cancel();
        self.engine.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Takes in the configuration as it is now. One that is wrong as a whole leaves the last good one running.
    async fn configure(&mut self) {
        let (configuration, problems) = match self.source.configuration() {
            Ok(read) => read,
            Err(error) => return tracing::error!("{error:#}; the last good configuration goes on"),
        };
        for problem in &problems {
            tracing::error!(kind = problem.kind, name = problem.name, "{problem}");
        }
        let entries = self.catalog.refresh(&configuration).await;
        for problem in assemble::problems(&entries) {
            tracing::error!("{problem}");
        }
        if let Some(names) = self.source.names() {
            self.engine.also_named(names);
        }
        self.engine.configure(assemble::nodes(&entries));
        if let Some(statuses) = &mut self.statuses {
            statuses.expect(&entries, problems);
        }
    }
}

impl Source {
    /// The names of all reconcilers of the configuration, also of those whose documents are wrong; `None`: not known now. Files that
    /// are wrong are not taken in at all.
    fn names(&self) -> Option<Vec<String>> {
        let Self::Cluster(cluster, _) = self else { return None };
        let objects = cluster.list(Scope::All, &RECONCILER, None, &Selector::everything()).ok()?;
        Some(objects.iter().map(|object| object.reference.name.to_string()).collect())
    }

    fn configuration(&self) -> anyhow::Result<(Configuration, Vec<Problem>)> {
        match self {
            Self::Files(files) => Ok((assemble::configuration_of(files)?, Vec::new())),
            Self::Cluster(cluster, _) => {
                let objects = cluster.list(Scope::All, &RECONCILER, None, &Selector::everything())?;
                Ok(Configuration::lenient(objects.iter().map(|object| &**object)))
            }
        }
    }

    /// Waits until the configuration may have changed: for files, `FileWatch` tells.
    async fn changed(&mut self) {
        let Self::Cluster(_, changes) = self else { return std::future::pending().await };
        loop {
            match changes.recv().await {
                Some(Change::Object { before, after, .. }) => {
                    let generation = |object: &Option<Arc<mizzen_model::Object>>| {
                        object.as_ref().map(|o| (o.uid.clone(), o.generation))
                    };
                    let object = after.as_ref().or(before.as_ref());
                    // Its status is our own doing.
                    if object.is_some_and(|object| object.reference.kind == *RECONCILER)
                        && generation(&before) != generation(&after)
                    {
                        return;
                    }
                }
                Some(Change::Served(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}
