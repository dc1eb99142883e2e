//! Names that only a configuration has; the others are in `mizzen_model`.

use mizzen_model::is_dns_label;

/// The most characters of a reconciler's name: it is part of labels (at most 63) and field
/// managers, behind a prefix.
pub(crate) const LONGEST_RECONCILER: usize = 40;

/// The most characters of a host name.
const LONGEST_HOST: usize = 253;

/// The most characters of one label of a host name.
const LONGEST_LABEL: usize = 63;

/// Whether a text can be the name of a reconciler.
pub(crate) fn is_reconciler_name(text: &str) -> bool {
    text.len() <= LONGEST_RECONCILER && is_dns_label(text)
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
    text.len() <= LONGEST_HOST && text.split('.').all(is_label)
}

/// Whether a text is a token of HTTP, such as the name of a header.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reconciler_name_is_a_short_dns_label() {
        for name in ["a", "a-b", "1a"] {
            assert!(is_reconciler_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a.b", "A", "a/b", "ä", &"a".repeat(41)] {
            assert!(!is_reconciler_name(name), "{name}");
        }
        assert!(is_reconciler_name(&"a".repeat(40)));
    }
}
