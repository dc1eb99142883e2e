//! Syntax of names in Kubernetes.

/// Whether a text is a DNS label as Kubernetes requires it (RFC 1123): 1 to 63 lower-case letters,
/// digits and `-`, which neither starts nor ends it.
pub fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_lower_case_letters_digits_and_dashes_within() {
        let longest = "a".repeat(63);
        for label in ["a", "0", "a-b", "1--2", &longest] {
            assert!(is_label(label), "{label}");
        }
        for other in ["", "A", "a.b", "a_b", "-a", "a-", "\u{e4}", &format!("{longest}a")] {
            assert!(!is_label(other), "{other}");
        }
    }
}
