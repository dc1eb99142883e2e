//! The rules for names: parsed once, where a name enters the host. A name that passed can be part of
//! a URL, a log line and a status.

use crate::{Kind, ObjectRef};

/// The longest name of an object, and the longest API group.
const LONGEST_NAME: usize = 253;

/// The longest name of a namespace, version, kind or renderer, and the longest value of a label.
const LONGEST_LABEL: usize = 63;

/// The longest uid: the API server's have 36 characters.
const LONGEST_UID: usize = 128;

/// The longest name of a pace: it is part of annotations and of the labels of metrics.
const LONGEST_PACE: usize = 40;

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

impl NameError {
    /// The name and its rule, for a message that names the field in another way.
    pub fn detail(&self) -> String {
        format!("{} is not valid: {}", quote(&self.text), self.rule)
    }
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
        let holds = is_dns_label(version) && (is_core || is_dns_name(group));
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
    check("metadata.namespace", text, is_dns_label(text), rule)
}

/// Checks the name of a renderer, where a document or a plugin gives it. It can be the value of a label.
///
/// # Errors
/// It is not a DNS name of at most 63 characters.
pub fn parse_renderer_name(text: &str) -> Result<(), NameError> {
    let rule = "a renderer's name has at most 63 lower-case letters, digits, `-` and `.`";
    check("renderer", text, text.len() <= LONGEST_LABEL && is_dns_name(text), rule)
}

/// Checks the name of a pace, where a document or a plugin gives it.
///
/// # Errors
/// It is empty, longer than 40 bytes, or has spaces or control characters.
pub fn parse_pace_name(text: &str) -> Result<(), NameError> {
    let rule = "a pace's name has 1 to 40 characters, and neither spaces nor control characters";
    let is_other = |c: char| c.is_whitespace() || c.is_control();
    check("pace", text, !text.is_empty() && text.len() <= LONGEST_PACE && !text.contains(is_other), rule)
}

/// Checks a `metadata.uid` that comes from outside.
///
/// # Errors
/// It is empty, longer than 128 characters, or has others than printable ASCII.
pub fn parse_uid(text: &str) -> Result<(), NameError> {
    let holds = (1..=LONGEST_UID).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    check("uid", text, holds, "a uid has 1 to 128 printable characters")
}

/// Whether a text is a DNS label: at most 63 lower case letters and digits, with hyphens in between.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_dns_part(text)
}

/// Whether a text is a DNS name as Kubernetes wants it of most objects: at most 253 characters, and parts between
/// dots which have no limit of their own.
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.split('.').all(is_dns_part)
}

/// Whether a text can be the key of a label, annotation or finalizer: `name` or `domain/name`.
pub fn is_qualified_name(text: &str) -> bool {
    let (domain, name) = text.split_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    domain.is_none_or(is_dns_name) && !name.is_empty() && is_label_value(name)
}

/// Whether a text can be the value of a label.
pub fn is_label_value(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric();
    text.is_empty()
        || (text.len() <= LONGEST_LABEL
            && text.chars().all(|c| outer(c) || matches!(c, '-' | '_' | '.'))
            && text.starts_with(outer)
            && text.ends_with(outer))
}

/// Lower case letters and digits, with hyphens in between.
fn is_dns_part(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| outer(c) || c == '-') && text.starts_with(outer) && text.ends_with(outer)
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
    fn a_name_begins_and_ends_with_a_letter_or_digit() {
        for name in ["a", "a-b", "1a", "a.b-c.d"] {
            assert!(is_dns_name(name) && parse_renderer_name(name).is_ok(), "{name}");
        }
        for name in ["", "-a", "a-", ".a", "a.", "a..b", "a.-b", "A", "a/b", "..", "ä"] {
            assert!(!is_dns_name(name) && parse_renderer_name(name).is_err(), "{name}");
        }
        assert!(is_dns_label("a-b") && !is_dns_label("a.b"));
    }

    #[test]
    fn each_name_has_its_limit() {
        let name = |length| "a".repeat(length);
        assert!(is_dns_label(&name(63)) && !is_dns_label(&name(64)));
        assert!(is_dns_name(&name(253)) && !is_dns_name(&name(254)));
        assert!(is_label_value(&name(63)) && !is_label_value(&name(64)));
        assert!(parse_renderer_name(&name(63)).is_ok() && parse_renderer_name(&name(64)).is_err());
        assert!(parse_pace_name(&name(40)).is_ok() && parse_pace_name(&name(41)).is_err());
    }

    #[test]
    fn a_pace_has_neither_spaces_nor_control_characters() {
        for name in ["", "a b", "a\u{1b}[2J", "a\n"] {
            let error = parse_pace_name(name).unwrap_err();
            assert!(error.to_string().starts_with("`pace` is `"), "{error}");
        }
        assert!(parse_pace_name("Rolling-1").is_ok());
    }

    #[test]
    fn a_qualified_name_may_have_a_domain() {
        for key in ["app", "App_1", "example.com/app"] {
            assert!(is_qualified_name(key), "{key}");
        }
        for key in ["", "/", "/app", "example.com/", "Example.com/app", "a/b/c", "-a", "a b"] {
            assert!(!is_qualified_name(key), "{key}");
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
