//! An API with its configuration.

use std::num::NonZeroU16;

use mizzen_oda_api::{Host, Path, Spec};
use mizzen_sdk::{Failure, Metadata, Request};

use crate::Config;

/// The API to publish.
pub(crate) struct Api<'a> {
    /// `ExposedAPI`, or `API`.
    pub(crate) kind: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) metadata: &'a Metadata,
    pub(crate) spec: &'a Spec,
    pub(crate) config: &'a Config,
}

impl<'a> Api<'a> {
    pub(crate) fn of(request: &'a Request<Spec, Config>) -> Result<Self, Failure> {
        let (metadata, spec) = (&request.subject.metadata, &request.subject.spec);
        let namespace = metadata.namespace.as_deref().ok_or_else(|| Failure::invalid("an API needs a namespace"))?;
        Ok(Self { kind: &request.subject.kind, namespace, metadata, spec, config: &request.config })
    }

    pub(crate) fn name(&self) -> &'a str {
        &self.metadata.name
    }

    pub(crate) fn path(&self) -> &'a Path {
        &self.spec.path
    }

    /// The Service that implements it.
    pub(crate) fn service(&self) -> &'a str {
        self.spec.implementation.as_str()
    }

    pub(crate) fn port(&self) -> NonZeroU16 {
        self.spec.port
    }

    /// The host it is published at: its own, or the public one; `None`: any host.
    pub(crate) fn host(&self) -> Option<&'a str> {
        self.spec.hostname.as_ref().or(self.config.public_hostname.as_ref()).map(Host::as_str)
    }

    /// The host for URLs: `*.example.com` is not one.
    pub(crate) fn told_host(&self) -> Option<&'a str> {
        self.host().filter(|host| !host.starts_with('*'))
    }
}
