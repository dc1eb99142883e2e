//! Validates a list: what the API server's schema can't check, and what it checks, too, for lists
//! from elsewhere. Errors name the field.

use std::collections::BTreeMap;
use std::fmt::Display;

use mizzen_istio_egress::{Endpoint, Endpoints, Net, Part, Port, Target};
use serde_json::Value;

use crate::{ExternalHost, Spec};

/// The endpoints of a list, by the names in its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed(pub(crate) BTreeMap<Option<Part>, Endpoints>);

/// Why a list is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {why}")]
pub(crate) struct Invalid {
    field: String,
    why: String,
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, why: impl Display) -> Self {
        Self { field: field.into(), why: why.to_string() }
    }
}

impl Listed {
    /// Returns the whole list, or the first error.
    pub(crate) fn read(spec: &Value) -> Result<Self, Invalid> {
        let spec: Spec = serde_path_to_error::deserialize(spec)
            .map_err(|error| Invalid::new(format!("spec.{}", error.path()), error.inner()))?;
        let (mut listed, mut all) = (Self::default(), Endpoints::new());
        for (at, line) in spec.hosts.iter().enumerate() {
            let wrong = |(field, why): (&str, String)| Invalid { field: format!("spec.hosts[{at}]{field}"), why };
            let (part, endpoint) = read_line(line).map_err(wrong)?;
            all.add(endpoint.clone()).map_err(|refusal| wrong((".protocol", refusal.to_string())))?;
            // A part of the list can't have more endpoints than the whole.
            let _ = listed.0.entry(part).or_default().add(endpoint);
        }
        Ok(listed)
    }

    /// Returns the valid lines.
    pub(crate) fn salvage(hosts: &[Value]) -> Self {
        let mut listed = Self::default();
        for line in hosts {
            if let Ok(line) = serde_json::from_value(line.clone())
                && let Ok((part, endpoint)) = read_line(&line)
            {
                let _ = listed.0.entry(part).or_default().add(endpoint);
            }
        }
        listed
    }
}

fn read_line(line: &ExternalHost) -> Result<(Option<Part>, Endpoint), (&'static str, String)> {
    let invalid = |field| move |error: &dyn Display| (field, error.to_string());
    let target = match (&line.host, &line.ip, &line.cidr) {
        (Some(host), None, None) => Target::name(host).map_err(|error| invalid(".host")(&error))?,
        (None, Some(ip), None) => {
            let address = ip.parse().map_err(|_| (".ip", format!("`{ip}` is not a valid address")))?;
            Target::Net(Net::single(address).map_err(|error| invalid(".ip")(&error))?)
        }
        (None, None, Some(cidr)) => Target::Net(Net::parse(cidr).map_err(|error| invalid(".cidr")(&error))?),
        _ => return Err(("", "write one of `host`, `ip` and `cidr`".into())),
    };
    let port = Port::new(line.port.into()).map_err(|error| invalid(".port")(&error))?;
    let name = line.name.as_deref().map(Part::parse).transpose().map_err(|error| invalid(".name")(&error))?;
    let endpoint = Endpoint::new(target, port, line.protocol).map_err(|error| invalid(".protocol")(&error))?;
    Ok((name, endpoint))
}
