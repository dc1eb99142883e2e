//! The address of the Dynatrace API.

use mizzen_istio_egress::{Endpoint, Url, UrlError};

/// The Dynatrace API of a DynaKube.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    base: String,
    endpoint: Endpoint,
}

impl Api {
    /// Parses `spec.apiUrl`. For hosts `*.apps.*`, which serve the web interface, the API is at
    /// `*.live.*`.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        // The whole text first: the part before a `?` or `#` may end within a password.
        Url::parse(text)?;
        let text = text.trim().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let host = text.find("://").map_or(0, |at| at + 3);
        let path = text[host..].find('/').map_or(text.len(), |at| host + at);
        let mut base = text.to_owned();
        // Host names are case-insensitive.
        if let Some(at) = text[host..path].to_ascii_lowercase().find(".apps.").map(|at| host + at) {
            base.replace_range(at..at + ".apps.".len(), ".live.");
        }
        Ok(Self { endpoint: Url::parse(&base)?.endpoint(), base })
    }

    /// The API's endpoint.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// Its URL, without a query.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}
