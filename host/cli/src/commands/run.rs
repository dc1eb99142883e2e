//! `mizzen run`: the operator.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mizzen_catalog::{Depth, FileWatch};
use mizzen_cluster::Cluster;
use mizzen_engine::observe::{Log, Observers};
use mizzen_engine::{Engine, Settings};
use mizzen_live::{Live, LiveOptions, RequestCounts, Standing};
use mizzen_serve::{Metrics, RequestCount, RequestSource};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::args::Run;
use crate::components::Components;
use crate::election::Election;
use crate::reported::Reported;
use crate::source::Source;
use crate::statuses::Statuses;
use crate::{assemble, logging, ownership, report};

/// How often the statuses of Reconciler and Renderer objects are compared. Only a status that
/// differs is written.
const STATUSES: Duration = Duration::from_secs(1);

/// How long running reconciles may take after a signal: less than a pod's grace period, so that the
/// Lease is released and need not expire.
const SHUTDOWN: Duration = Duration::from_secs(20);

pub(crate) async fn run(args: Run) -> anyhow::Result<ExitCode> {
    logging::start(&args.log, args.log_format)?;
    // Registered before anything slow, so that an early signal ends the host as well.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let host = tokio::select! {
        host = Host::start(args) => host?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    let end = host.run(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    Ok(end.await)
}

/// The parts of a running operator.
struct Host {
    engine: Engine,
    election: Election,
    components: Components,
    /// Changes when a renderer has been compiled, or failed to compile.
    compiled: watch::Receiver<u64>,
    source: Source,
    files: FileWatch,
    statuses: Option<Statuses>,
    reported: Reported,
    shutdown: CancellationToken,
}

impl Host {
    async fn start(args: Run) -> anyhow::Result<Self> {
        let live = Live::connect(&LiveOptions { kubeconfig: args.kubeconfig, context: args.context }).await?;
        tracing::info!(server = %live.server(), version = live.version().await?, "connected");
        let metrics = Arc::new(Metrics::new(request_source(live.request_counts())));
        let ownership = ownership::keys(&live, args.ownership).await?;
        let election = Election::start(&live, args.election);
        let cluster: Arc<dyn Cluster> = Arc::new(live);
        let components = Components::new(&args.sandbox, Some(args.plugins.clone()))?;
        let compiled = components.renderers.changes();
        let observers = Observers(vec![Arc::new(Log), Arc::clone(&metrics) as _]);
        let fetch = Arc::new(mizzen_http::Client::new());
        let settings = Settings { fetch, role: election.role(), ownership, ..Settings::default() };
        let engine = Engine::start_with(Arc::clone(&cluster), Arc::new(observers), settings);
        let shutdown = CancellationToken::new();
        let address = mizzen_serve::serve(args.listen, engine.snapshots(), metrics, shutdown.clone()).await?;
        tracing::info!(%address, "serving /livez, /readyz and /metrics");
        let mut files = FileWatch::new().context("can't watch files")?;
        files
            .folder(&args.plugins, Depth::Folder)
            .with_context(|| format!("plugin folder {}", args.plugins.display()))?;
        let (source, statuses) = if args.files.is_empty() {
            let statuses = Statuses::new(Arc::clone(&cluster), engine.snapshots());
            (Source::of_cluster(cluster).await?, Some(statuses))
        } else {
            for file in &args.files {
                if file.is_dir() {
                    files.folder(file, Depth::Tree)?;
                } else {
                    files.folder(file.parent().unwrap_or(file), Depth::Folder)?;
                }
            }
            // An invalid configuration ends the start; later, the last valid one keeps running.
            assemble::configuration_of(&args.files)?;
            (Source::Files(args.files), None)
        };
        let reported = Reported::default();
        Ok(Self { engine, election, components, compiled, source, files, statuses, reported, shutdown })
    }

    /// Runs until `stop` completes, then waits for running reconciles and lets another host lead. If
    /// the Lease is lost, it ends at once: another host may be writing already.
    async fn run(mut self, stop: impl Future<Output = ()>) -> ExitCode {
        tokio::pin!(stop);
        let mut ticks = ticks();
        self.configure().await;
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.files.changed() => self.configure().await,
                () = self.source.changed() => self.configure().await,
                Ok(()) = self.compiled.changed() => self.configure().await,
                standing = self.election.changed() => match standing {
                    Standing::Follower => {}
                    Standing::Holder => self.engine.lead(),
                    Standing::Lost => return ExitCode::FAILURE,
                },
                _ = ticks.tick() => if let Some(statuses) = &mut self.statuses && self.election.leads() {
                    statuses.write().await;
                },
            }
        }
        tracing::info!("shutting down: waiting for running reconciles");
        self.shutdown.cancel();
        if tokio::time::timeout(SHUTDOWN, self.engine.stop()).await.is_err() {
            tracing::warn!("shutting down although reconciles are running");
        }
        self.election.release().await;
        ExitCode::SUCCESS
    }

    /// Applies the current configuration. If it can't be read as a whole, the last valid one keeps
    /// running.
    async fn configure(&mut self) {
        let (configuration, problems) = match self.source.configuration() {
            Ok(read) => read,
            Err(error) => {
                let error = report::lines(&error).join("; ");
                if self.reported.is_new_error(&error) {
                    tracing::error!(error, "invalid configuration: keeping the last valid one");
                }
                return;
            }
        };
        let loaded = self.components.refresh(&configuration).await;
        let all = problems.iter().chain(&loaded.problems()).map(ToString::to_string).collect::<Vec<_>>();
        for problem in self.reported.new_ones(all) {
            tracing::error!("{problem}");
        }
        if let Some(names) = self.source.names() {
            self.engine.set_invalid(names);
        }
        self.engine.set_renderers(loaded.renderers());
        self.engine.configure(loaded.nodes());
        if let Some(statuses) = &mut self.statuses {
            statuses.expect(&loaded, problems);
        }
    }
}

/// The counts of requests by method and code, as the metrics read them.
fn request_source(counts: RequestCounts) -> RequestSource {
    Arc::new(move || {
        let mut sums = BTreeMap::new();
        for (key, count) in counts.snapshot() {
            *sums.entry((key.method, key.code)).or_default() += count;
        }
        sums.into_iter().map(|((method, code), count)| RequestCount { method, code, count }).collect()
    })
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(STATUSES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
