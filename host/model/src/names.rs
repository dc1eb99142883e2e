//! The rules for names: parsed once, where a name enters the host. A name that passed can be part of
//! a URL, a log line and a status.

use crate::{Kind, ObjectRef};

/// The longest name of an object, and the longest API group.
const LONGEST_NAME: usize = 253;

/// The longest name of a namespace, version or kind.
const LONGEST_LABEL: usize = 63;

/// Characters of a refused name that a message quotes.
const QUOTED: usize = 60;

/// A name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {}: {rule}", quote(.text))]
pub struct NameError {
    /// Which name, e.g. `metadata.namespace`.
    pub field: &'static str,
    text: String,
    rule: &'static str,
}

/// A text for a message: short, and without control characters.
fn quote(text: &str) -> String {
    let start: String = text.chars().take(QUOTED).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("`{}`{dots}", start.escape_debug())
}

fn check(field: &'static str, text: &str, holds: bool, rule: &'static str) -> Result<(), NameError> {
    if holds { Ok(()) } else { Err(NameError { field, text: text.chars().take(QUOTED + 1).collect(), rule }) }
}

impl Kind {
    /// A kind by its `apiVersion` and name, which come from outside.
    ///
    /// # Errors
    /// The group is not a DNS name, the version not a DNS label, or the name has other characters
    /// than letters and digits.
    pub fn parse(api_version: &str, name: &str) -> Result<Self, NameError> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let is_core = !api_version.contains('/');
        let holds = is_label(version) && (is_core || is_domain(group));
        check("apiVersion", api_version, holds, "write e.g. `v1` or `apps/v1`")?;
        let holds = name.len() <= LONGEST_LABEL
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        check("kind", name, holds, "a kind has at most 63 letters and digits")?;
        Ok(Self::new(api_version, name))
    }
}

impl ObjectRef {
    /// A reference whose names come from outside.
    ///
    /// # Errors
    /// The namespace is not a DNS label, or the name can't be part of the path of a request.
    pub fn parse(kind: Kind, namespace: Option<&str>, name: &str) -> Result<Self, NameError> {
        parse_namespace(namespace)?;
        let rule = "a name has at most 253 letters, digits and `-._:@~`";
        check("metadata.name", name, is_path_segment(name), rule)?;
        Ok(Self::new(kind, namespace, name))
    }
}

/// Checks a namespace that comes from outside.
///
/// # Errors
/// It is not a DNS label.
pub fn parse_namespace(namespace: Option<&str>) -> Result<(), NameError> {
    let Some(text) = namespace else { return Ok(()) };
    let rule = "a namespace has at most 63 lower case letters, digits and `-`";
    check("metadata.namespace", text, is_label(text), rule)
}

/// Whether a text is a part of a DNS name: lower case letters and digits, with hyphens in between. A
/// DNS label also has at most 63 of them.
pub fn is_dns_part(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| outer(c) || c == '-') && text.starts_with(outer) && text.ends_with(outer)
}

/// Whether a text is a DNS label.
fn is_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_dns_part(text)
}

/// Whether a text is a DNS name.
fn is_domain(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.split('.').all(is_label)
}

/// Whether a text can be one segment of a path as it is. Most kinds are stricter, and the API server
/// says so; RBAC's have colons.
fn is_path_segment(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && !matches!(text, "." | "..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._:@~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_every_group_are_accepted() {
        for (api_version, name) in
            [("v1", "Pod"), ("apps/v1", "Deployment"), ("networking.istio.io/v1beta1", "Gateway")]
        {
            assert_eq!(Kind::parse(api_version, name), Ok(Kind::new(api_version, name)));
        }
    }

    #[test]
    fn a_kind_can_not_lead_to_another_path() {
        let versions =
            ["", "v1%2Fpods", "apps/v1/deployments", "apps/v1/x?watch=true", "/v1", "a/", "v1#", "../v1", "V1"];
        for api_version in versions {
            assert!(Kind::parse(api_version, "Pod").is_err(), "{api_version}");
        }
        for name in ["", "Po d", "Pod/status", "Pöd", "1Pod"] {
            assert!(Kind::parse("v1", name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        let parse = |namespace, name| ObjectRef::parse(Kind::new("v1", "Pod"), namespace, name);
        assert!(parse(Some("shop"), "cart-1.x").is_ok() && parse(None, "system:node").is_ok());
        for name in ["", ".", "..", "a/b", "a%2Fb", "a b", "a?x", "a\n"] {
            assert!(parse(None, name).is_err(), "{name}");
        }
        for namespace in ["", "a.b", "A", "-a", "a/b"] {
            assert!(parse(Some(namespace), "a").is_err(), "{namespace}");
        }
    }

    #[test]
    fn a_message_quotes_little_of_a_long_name_and_no_control_characters() {
        let error = ObjectRef::parse(Kind::new("v1", "Pod"), None, &"\u{1b}[2J".repeat(1 << 20)).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("`metadata.name` is `\\u{1b}[2J"), "{message}");
        assert!(message.len() < 300 && !message.contains('\u{1b}'), "{message}");
    }
}
