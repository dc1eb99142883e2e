//! Compares a proxy with what the injector would inject: image, resources, metrics, CNI, DNS and
//! trust domain.

use serde::Deserialize;

use crate::expected::Expected;
use crate::pod::{Annotations, Container, Pod};
use crate::resources::{Claims, Resources};

/// What is wrong with a pod.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    /// In words; empty if nothing is.
    pub(crate) what: String,
    /// Which fields differ, and not how: a value that changes again and again is one cause.
    pub(crate) causes: Vec<&'static str>,
}

impl Wrong {
    pub(crate) fn new(cause: &'static str, what: &str) -> Self {
        Self { what: what.to_owned(), causes: vec![cause] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    fn add(&mut self, cause: &'static str, what: &str) {
        if !self.what.is_empty() {
            self.what.push_str("; ");
        }
        self.what.push_str(what);
        self.causes.push(cause);
    }
}

/// What is wrong with a pod's sidecar. Settings of the pod's author override the expected ones.
pub(crate) fn differences(pod: &Pod, expected: &Expected) -> Wrong {
    let mut wrong = Wrong::default();
    let annotations = &pod.metadata.annotations;
    let overridden = Overridden::of(annotations);
    if let Some(proxy) = pod.proxy() {
        if annotations.image.is_none() && !overridden.image {
            image(proxy, annotations, expected, &mut wrong);
        }
        // A gateway that is injected, say: all but its image is its author's, or its template's.
        if !annotations.is_of_sidecar_template() {
            return wrong;
        }
        if annotations.image.is_none() && !overridden.resources {
            resources(proxy, annotations, expected, &mut wrong);
        }
        merge(proxy, annotations, expected, &mut wrong);
        settings(proxy, annotations, expected, &mut wrong);
    }
    if expected.cni == Some(true) && pod.has_init("istio-init") {
        wrong.add("cni", "an init container redirects its traffic, not the CNI plugin");
    }
    if expected.cni == Some(false) && pod.has_init("istio-validation") {
        wrong.add("cni", "the CNI plugin redirects its traffic, not an init container");
    }
    wrong
}

fn image(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut Wrong) {
    let types_itself = annotations.config.as_deref().is_some_and(|config| config.contains("imageType"));
    let wanted = annotations.image_type.as_deref().map(|kind| expected.image.of_type(kind));
    let wanted = wanted.as_ref().unwrap_or(&expected.image);
    if *proxy.image != *wanted.as_str() && !types_itself {
        wrong.add("image", &format!("its image is {}, not {}", proxy.image, wanted.as_str()));
    }
}

/// Annotations replace all the injector's resources, as the injector does; Kyma replaces them one
/// by one, which is accepted, too.
fn resources(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut Wrong) {
    let own = Resources {
        limits: Claims { cpu: annotations.cpu_limit.clone(), memory: annotations.memory_limit.clone() },
        requests: Claims { cpu: annotations.cpu.clone(), memory: annotations.memory.clone() },
    };
    let found = proxy.resources.clone().completed();
    if own == Resources::default() {
        found.differences(&expected.resources).for_each(|own| wrong.add(own.what, &own.to_string()));
        return;
    }
    let one_by_one = own.clone().or(&expected.resources).completed();
    let instead = own.completed();
    if found.differences(&one_by_one).next().is_some() {
        found.differences(&instead).for_each(|own| wrong.add(own.what, &own.to_string()));
    }
}

/// The injector sets annotations if metrics are merged, but only for pods that are scraped.
fn merge(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut Wrong) {
    let is = |annotation: &Option<Box<str>>, value: &str| annotation.as_deref() == Some(value);
    let wanted = match annotations.merge.as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ if expected.merge_is_set || is_visible(proxy) => expected.merge,
        _ => None,
    };
    let merged = is(&annotations.path, "/stats/prometheus") && is(&annotations.port, "15020");
    match wanted {
        Some(true) if !merged && !is(&annotations.scrape, "false") => {
            wrong.add("metrics", "its metrics are not merged with its workload's");
        }
        Some(false) if merged => wrong.add("metrics", "its metrics are merged with its workload's"),
        _ => {}
    }
}

/// Settings that the injector writes into the proxy's environment.
fn settings(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut Wrong) {
    const DNS: &str = "ISTIO_META_DNS_CAPTURE";
    let itself = annotations.config.as_deref().is_some_and(|config| config.contains(DNS));
    if is_visible(proxy) && !itself {
        let resolves = proxy.variable(DNS) == Some("true");
        match expected.dns {
            Some(true) if !resolves => wrong.add("dns", "it does not resolve DNS queries"),
            Some(false) if resolves => wrong.add("dns", "it resolves DNS queries"),
            _ => {}
        }
    }
    if let (Some(expected), Some(found)) = (&expected.trust_domain, proxy.variable("TRUST_DOMAIN"))
        && *found != **expected
    {
        wrong.add("trust-domain", &format!("its trust domain is {found}, not {expected}"));
    }
}

/// Whether a proxy's environment shows its settings: Istio's own injector always sets the trust
/// domain there.
fn is_visible(proxy: &Container) -> bool {
    proxy.variable("TRUST_DOMAIN").is_some() || proxy.variable("ISTIO_META_DNS_CAPTURE").is_some()
}

/// What of the proxy a restart can't change, since others than the injector's template set it.
#[derive(Debug, Default)]
struct Overridden {
    image: bool,
    resources: bool,
}

impl Overridden {
    /// The injector notes what the pod's own template says of the proxy; a vertical autoscaler notes
    /// that it set resources.
    fn of(annotations: &Annotations) -> Self {
        let own = annotations.overrides.as_deref().and_then(|text| serde_json::from_str::<Overrides>(text).ok());
        let mut all = own.iter().flat_map(|own| own.containers.iter().chain(&own.init_containers));
        let proxy = all.find(|own| &*own.name == "istio-proxy");
        Self {
            image: proxy.is_some_and(|own| !matches!(&*own.image, "" | "auto")),
            resources: annotations.autoscaled.is_some()
                || proxy.is_some_and(|own| own.resources != Resources::default()),
        }
    }
}

/// The annotation `proxy.istio.io/overrides`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Overrides {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}
