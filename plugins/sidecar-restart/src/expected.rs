//! The desired proxies.

use mizzen_istio_api::Spec;
use mizzen_sdk::Failure;
use mizzen_workloads::digest;

use crate::config::Config;
use crate::image::Image;
use crate::injector::Injector;
use crate::resources::Resources;

/// The desired proxies. A field that is `None` is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) image: Image,
    pub(crate) resources: Resources,
    pub(crate) merge: Option<bool>,
    /// Whether the subject or the configuration sets `merge`, and not only Istio's default.
    pub(crate) merge_is_set: bool,
    pub(crate) cni: Option<bool>,
    pub(crate) dns: Option<bool>,
    pub(crate) trust_domain: Option<String>,
}

impl Expected {
    /// The injector's settings, then the subject's, then the configuration's; for the image the
    /// configuration comes first. `None`: the image is not known.
    pub(crate) fn read(spec: &Spec, config: &Config) -> Result<Option<Self>, Failure> {
        let injector = if config.follow_injector { Injector::read(config)? } else { Injector::default() };
        let Some(image) = config.image.clone().map(Image::whole).or(injector.image) else { return Ok(None) };
        let spec_config = spec.config.as_ref();
        let setting = spec_config
            .and_then(|spec_config| spec_config.telemetry.as_ref()?.metrics.as_ref()?.prometheus_merge)
            .or(config.defaults.prometheus_merge);
        let resources =
            spec.components.as_ref().and_then(|components| components.proxy.as_ref()?.k8s.resources.as_ref());
        let resources = injector.resources.unwrap_or_else(|| {
            let defaults = Resources::default().replaced_by(&config.defaults.resources);
            resources.map_or(defaults.clone(), |resources| defaults.replaced_by(resources))
        });
        Ok(Some(Self {
            image,
            resources: resources.completed(),
            merge: injector.merge.or(setting),
            merge_is_set: setting.is_some(),
            cni: injector.cni.or(config.defaults.cni),
            dns: injector
                .dns
                .or(spec_config.and_then(|spec_config| spec_config.enable_dns_proxying))
                .or(config.defaults.dns_proxying),
            trust_domain: injector
                .trust_domain
                .or_else(|| spec_config.and_then(|spec_config| spec_config.trust_domain.clone()))
                .or_else(|| config.defaults.trust_domain.clone()),
        }))
    }

    /// A digest, equal for equal proxies.
    pub(crate) fn digest(&self) -> String {
        let Self { image, resources, merge, merge_is_set: _, cni, dns, trust_domain } = self;
        let (image, resources) = (image.as_str(), resources.canonical());
        digest(&format!("{image}\n{resources}\n{merge:?} {cni:?} {dns:?} {trust_domain:?}"))
    }
}
