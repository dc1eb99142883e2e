//! Names of proxy images.

/// Types of Istio's images, as suffixes of tags.
const TYPES: [&str; 2] = ["distroless", "debug"];

/// The full name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image(String);

impl Image {
    /// An image by its full name.
    pub(crate) fn whole(name: String) -> Self {
        Self(name)
    }

    /// As the injector names it: a name with a slash is complete.
    pub(crate) fn new(hub: &str, name: &str, tag: &str) -> Self {
        match name {
            whole if whole.contains('/') => Self(whole.to_owned()),
            "" => Self(format!("{hub}/proxyv2:{tag}")),
            name => Self(format!("{hub}/{name}:{tag}")),
        }
    }

    /// The image of another type, e.g. `distroless`; `default` is the one without a type.
    pub(crate) fn of_type(&self, kind: &str) -> Self {
        let plain = TYPES.iter().find_map(|own| self.0.strip_suffix(own)?.strip_suffix('-')).unwrap_or(&self.0);
        if kind == "default" { Self(plain.to_owned()) } else { Self(format!("{plain}-{kind}")) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_as_the_injector_names_it() {
        let image = |name: &str, tag: &str| Image::new("hub/istio", name, tag);
        assert_eq!(image("", "1.31.0").as_str(), "hub/istio/proxyv2:1.31.0");
        assert_eq!(image("mine", "1.31.0").as_str(), "hub/istio/mine:1.31.0");
        assert_eq!(image("other/proxy:1", "1.31.0").as_str(), "other/proxy:1");
        assert_eq!(image("", "1-debug").of_type("distroless").as_str(), "hub/istio/proxyv2:1-distroless");
        assert_eq!(image("", "1-distroless").of_type("default").as_str(), "hub/istio/proxyv2:1");
    }
}
