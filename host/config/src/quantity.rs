//! Quantities and durations, as Kubernetes writes them.

use std::time::Duration;

/// Bytes: `64Mi`, `4M`, `1024`. The error says how to write one.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no amount of memory; write e.g. `64Mi`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    let amount = digits.parse::<u64>().ok().and_then(|amount| amount.checked_mul(factor));
    amount.filter(|amount| *amount > 0).ok_or_else(wrong)
}

/// A duration: `5s`, `500ms`, `2m`, `1h`. The error says how to write one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write e.g. `5s` or `500ms`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let millis: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let amount = digits.parse::<u64>().ok().and_then(|amount| amount.checked_mul(millis));
    amount.filter(|amount| *amount > 0).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_writes_them() {
        assert_eq!((bytes("64Mi"), bytes("4M"), bytes("7")), (Ok(64 << 20), Ok(4_000_000), Ok(7)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!((duration("5s"), duration("500ms")), (Ok(Duration::from_secs(5)), Ok(Duration::from_millis(500))));
    }

    #[test]
    fn what_is_no_amount_says_how_to_write_one() {
        for bad in ["", "64", "x", "-1s", "5d", "0s"] {
            assert!(duration(bad).unwrap_err().contains("5s"), "{bad}");
        }
        for bad in ["", "Mi", "1Ti", "0", "99999999999999Gi", "ä"] {
            assert!(bytes(bad).unwrap_err().contains("64Mi"), "{bad}");
        }
    }
}
