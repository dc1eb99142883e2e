//! The keys of the [marks](mizzen_cluster::OwnershipKeys), in a Secret of the host's own namespace.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use mizzen_cluster::{OwnershipKeys, OwnershipKeysError};

use crate::link::{Fault, Link};

/// The entry of the Secret with the keys.
const ENTRY: &str = "keys";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Attempts to read a Secret that another host may be creating.
const TRIES: usize = 3;

/// Which Secret has the keys.
#[derive(Clone, Debug)]
pub struct OwnershipSecret {
    /// Its namespace. `None`: the pod's or kubeconfig's.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipSecretError {
    /// The Secret can't be read or created.
    #[error(
        "can't {verb} Secret {secret}, which has the keys by which the host recognizes what it applied: {message}; \
         grant `get` and `create` of it, or name another place with --ownership-namespace or --ownership-key"
    )]
    Refused {
        /// What was tried.
        verb: &'static str,
        /// Namespace and name.
        secret: String,
        /// The API server's message.
        message: String,
    },
    /// Its content is not keys. It is not replaced: the host would take all that it applied for another party's.
    #[error("Secret {secret}, entry `{ENTRY}`")]
    Invalid {
        /// Namespace and name.
        secret: String,
        /// What is wrong.
        #[source]
        source: OwnershipKeysError,
    },
    /// There are no random numbers.
    #[error("can't create a key: no random numbers")]
    Random(#[source] getrandom::Error),
}

/// Reads the keys. Creates the Secret with a new key if it does not exist.
pub(crate) async fn keys(link: &Link, secret: OwnershipSecret) -> Result<OwnershipKeys, OwnershipSecretError> {
    let place = Place::of(link, secret);
    let mut tries = 1;
    loop {
        if let Some(keys) = place.read(link).await? {
            return Ok(keys);
        }
        match place.create(link).await? {
            Ok(created) => {
                tracing::info!(secret = place.to_string(), "created the Secret with the ownership key");
                return place.keys_in(&created);
            }
            // Another host was faster.
            Err(fault) if fault.code() == 409 && tries < TRIES => tries += 1,
            Err(fault) => return Err(place.refused("create", &fault)),
        }
    }
}

/// Reads the keys, if there is a Secret.
pub(crate) async fn existing_keys(
    link: &Link,
    secret: OwnershipSecret,
) -> Result<Option<OwnershipKeys>, OwnershipSecretError> {
    Place::of(link, secret).read(link).await
}

/// The place of the Secret.
struct Place {
    path: String,
    namespace: String,
    name: String,
}

// === impl Place ===

impl Place {
    fn of(link: &Link, secret: OwnershipSecret) -> Self {
        let namespace = link.namespace_or_default(secret.namespace);
        Self { path: format!("/api/v1/namespaces/{namespace}/secrets"), namespace, name: secret.name }
    }

    async fn read(&self, link: &Link) -> Result<Option<OwnershipKeys>, OwnershipSecretError> {
        match link.get::<Secret>(&format!("{}/{}", self.path, self.name)).await {
            Ok(found) => self.keys_in(&found).map(Some),
            Err(fault) if fault.code() == 404 => Ok(None),
            Err(fault) => Err(self.refused("read", &fault)),
        }
    }

    async fn create(&self, link: &Link) -> Result<Result<Secret, Fault>, OwnershipSecretError> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(OwnershipSecretError::Random)?;
        let secret = Secret {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            data: Some([(ENTRY.to_owned(), ByteString(OwnershipKeys::text(key).into_bytes()))].into()),
            ..Secret::default()
        };
        Ok(link.create(&self.path, &secret).await)
    }

    fn keys_in(&self, secret: &Secret) -> Result<OwnershipKeys, OwnershipSecretError> {
        let entry = secret.data.as_ref().and_then(|data| data.get(ENTRY));
        let text = entry.map(|entry| String::from_utf8_lossy(&entry.0)).unwrap_or_default();
        OwnershipKeys::parse(&text).map_err(|source| OwnershipSecretError::Invalid { secret: self.to_string(), source })
    }

    fn refused(&self, verb: &'static str, fault: &Fault) -> OwnershipSecretError {
        OwnershipSecretError::Refused { verb, secret: self.to_string(), message: fault.to_string() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::Value;

    use super::*;
    use crate::fake::{Reply, link, refusal};

    fn secret() -> OwnershipSecret {
        OwnershipSecret { namespace: None, name: "keys".into() }
    }

    /// An API server that keeps one Secret, or refuses to have it created.
    fn server(refuses: Option<u16>) -> (Link, Arc<Mutex<Option<Value>>>) {
        let stored = Arc::<Mutex<Option<Value>>>::default();
        let kept = Arc::clone(&stored);
        let link = link(move |request| match (&*request.method, &*request.path, refuses) {
            ("GET", "/api/v1/namespaces/default/secrets/keys", _) => {
                kept.lock().clone().map_or_else(|| refusal(404, "not found"), |secret| Reply::Json(200, secret))
            }
            ("POST", "/api/v1/namespaces/default/secrets", None) => {
                *kept.lock() = Some(request.body.clone());
                Reply::Json(201, request.body)
            }
            (_, _, refuses) => refusal(refuses.unwrap_or(404), "no"),
        });
        (link, stored)
    }

    #[tokio::test]
    async fn the_first_start_creates_a_random_key_and_later_ones_read_it() {
        let (link, stored) = server(None);
        let first = keys(&link, secret()).await.unwrap();
        assert_eq!(keys(&link, secret()).await.unwrap(), first);
        assert_eq!(existing_keys(&link, secret()).await.unwrap(), Some(first.clone()));
        *stored.lock() = None;
        assert_eq!(existing_keys(&link, secret()).await.unwrap(), None, "reading alone creates nothing");
        assert_ne!(keys(&link, secret()).await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_secret_that_can_not_be_created_or_has_no_keys_is_an_error_and_is_not_replaced() {
        let (link, _) = server(Some(403));
        let error = keys(&link, secret()).await.unwrap_err();
        assert!(error.to_string().contains("can't create Secret default/keys"), "{error}");
        let (link, stored) = server(None);
        *stored.lock() = Some(serde_json::json!({"metadata": {"name": "keys"}, "data": {"keys": "Zm9v"}}));
        assert!(matches!(keys(&link, secret()).await, Err(OwnershipSecretError::Invalid { .. })));
    }
}
