//! Renderers that are compiled and linked.

use mizzen_model::Digest;
use wasmtime::{Engine, ExternType, InstancePre, Linker, Module};

use super::error::RendererError;
use super::store::Rendering;

/// A component, compiled and linked; shared by all renderers that have it.
pub(super) struct Compiled {
    digest: Digest,
    pre: InstancePre<Rendering>,
}

impl Compiled {
    /// Links a module, if it is a WASI preview 1 command.
    pub(super) fn link(digest: Digest, module: &Module, linker: &Linker<Rendering>) -> Result<Self, RendererError> {
        let start = |ty: ExternType| ty.func().is_some_and(|func| func.params().len() + func.results().len() == 0);
        if !module.get_export("_start").is_some_and(start) {
            return Err(RendererError::NoStart);
        }
        let foreign = module.imports().map(|import| import.module()).find(|from| *from != "wasi_snapshot_preview1");
        if let Some(from) = foreign {
            return Err(RendererError::Import(from.escape_debug().to_string()));
        }
        let pre = linker.instantiate_pre(module).map_err(RendererError::Link)?;
        Ok(Self { digest, pre })
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn pre(&self) -> &InstancePre<Rendering> {
        &self.pre
    }

    pub(super) fn engine(&self) -> &Engine {
        self.pre.module().engine()
    }
}
