//! The resources of a proxy.

use std::fmt;

use mizzen_sdk::k8s::Quantity;
use serde::{Deserialize, Deserializer, de};

/// CPU and memory of a container's `resources`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    pub(crate) limits: Claims,
    pub(crate) requests: Claims,
}

/// CPU and memory, as Kubernetes quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    #[serde(deserialize_with = "text")]
    pub(crate) cpu: Option<Box<str>>,
    #[serde(deserialize_with = "text")]
    pub(crate) memory: Option<Box<str>>,
}

impl Resources {
    /// Overridden by `over`.
    #[must_use]
    pub(crate) fn replaced_by(self, over: &mizzen_istio_api::Resources) -> Self {
        let claims = |own: Claims, over: Option<&mizzen_istio_api::ResourceClaims>| Claims {
            cpu: over.and_then(|over| over.cpu.as_deref().map(Into::into)).or(own.cpu),
            memory: over.and_then(|over| over.memory.as_deref().map(Into::into)).or(own.memory),
        };
        Self {
            limits: claims(self.limits, over.limits.as_ref()),
            requests: claims(self.requests, over.requests.as_ref()),
        }
    }

    /// Completed by `base` where they are not set.
    #[must_use]
    pub(crate) fn or(self, base: &Self) -> Self {
        let claims = |own: Claims, base: &Claims| Claims {
            cpu: own.cpu.or_else(|| base.cpu.clone()),
            memory: own.memory.or_else(|| base.memory.clone()),
        };
        Self { limits: claims(self.limits, &base.limits), requests: claims(self.requests, &base.requests) }
    }

    /// As the API server completes them: a missing request equals the limit.
    #[must_use]
    pub(crate) fn completed(mut self) -> Self {
        self.requests.cpu = self.requests.cpu.or_else(|| self.limits.cpu.clone());
        self.requests.memory = self.requests.memory.or_else(|| self.limits.memory.clone());
        self
    }

    /// Each amount, with its name.
    pub(crate) fn each(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("limits.cpu", self.limits.cpu.as_deref()),
            ("limits.memory", self.limits.memory.as_deref()),
            ("requests.cpu", self.requests.cpu.as_deref()),
            ("requests.memory", self.requests.memory.as_deref()),
        ]
    }

    /// The amounts that differ from the expected ones.
    pub(crate) fn differences<'a>(&'a self, expected: &'a Self) -> impl Iterator<Item = Difference<'a>> {
        self.each().into_iter().zip(expected.each()).filter_map(|((what, found), (_, expected))| {
            match (found, expected) {
                (None, None) => None,
                (Some(found), Some(expected)) if same(found, expected) => None,
                _ => Some(Difference { what, found, expected }),
            }
        })
    }

    /// A text that is equal for equal amounts.
    pub(crate) fn canonical(&self) -> String {
        self.each().map(|(what, amount)| format!("{what}={}", amount.map(canonical).unwrap_or_default())).join("\n")
    }
}

/// Whether two texts are the same amount. A text that is not a quantity equals only itself.
fn same(a: &str, b: &str) -> bool {
    a == b || matches!((a.parse::<Quantity>(), b.parse()), (Ok(a), Ok(b)) if a == b)
}

/// The same text for the same amount. A text that is not a quantity stays as it is.
fn canonical(text: &str) -> String {
    text.parse::<Quantity>().map_or_else(|_| text.to_owned(), |amount| format!("{}n", amount.nanos()))
}

/// An amount that differs from the expected one.
pub(crate) struct Difference<'a> {
    pub(crate) what: &'static str,
    found: Option<&'a str>,
    expected: Option<&'a str>,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, expected } = self;
        write!(f, "{what} is {}, not {}", found.unwrap_or("unset"), expected.unwrap_or("unset"))
    }
}

/// Deserializes a text, or a number without quotes.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<str>>, D::Error> {
    struct Text;

    impl de::Visitor<'_> for Text {
        type Value = Option<Box<str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a number")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(text.into()))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string().into()))
        }

        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string().into()))
        }

        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string().into()))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    from.deserialize_any(Text)
}
