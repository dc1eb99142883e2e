//! A renderer with its name and limits, which the engine calls.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use mizzen_config::RenderLimits;
use mizzen_model::{AccessError, Digest, Render, RenderError, Rendered};
use tokio::sync::oneshot;

use super::call;
use super::component::Compiled;
use super::engine::{Found, Renderers};
use super::memo::{Finality, Key, Rendering};
use crate::error::LoadError;

/// A renderer with its name and limits. Cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    renderers: Renderers,
    compiled: Arc<Compiled>,
    name: Arc<str>,
    limits: RenderLimits,
}

/// The state of a renderer that was to be loaded.
#[derive(Clone)]
pub enum Load {
    /// It can be called.
    Ready(Renderer),
    /// It is being compiled; [`Renderers::changes`] changes when that ends.
    Compiling,
}

impl Renderers {
    /// Loads a renderer from a file: maps it from the cache, or has another process compile it, which takes a minute.
    /// `name` is the name in messages about it.
    ///
    /// # Errors
    /// When the file is not a renderer, could not be compiled, or there is neither a cache nor a compiler for it.
    pub async fn load(&self, name: &str, file: &Path, limits: RenderLimits) -> Result<Load, LoadError> {
        Ok(match self.find(file).await? {
            Found::Compiled(compiled) => {
                Load::Ready(Renderer { renderers: self.clone(), compiled, name: name.into(), limits })
            }
            Found::Compiling => Load::Compiling,
        })
    }
}

impl Renderer {
    /// Renders unless the result is kept, another caller is rendering it, or the caller gives up before it begins.
    async fn render_once(&self, key: Key, function_config: &str, given_up: oneshot::Receiver<()>) -> Rendering {
        let rendering = async {
            let slot = tokio::select! {
                biased;
                slot = self.renderers.slot() => slot,
                _ = given_up => return (Err(self.unavailable("the caller gave up")), Finality::Passing),
            };
            let _awake = self.renderers.wake();
            let rendered = self.run(function_config).await;
            drop(slot);
            rendered
        };
        self.renderers.memo().get_or_render(&key, rendering).await
    }

    async fn run(&self, function_config: &str) -> (Rendering, Finality) {
        self.renderers.count();
        let started = Instant::now();
        let done = call::render(&self.compiled, self.limits, function_config).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let renderer = &*self.name;
        match done.result {
            Ok(output) => {
                tracing::info!(renderer, millis, objects = output.objects.len(), memory = done.peak, "rendered");
                for warning in output.warnings {
                    tracing::warn!(renderer, "{warning}");
                }
                (Ok(output.objects.into()), Finality::Final)
            }
            Err(failure) => {
                let message = failure.message(renderer, &done.stderr);
                tracing::warn!(renderer, millis, memory = done.peak, "{message}");
                let finality = if failure.is_final() { Finality::Final } else { Finality::Passing };
                (Err(failure.to_error(message)), finality)
            }
        }
    }

    fn unavailable(&self, why: impl std::fmt::Display) -> RenderError {
        AccessError::Unavailable(format!("renderer `{}` could not be run: {why}", self.name)).into()
    }
}

#[async_trait]
impl Render for Renderer {
    fn digest(&self) -> Digest {
        self.compiled.digest()
    }

    async fn render(&self, function_config: &str) -> Result<Rendered, RenderError> {
        let key = Key { component: self.digest(), document: Digest::of(function_config) };
        if let Some(kept) = self.renderers.memo().get(&key) {
            return kept;
        }
        let (own, function_config) = (self.clone(), function_config.to_owned());
        // Dropped when the caller gives up.
        let (_present, given_up) = oneshot::channel();
        // In a task of its own: a rendering that has begun goes on when its caller gives up, for the next one.
        let task = tokio::spawn(async move { own.render_once(key, &function_config, given_up).await });
        task.await.map_err(|error| self.unavailable(error))?
    }
}
