//! The cluster of `mizzen plan --live`: read through an overlay, and not written.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use mizzen_cluster::{Cluster, Overlay, OwnershipKeys, ReadError, Scope, Selection, View};
use mizzen_config::{RECONCILER, RENDERER};
use mizzen_engine::Settings;
use mizzen_live::{Live, LiveOptions, OwnershipSecret};
use mizzen_model::yaml::{self, Document};
use mizzen_model::{Fields, Kind, Object};
use serde_json::{Value, json};

use crate::args::{self, OWNERSHIP_SECRET};
use crate::components::Components;
use crate::intents::{Intents, Statuses};
use crate::ownership;
use crate::rehearse::{self, Stage, is_configuration};
use crate::report::Errors;
use crate::warnings::Warnings;
use crate::{assemble, progress, terminal};

/// A cluster to plan on.
pub(crate) struct Source {
    server: String,
    overlay: Overlay,
    ownership: OwnershipKeys,
    warnings: Vec<String>,
}

// === impl Source ===

impl Source {
    /// Connects to the cluster of the kubeconfig.
    ///
    /// # Errors
    /// It does not respond, or the ownership keys can't be read.
    pub(crate) async fn connect(args: &args::Target) -> anyhow::Result<Self> {
        let options = LiveOptions { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
        let live = Live::connect(&options).await?;
        let (ownership, warnings) = keys(&live, args).await?;
        Ok(Self { server: live.server().to_owned(), overlay: Overlay::new(Arc::new(live)), ownership, warnings })
    }

    /// Adds the cluster's reconcilers and renderers to documents, which take the place of those with the same name.
    ///
    /// # Errors
    /// They can't be read.
    pub(crate) async fn add_configuration(&self, documents: &mut Vec<Document>) -> anyhow::Result<()> {
        let named = |document: &Document| (document.value["kind"].clone(), document.value["metadata"]["name"].clone());
        let own: Vec<_> = documents.iter().filter(|document| is_configuration(document)).map(named).collect();
        for kind in [&*RECONCILER, &*RENDERER] {
            let found = self.list(kind, Fields::Whole).await;
            let objects = match found {
                Err(ReadError::NotServed(_)) => continue,
                found => found.with_context(|| format!("can't read the configuration of {}", self.server))?,
            };
            for object in &objects {
                let document = configured(object)?;
                documents.extend(document.into_iter().filter(|document| !own.contains(&named(document))));
            }
        }
        if documents.iter().any(|document| document.value["kind"] == *RECONCILER.name) {
            return Ok(());
        }
        anyhow::bail!("{} has no Reconciler object: apply one, or name a file with `-f`", self.server)
    }

    /// Rehearses the configuration among documents on the cluster, with the objects among them.
    ///
    /// # Errors
    /// Everything that is wrong with the documents, or else with the configuration, or else with its components.
    pub(crate) async fn rehearse(
        mut self,
        documents: &[Document],
        components: &mut Components,
        statuses: Statuses,
    ) -> anyhow::Result<Intents> {
        let configuration = assemble::configuration(documents)?;
        let answers = rehearse::answers(documents)?;
        let mut wrong = Vec::new();
        for document in documents.iter().filter(|document| !is_configuration(document)) {
            wrong.extend(self.overlay.put(document).await.err().into_iter().flatten());
        }
        Errors::check(wrong)?;
        let warnings = self.warnings().await;
        let Self { server, overlay, ownership, .. } = self;
        let stage = Stage { cluster: Arc::new(overlay), ownership, warnings };
        let rehearsal = stage.rehearse(&configuration, answers, components, statuses);
        let intents = progress::while_waiting(&format!("planning on {server}"), rehearsal).await?;
        terminal::note("plan", format_args!("of {server}: nothing was written"));
        Ok(intents)
    }

    async fn warnings(&mut self) -> Warnings {
        let mut warnings = std::mem::take(&mut self.warnings);
        let namespaces = match self.list(&Kind::new("v1", "Namespace"), Fields::identity()).await {
            Ok(objects) => objects.iter().map(|object| object.reference.name.to_string()).collect(),
            Err(error) => {
                warnings.push(format!("whether the namespaces exist is not known: {error}"));
                return Warnings::of_cluster(warnings, None);
            }
        };
        Warnings::of_cluster(warnings, Some(namespaces))
    }

    async fn list(&self, kind: &Kind, fields: Fields) -> Result<Vec<Arc<Object>>, ReadError> {
        self.overlay.watch(View { kind: kind.clone(), scope: Scope::All, fields }).await?;
        self.overlay.list(Scope::All, kind, &Selection::default())
    }
}

/// The ownership keys, and what the plan lacks where there are none.
async fn keys(live: &Live, args: &args::Target) -> anyhow::Result<(OwnershipKeys, Vec<String>)> {
    if let Some(file) = &args.key_file {
        return Ok((ownership::of_file(file).await?, Vec::new()));
    }
    let namespace = Some(args.ownership_namespace.clone());
    let secret = OwnershipSecret { namespace, name: OWNERSHIP_SECRET.to_owned() };
    if let Some(keys) = live.ownership_keys(secret).await? {
        return Ok((keys, Vec::new()));
    }
    let warning = format!(
        "Secret {}/{OWNERSHIP_SECRET} does not exist: unless no host has run in the cluster, name its namespace with \
         --ownership-namespace, as all that it applied counts as another party's here",
        args.ownership_namespace
    );
    Ok((Settings::default().ownership, vec![warning]))
}

/// What users write of a Reconciler or Renderer, as a document.
fn configured(object: &Object) -> anyhow::Result<Vec<Document>> {
    let Value::Object(mut whole) = object.value() else { return Ok(Vec::new()) };
    whole.remove("status");
    let labels = whole["metadata"]["labels"].take();
    let mut metadata = json!({"name": &*object.reference.name});
    if labels.is_object() {
        metadata["labels"] = labels;
    }
    whole.insert("metadata".into(), metadata);
    let name = format!("cluster/{}/{}", object.reference.kind.name, object.reference.name);
    Ok(yaml::parse(Path::new(&name), &terminal::yaml(&Value::Object(whole)))?)
}
