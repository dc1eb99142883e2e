//! The injector's settings, from Istio's own ConfigMaps.
//!
//! A restart injects what the injector's settings say, so pods are compared with these. It also
//! makes a restart wait until an installation has updated the injector, and works in a mesh that
//! another party installed.

use std::collections::BTreeMap;
use std::fmt::Display;

use mizzen_sdk::{Description, Failure, Kind, ObjectRef, cluster};
use serde::Deserialize;

use crate::config::Config;
use crate::image::Image;
use crate::mesh;
use crate::resources::{Resources, text};

const INJECTOR: &str = "injector";

/// The injector's settings, as far as they are known.
#[derive(Debug, Default)]
pub(crate) struct Injector {
    pub(crate) image: Option<Image>,
    pub(crate) resources: Option<Resources>,
    pub(crate) cni: Option<bool>,
    pub(crate) merge: Option<bool>,
    pub(crate) dns: Option<bool>,
    pub(crate) trust_domain: Option<String>,
}

#[derive(Deserialize)]
struct ConfigMap {
    #[serde(default)]
    data: BTreeMap<String, String>,
}

/// The values of Istio's chart for the injector, in `istio-sidecar-injector`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Values {
    global: Global,
    pilot: Pilot,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Global {
    hub: String,
    #[serde(deserialize_with = "text")]
    tag: Option<Box<str>>,
    variant: String,
    proxy: Proxy,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Proxy {
    image: String,
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pilot {
    cni: Cni,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cni {
    enabled: bool,
}

fn config_map() -> Kind {
    Kind::new("v1", "ConfigMap")
}

pub(crate) fn declare(description: Description) -> Description {
    description.reads_fields(
        INJECTOR,
        config_map(),
        &["data.values", "data.mesh"],
        "the injector's settings for proxies",
    )
}

impl Injector {
    /// Reads the settings; none if its ConfigMaps do not exist.
    pub(crate) fn read(config: &Config) -> Result<Self, Failure> {
        let mut injector = Self::default();
        if let Some(Values { global, pilot }) =
            document(config, "istio-sidecar-injector", "values", |text| serde_json::from_str(text))?
        {
            injector.image = global.tag.as_deref().filter(|_| !global.hub.is_empty()).map(|tag| {
                let image = Image::new(&global.hub, &global.proxy.image, tag);
                if global.variant.is_empty() { image } else { image.of_type(&global.variant) }
            });
            injector.resources = Some(global.proxy.resources);
            injector.cni = Some(pilot.cni.enabled);
        }
        if let Some(mesh) = document(config, "istio", "mesh", mesh::texts)? {
            // Without a setting, Istio's default.
            injector.merge = Some(mesh.get("enablePrometheusMerge").is_none_or(|merge| merge == "true"));
            let capture = mesh.get("defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE");
            injector.dns = Some(capture.is_some_and(|capture| capture == "true"));
            injector.trust_domain = mesh.get("trustDomain").cloned();
        }
        Ok(injector)
    }
}

/// A document in one of the control plane's ConfigMaps; `None` without such a ConfigMap or
/// document.
fn document<T, E: Display>(
    config: &Config,
    name: &str,
    key: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Failure> {
    let name = if config.revision == "default" { name.to_owned() } else { format!("{name}-{}", config.revision) };
    let object = ObjectRef::new(config_map(), Some(&config.namespace), &name);
    let found = cluster::get::<ConfigMap>(&object, Some(INJECTOR))?;
    let Some(text) = found.as_ref().and_then(|found| found.data.get(key)) else { return Ok(None) };
    let wrong = |why: E| {
        Failure::retry(format!("`{key}` of ConfigMap {}/{name} is not in Istio's format: {why}", config.namespace))
    };
    parse(text).map(Some).map_err(wrong)
}
