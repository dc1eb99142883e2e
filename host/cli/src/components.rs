//! The components of a configuration: plugins and renderers, loaded by the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_catalog::{Catalog, Entry, Loader, Loading, RendererEntry};
use mizzen_config::{Configuration, Limits, Problem, Renderer};
use mizzen_engine::{NodeSpec, RendererSpec};
use mizzen_model::{Invoke, LoadError};
use mizzen_sandbox::{Compiler, Load, RenderOptions, Renderers, Sandbox};

use crate::{args, assemble, progress, terminal};

/// The catalog of plugins, and the renderers that it loads.
pub(crate) struct Components {
    pub(crate) catalog: Catalog,
    pub(crate) renderers: Renderers,
}

/// The entries of a configuration, loaded or not.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) entries: Vec<Entry>,
    pub(crate) renderers: Vec<RendererEntry>,
}

/// Loads components for the catalog.
struct SandboxLoader {
    sandbox: Sandbox,
    renderers: Renderers,
}

#[async_trait]
impl Loader for SandboxLoader {
    async fn load(&self, file: &Path, bytes: Vec<u8>, limits: Limits) -> Result<Arc<dyn Invoke>, LoadError> {
        let loading = progress::while_loading(file, self.sandbox.load(bytes));
        let component = loading.await.map_err(LoadError::new)?;
        Ok(Arc::new(component.with_limits(limits)))
    }

    async fn load_renderer(&self, renderer: &Renderer, file: &Path) -> Result<Loading, LoadError> {
        let loaded = self.renderers.load(&renderer.name, file, renderer.limits).await;
        Ok(match loaded.map_err(without_file)? {
            Load::Ready(renderer) => Loading::Ready(Arc::new(renderer)),
            Load::Compiling => Loading::Compiling,
        })
    }
}

/// The process that compiles: this program, as `/proc/self/exe`, so that its code fits this host
/// even after the file was replaced.
pub(crate) fn compiler(memory: u64) -> Compiler {
    let program = Path::new("/proc/self/exe");
    let program =
        if program.exists() { program.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| "mizzen".into()) };
    Compiler { program, args: vec!["plugin".into(), "compile-here".into()], memory }
}

/// Leaves out the file, which the catalog names.
fn without_file(error: mizzen_sandbox::LoadError) -> LoadError {
    match error {
        mizzen_sandbox::LoadError::Read { source, .. } => LoadError::new(source),
        error => LoadError::new(error),
    }
}

// === impl Components ===

impl Components {
    /// Components of which none is loaded. Files are relative to `plugins`, or else to the folder
    /// of the document that names them.
    pub(crate) fn new(args: &args::Sandbox, plugins: Option<PathBuf>) -> anyhow::Result<Self> {
        let sandbox = assemble::sandbox(args)?;
        let options = RenderOptions {
            cache: sandbox.cache_folder().map(Path::to_owned),
            compiler: Some(compiler(args.compile_memory)),
            ..RenderOptions::default()
        };
        let renderers = Renderers::new(options)?;
        let loader = SandboxLoader { sandbox, renderers: renderers.clone() };
        Ok(Self { catalog: Catalog::new(Arc::new(loader), plugins), renderers })
    }

    /// Loads what is new or changed. Renderers that must be compiled may still be compiling when
    /// this returns.
    pub(crate) async fn refresh(&mut self, configuration: &Configuration) -> Loaded {
        // Renderers first: they compile while the plugins load.
        let renderers = self.catalog.refresh_renderers(configuration).await;
        Loaded { renderers, entries: self.catalog.refresh(configuration).await }
    }

    /// As [`refresh`](Self::refresh), and waits for the renderers to be compiled.
    pub(crate) async fn complete(&mut self, configuration: &Configuration) -> Loaded {
        let mut loaded = self.refresh(configuration).await;
        let compiling: Vec<_> = loaded.compiling().collect();
        if !compiling.is_empty() {
            let what = format!("compiling {}", compiling.join(", "));
            progress::while_waiting(&what, self.renderers.settled()).await;
            terminal::note("compiled", compiling.join(", "));
            loaded.renderers = self.catalog.refresh_renderers(configuration).await;
        }
        loaded
    }
}

// === impl Loaded ===

impl Loaded {
    /// The reconcilers as the engine takes them.
    pub(crate) fn nodes(&self) -> Vec<NodeSpec> {
        let node = |entry: &Entry| NodeSpec {
            reconciler: Arc::clone(&entry.reconciler),
            invoke: entry.invoke.clone().ok_or_else(|| LoadError::new(assemble::lines(&entry.problems).join("; "))),
        };
        self.entries.iter().map(node).collect()
    }

    /// The renderers as the engine takes them.
    pub(crate) fn renderers(&self) -> Vec<RendererSpec> {
        let spec = |entry: &RendererEntry| RendererSpec {
            renderer: mizzen_model::Renderer {
                name: entry.renderer.name.as_str().into(),
                labels: entry.renderer.labels.clone(),
            },
            render: entry.loaded().map_err(LoadError::new),
        };
        self.renderers.iter().map(spec).collect()
    }

    /// Everything that is wrong with the components.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let of_renderers = self.renderers.iter().filter_map(|entry| entry.problem.clone());
        of_renderers.chain(self.entries.iter().flat_map(|entry| entry.problems.iter().cloned())).collect()
    }

    /// The names of renderers that are being compiled.
    fn compiling(&self) -> impl Iterator<Item = String> {
        self.renderers.iter().filter(|entry| entry.compiling).map(|entry| entry.renderer.name.clone())
    }
}
