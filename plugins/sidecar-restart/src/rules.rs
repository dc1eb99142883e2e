//! Compares a proxy with what the injector would inject: image, resources, metrics, CNI, DNS and
//! trust domain.

use std::fmt::Write as _;

use crate::expected::Expected;
use crate::pod::{Annotations, Container, Pod};
use crate::resources::{Claims, Resources};

/// What is wrong with a pod's sidecar, in words; empty if nothing is. Settings of the pod's author
/// override the expected ones.
pub(crate) fn differences(pod: &Pod, expected: &Expected) -> String {
    let mut wrong = String::new();
    let annotations = &pod.metadata.annotations;
    if let Some(proxy) = pod.proxy() {
        if annotations.image.is_none() {
            image(proxy, annotations, expected, &mut wrong);
            resources(proxy, annotations, expected, &mut wrong);
        }
        merge(proxy, annotations, expected, &mut wrong);
        settings(proxy, annotations, expected, &mut wrong);
    }
    if expected.cni == Some(true) && pod.has_init("istio-init") {
        add(&mut wrong, "an init container redirects its traffic, not the CNI plugin");
    }
    if expected.cni == Some(false) && pod.has_init("istio-validation") {
        add(&mut wrong, "the CNI plugin redirects its traffic, not an init container");
    }
    wrong
}

fn image(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut String) {
    let types_itself = annotations.config.as_deref().is_some_and(|config| config.contains("imageType"));
    let wanted = annotations.image_type.as_deref().map(|kind| expected.image.of_type(kind));
    let wanted = wanted.as_ref().unwrap_or(&expected.image);
    if *proxy.image != *wanted.as_str() && !types_itself {
        add(wrong, &format!("its image is {}, not {}", proxy.image, wanted.as_str()));
    }
}

/// Annotations replace all the injector's resources, as the injector does; Kyma replaces them one
/// by one, which is accepted, too.
fn resources(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut String) {
    let own = Resources {
        limits: Claims { cpu: annotations.cpu_limit.clone(), memory: annotations.memory_limit.clone() },
        requests: Claims { cpu: annotations.cpu.clone(), memory: annotations.memory.clone() },
    };
    let found = proxy.resources.clone().completed();
    if own == Resources::default() {
        found.differences(&expected.resources).for_each(|difference| add(wrong, &difference.to_string()));
        return;
    }
    let one_by_one = own.clone().or(&expected.resources).completed();
    let instead = own.completed();
    if found.differences(&one_by_one).next().is_some() {
        found.differences(&instead).for_each(|difference| add(wrong, &difference.to_string()));
    }
}

/// The injector sets annotations if metrics are merged, but only for pods that are scraped.
fn merge(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut String) {
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
            add(wrong, "its metrics are not merged with its workload's");
        }
        Some(false) if merged => add(wrong, "its metrics are merged with its workload's"),
        _ => {}
    }
}

/// Settings that the injector writes into the proxy's environment.
fn settings(proxy: &Container, annotations: &Annotations, expected: &Expected, wrong: &mut String) {
    const DNS: &str = "ISTIO_META_DNS_CAPTURE";
    let itself = annotations.config.as_deref().is_some_and(|config| config.contains(DNS));
    if is_visible(proxy) && !itself {
        let resolves = proxy.variable(DNS) == Some("true");
        match expected.dns {
            Some(true) if !resolves => add(wrong, "it does not resolve DNS queries"),
            Some(false) if resolves => add(wrong, "it resolves DNS queries"),
            _ => {}
        }
    }
    if let (Some(expected), Some(found)) = (&expected.trust_domain, proxy.variable("TRUST_DOMAIN"))
        && *found != **expected
    {
        add(wrong, &format!("its trust domain is {found}, not {expected}"));
    }
}

/// Whether a proxy's environment shows its settings: Istio's own injector always sets the trust
/// domain there.
fn is_visible(proxy: &Container) -> bool {
    proxy.variable("TRUST_DOMAIN").is_some() || proxy.variable("ISTIO_META_DNS_CAPTURE").is_some()
}

fn add(wrong: &mut String, what: &str) {
    let separator = if wrong.is_empty() { "" } else { "; " };
    // Writing to a String can't fail.
    let _ = write!(wrong, "{separator}{what}");
}
