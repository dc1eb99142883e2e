//! Amounts of memory and durations in a configuration.

use std::time::Duration;

use mizzen_k8s::{Quantity, QuantityError};

/// Why a text is not an amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// It is not a quantity.
    #[error("`{text}` is not a valid amount of memory; write e.g. `64Mi`")]
    Invalid {
        /// The text.
        text: String,
        /// Why.
        source: QuantityError,
    },
    /// It is zero, negative, or too large.
    #[error("`{0}` is out of range for an amount of memory; write e.g. `64Mi`")]
    OutOfRange(String),
}

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid duration; write e.g. `5s` or `500ms`")]
pub struct DurationError(String);

/// Parses an amount of memory in bytes, in Kubernetes' notation: `64Mi`, `4M`, `1024`.
///
/// # Errors
/// When it is not a positive quantity; the message says how to write one.
pub fn bytes(text: &str) -> Result<u64, BytesError> {
    let quantity: Quantity = text.parse().map_err(|source| BytesError::Invalid { text: text.to_owned(), source })?;
    quantity.bytes().filter(|bytes| *bytes > 0).ok_or_else(|| BytesError::OutOfRange(text.to_owned()))
}

/// Parses a duration: `5s`, `500ms`, `2m`, `1h`.
///
/// # Errors
/// When it is not a positive duration; the message says how to write one.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let millis: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(error()),
    };
    let amount = digits.parse::<u64>().ok().and_then(|amount| amount.checked_mul(millis));
    amount.filter(|amount| *amount > 0).map(Duration::from_millis).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_notation_of_kubernetes() {
        assert_eq!((bytes("64Mi"), bytes("4M"), bytes("7")), (Ok(64 << 20), Ok(4_000_000), Ok(7)));
        assert_eq!((bytes("1Ti"), bytes("1.5Gi")), (Ok(1 << 40), Ok(3 << 29)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!((duration("5s"), duration("500ms")), (Ok(Duration::from_secs(5)), Ok(Duration::from_millis(500))));
    }

    #[test]
    fn an_invalid_amount_says_how_to_write_a_valid_one() {
        for bad in ["", "64", "x", "-1s", "5d", "0s"] {
            assert!(duration(bad).unwrap_err().to_string().contains("5s"), "{bad}");
        }
        for bad in ["", "Mi", "-1Mi", "0", "99999999999999Gi", "ä"] {
            assert!(bytes(bad).unwrap_err().to_string().contains("64Mi"), "{bad}");
        }
    }
}
