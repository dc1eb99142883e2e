//! `mizzen run`: the operator.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mizzen_catalog::FileWatch;
use mizzen_cluster::Cluster;
use mizzen_engine::observe::{Log, Observers};
use mizzen_engine::{Engine, Settings};
use mizzen_live::{Live, LiveOptions};
use mizzen_serve::Metrics;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::components::Components;
use crate::source::Source;
use crate::statuses::Statuses;
use crate::told::Told;
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
    components: Components,
    /// Tells when a renderer has been compiled, or could not be.
    compiled: watch::Receiver<u64>,
    source: Source,
    files: FileWatch,
    statuses: Option<Statuses>,
    told: Told,
    stop: CancellationToken,
}

impl Host {
    async fn start(args: Run) -> anyhow::Result<Self> {
        let live = Live::connect(&LiveOptions { kubeconfig: args.kubeconfig, context: args.context }).await?;
        tracing::info!(server = %live.server(), version = live.version().await?, "connected");
        let cluster: Arc<dyn Cluster> = Arc::new(live);
        let components = Components::new(&args.sandbox, Some(args.plugins.clone()))?;
        let compiled = components.renderers.changes();
        let metrics = Arc::new(Metrics::new());
        let observers = Observers(vec![Arc::new(Log), Arc::clone(&metrics) as _]);
        let settings = Settings { fetch: Arc::new(mizzen_http::Client::new()), ..Settings::default() };
        let engine = Engine::start_with(Arc::clone(&cluster), Arc::new(observers), settings);
        let stop = CancellationToken::new();
        let address = mizzen_serve::serve(args.listen, engine.snapshots(), metrics, stop.clone()).await?;
        tracing::info!(%address, "serving /livez, /readyz and /metrics");
        let mut files = FileWatch::new().context("can't watch files")?;
        files.folder(&args.plugins, false).with_context(|| format!("plugin folder {}", args.plugins.display()))?;
        let (source, statuses) = if args.files.is_empty() {
            let statuses = Statuses::new(Arc::clone(&cluster), engine.snapshots());
            (Source::of_cluster(cluster).await?, Some(statuses))
        } else {
            for file in &args.files {
                let folder = if file.is_dir() { file.as_path() } else { file.parent().unwrap_or(file) };
                files.folder(folder, file.is_dir())?;
            }
            // What is wrong at the start ends it; what is wrong later leaves the last good configuration running.
            assemble::configuration_of(&args.files)?;
            (Source::Files(args.files), None)
        };
        Ok(Self { engine, components, compiled, source, files, statuses, told: Told::default(), stop })
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
                Ok(()) = self.compiled.changed() => self.configure().await,
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
        let loaded = self.components.refresh(&configuration).await;
        let wrong = problems.iter().chain(&loaded.problems()).map(ToString::to_string).collect::<Vec<_>>();
        for problem in self.told.news(wrong) {
            tracing::error!("{problem}");
        }
        if let Some(names) = self.source.names() {
            self.engine.also_named(names);
        }
        self.engine.renderers(loaded.renderers());
        self.engine.configure(loaded.nodes());
        if let Some(statuses) = &mut self.statuses {
            statuses.expect(&loaded, problems);
        }
    }
}
