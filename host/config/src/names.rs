//! Which names a configuration may use: one function for each kind of name.

/// The most characters of a reconciler's name: it is part of labels (at most 63) and field
/// managers, behind a prefix.
pub(crate) const LONGEST_RECONCILER: usize = 40;

/// The most characters of a renderer's name, so that it can be the value of a label.
pub(crate) const LONGEST_RENDERER: usize = 63;

/// The most characters of a pace's name: it is part of the value of an annotation and of the labels
/// of metrics.
pub(crate) const LONGEST_PACE: usize = 40;

/// The most characters of the name of an object or host.
const LONGEST_NAME: usize = 253;

/// The most characters of one label of a host name.
const LONGEST_LABEL: usize = 63;

/// Whether a text can be the name of an object. A name from a subject becomes part of the path of a
/// request to the API server, where `../x` would lead to another object.
pub(crate) fn is_object_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && is_dotted(text)
}

/// Whether a text can be the name of a reconciler.
pub(crate) fn is_reconciler_name(text: &str) -> bool {
    text.len() <= LONGEST_RECONCILER && is_dotted(text) && !text.contains('.')
}

/// Whether a text can be the name of a renderer.
pub(crate) fn is_renderer_name(text: &str) -> bool {
    text.len() <= LONGEST_RENDERER && is_dotted(text)
}

/// Whether a text can be the name of a pace.
pub(crate) fn is_pace_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_PACE && !text.contains(char::is_whitespace)
}

/// Whether a text can be the key of a Secret or ConfigMap.
pub(crate) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Whether a text can be a host name.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LONGEST_LABEL
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    text.len() <= LONGEST_NAME && text.split('.').all(is_label)
}

/// Whether a text is a token of HTTP, such as the name of a header.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Lower-case letters and digits, with hyphens and dots in between.
fn is_dotted(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| outer(c) || c == '-' || c == '.') && text.starts_with(outer) && text.ends_with(outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_and_ends_with_a_letter_or_digit() {
        for name in ["a", "a-b", "1a"] {
            assert!(is_reconciler_name(name) && is_renderer_name(name) && is_object_name(name), "{name}");
        }
        for name in ["", "-a", "a-", ".a", "a.", "A", "a/b", "..", "ä"] {
            assert!(!is_reconciler_name(name) && !is_renderer_name(name) && !is_object_name(name), "{name}");
        }
        assert!(is_renderer_name("charts-1.31.0") && !is_reconciler_name("charts-1.31.0"));
    }

    #[test]
    fn each_name_has_its_limit() {
        let name = |length| "a".repeat(length);
        assert!(is_reconciler_name(&name(40)) && !is_reconciler_name(&name(41)));
        assert!(is_renderer_name(&name(63)) && !is_renderer_name(&name(64)));
        assert!(is_object_name(&name(253)) && !is_object_name(&name(254)));
        assert!(is_pace_name(&name(40)) && !is_pace_name(&name(41)) && !is_pace_name("a b"));
    }
}
