//! Applies YAML to the API server: definitions first, then namespaces, then everything else.

mod documents;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client};
use tokio::time::timeout;

use crate::readiness::{self, ReadyError, TIMEOUT};
use documents::Document;

/// The field manager of objects that are applied here.
pub const FIELD_MANAGER: &str = "mizzen-testcluster";

/// Why YAML was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file or folder can't be read.
    #[error("can't read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A text is not YAML.
    #[error("{origin} is not YAML: {reason}")]
    NotYaml {
        /// The file, or `the given text`.
        origin: String,
        /// The parser's message, with the line.
        reason: String,
    },
    /// A document is not a Kubernetes object.
    #[error("document {number} of {origin} has no {field}")]
    NotAnObject {
        /// The file, or `the given text`.
        origin: String,
        /// Counted from 1.
        number: usize,
        /// The missing field, e.g. `metadata.name`.
        field: &'static str,
    },
    /// A document other than a custom resource definition, among definitions.
    #[error("{object} is not a CustomResourceDefinition: apply it with the samples")]
    NotADefinition {
        /// The object.
        object: String,
    },
    /// The API server does not serve the kind.
    #[error("the API server does not serve {kind}: install its CustomResourceDefinition first")]
    UnknownKind {
        /// `apiVersion kind`.
        kind: String,
        /// The API server's error.
        source: Box<kube::Error>,
    },
    /// The API server refuses the object.
    #[error("the API server refuses {object}")]
    Refused {
        /// The object.
        object: String,
        /// The API server's error.
        source: Box<kube::Error>,
    },
    /// A definition is not established.
    #[error("{name} is not established after {} s", TIMEOUT.as_secs())]
    NotEstablished {
        /// The definition.
        name: String,
    },
    /// A definition is established, and its kind is not served.
    #[error(transparent)]
    NotServed(#[from] ReadyError),
    /// The credentials are unusable.
    #[error(transparent)]
    Credentials(#[from] crate::CredentialsError),
}

/// Applies documents, and caches the discovery of their kinds.
pub(crate) struct Applier {
    client: Client,
    kinds: HashMap<GroupVersionKind, (ApiResource, ApiCapabilities)>,
}

// === impl Applier ===

impl Applier {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, kinds: HashMap::new() }
    }

    /// Applies every document of a file, or of all YAML and JSON files in a folder and below it. Returns the
    /// applied objects, e.g. `Service default/web`.
    pub(crate) async fn path(&mut self, path: &Path) -> Result<Vec<String>, ApplyError> {
        self.documents(documents::of_path(path)?).await
    }

    /// Applies every document of a text.
    pub(crate) async fn text(&mut self, text: &str) -> Result<Vec<String>, ApplyError> {
        self.documents(documents::of_text(text, "the given text")?).await
    }

    /// Installs the custom resource definitions of a file or folder; refuses any other object in it.
    pub(crate) async fn definitions(&mut self, path: &Path) -> Result<Vec<String>, ApplyError> {
        let documents = documents::of_path(path)?;
        if let Some(other) = documents.iter().find(|document| !document.is_definition()) {
            return Err(ApplyError::NotADefinition { object: other.to_string() });
        }
        self.documents(documents).await
    }

    async fn documents(&mut self, documents: Vec<Document>) -> Result<Vec<String>, ApplyError> {
        let applied = documents.iter().map(ToString::to_string).collect();
        let (definitions, objects): (Vec<_>, Vec<_>) = documents.into_iter().partition(Document::is_definition);
        try_join_all(definitions.iter().map(|definition| define(self.client.clone(), definition))).await?;
        let (namespaces, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(Document::is_namespace);
        for document in namespaces.iter().chain(&objects) {
            self.document(document).await?;
        }
        Ok(applied)
    }

    async fn document(&mut self, document: &Document) -> Result<(), ApplyError> {
        let kind = document.kind();
        if !self.kinds.contains_key(&kind) {
            let found = pinned_kind(&self.client, &kind).await.map_err(|source| ApplyError::UnknownKind {
                kind: format!("{} {}", kind.api_version(), kind.kind),
                source: Box::new(source),
            })?;
            self.kinds.insert(kind.clone(), found);
        }
        let (resource, capabilities) = &self.kinds[&kind];
        let client = self.client.clone();
        let api = match (&capabilities.scope, document.namespace()) {
            (Scope::Cluster, _) => Api::all_with(client, resource),
            (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client, namespace, resource),
            (Scope::Namespaced, None) => Api::default_namespaced_with(client, resource),
        };
        send(&api, document).await
    }
}

/// Installs one definition and waits until its kind is served in every version.
async fn define(client: Client, document: &Document) -> Result<(), ApplyError> {
    let definitions = ApiResource::erase::<CustomResourceDefinition>(&());
    send(&Api::all_with(client.clone(), &definitions), document).await?;
    let name = document.name();
    let not_established = || ApplyError::NotEstablished { name: name.to_owned() };
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    let established = timeout(TIMEOUT, await_condition(api, name, conditions::is_crd_established())).await;
    established.map_err(|_| not_established())?.map_err(|_| not_established())?;
    // Discovery serves the kind with a delay.
    for kind in document.defined_kinds() {
        let served = || async { pinned_kind(&client, &kind).await.is_ok() };
        readiness::until("a kind whose definition is established", || Ok(()), served).await?;
    }
    Ok(())
}

async fn send(api: &Api<DynamicObject>, document: &Document) -> Result<(), ApplyError> {
    let params = PatchParams {
        field_validation: Some(kube::api::ValidationDirective::Strict),
        ..PatchParams::apply(FIELD_MANAGER).force()
    };
    match api.patch(document.name(), &params, &Patch::Apply(document.value())).await {
        Ok(_) => Ok(()),
        Err(source) => Err(ApplyError::Refused { object: document.to_string(), source: Box::new(source) }),
    }
}
