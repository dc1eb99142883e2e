//! What a scalar of YAML means: as kubectl reads it, which follows YAML 1.1 with exceptions.

use serde_json::{Number, Value};

/// The value of one scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// A value of JSON.
    Value(Value),
    /// The key of a merge (`<<`).
    Merge,
}

/// The types that a tag can give to a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// No tag: the text decides.
    None,
    /// `!!str`, a quoted scalar, and every tag that is not of YAML itself.
    Text,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Merge,
    Binary,
}

/// Why a scalar has no value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScalarError {
    #[error("is not a number that JSON has; quote it")]
    NotFinite,
    #[error("is larger than every number of Kubernetes; quote it")]
    TooLarge,
    #[error("is not what its tag says; remove the tag")]
    Tagged,
    #[error("is tagged `!!binary`, which Kubernetes does not read; write the base64 text without the tag")]
    Binary,
}

const TRUE: &[&str] = &["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];
const FALSE: &[&str] = &["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
const NULL: &[&str] = &["", "~", "null", "Null", "NULL"];
const NOT_FINITE: &[&str] =
    &[".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];

/// From here on, JSON of Go writes floats with an exponent, which is not an integer to Kubernetes.
const EXPONENT: f64 = 1e21;

/// The value of a scalar with a tag. Texts of timestamps stay texts.
pub(super) fn resolve(tag: Tag, text: &str) -> Result<Scalar, ScalarError> {
    let plain = match tag {
        Tag::Text => return Ok(Scalar::Value(text.into())),
        Tag::Binary => return Err(ScalarError::Binary),
        Tag::Merge => Scalar::Merge,
        Tag::Timestamp if looks_like_date(text) => return Ok(Scalar::Value(text.into())),
        Tag::None | Tag::Bool | Tag::Int | Tag::Float | Tag::Null | Tag::Timestamp => untagged(text)?,
    };
    let fits = match (&plain, tag) {
        (_, Tag::None) | (Scalar::Merge, Tag::Merge) => true,
        (Scalar::Value(value), Tag::Bool) => value.is_boolean(),
        (Scalar::Value(value), Tag::Null) => value.is_null(),
        // An integer may be written as a float, and not the other way round.
        (Scalar::Value(value), Tag::Float) => value.is_number(),
        (Scalar::Value(value), Tag::Int) => value.is_number() && integer(&text.replace('_', "")).is_some(),
        _ => false,
    };
    if fits { Ok(plain) } else { Err(ScalarError::Tagged) }
}

fn untagged(text: &str) -> Result<Scalar, ScalarError> {
    let value = match text {
        "<<" => return Ok(Scalar::Merge),
        _ if TRUE.contains(&text) => Value::Bool(true),
        _ if FALSE.contains(&text) => Value::Bool(false),
        _ if NULL.contains(&text) => Value::Null,
        _ if NOT_FINITE.contains(&text) => return Err(ScalarError::NotFinite),
        _ => match text.as_bytes().first() {
            Some(b'.') => float(text).unwrap_or_else(|| text.into()),
            Some(b'0'..=b'9' | b'+' | b'-') => number(text)?.unwrap_or_else(|| text.into()),
            _ => text.into(),
        },
    };
    Ok(Scalar::Value(value))
}

/// The number that a text means; `None`: it is a text.
fn number(text: &str) -> Result<Option<Value>, ScalarError> {
    if looks_like_date(text) {
        return Ok(None);
    }
    let plain = text.replace('_', "");
    match integer(&plain) {
        Some(Ok(value)) => Ok(Some(whole(value))),
        Some(Err(TooLong)) => Err(ScalarError::TooLarge),
        None => Ok(float(&plain)),
    }
}

/// An integer that is too long to be read.
struct TooLong;

/// The integer that a text without `_` means; `None`: it is none. A leading `0` makes it octal.
fn integer(plain: &str) -> Option<Result<i128, TooLong>> {
    let (sign, digits) = match plain.as_bytes().first()? {
        b'-' => (-1, &plain[1..]),
        b'+' => (1, &plain[1..]),
        _ => (1, plain),
    };
    let prefixed = |prefix: [&str; 2], radix| {
        digits.strip_prefix(prefix[0]).or_else(|| digits.strip_prefix(prefix[1])).map(|rest| (rest, radix))
    };
    let (digits, radix) = prefixed(["0x", "0X"], 16)
        .or_else(|| prefixed(["0o", "0O"], 8))
        .or_else(|| prefixed(["0b", "0B"], 2))
        .or_else(|| digits.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|rest| (rest, 8)))
        .unwrap_or((digits, 10));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).map_err(|_| TooLong);
    match value {
        // A long row of decimals is a float.
        Err(TooLong) if radix == 10 => None,
        value => Some(value.map(|value| sign * value)),
    }
}

/// The float that a text means, by the rules of YAML 1.1; `None`: it is none, or has no place in 64
/// bits.
fn float(plain: &str) -> Option<Value> {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = digits(before)
        && digits(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    let value = plain.parse::<f64>().ok().filter(|value| is_float && value.is_finite())?;
    if value.fract() == 0.0 && value.abs() < EXPONENT {
        // Exact: a float without a fraction below 2^127 is an integer.
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and is below 10^21")]
        return Some(whole(value as i128));
    }
    Number::from_f64(value).map(Value::Number)
}

/// An integer of Kubernetes has 64 bits; what does not fit is a float.
fn whole(value: i128) -> Value {
    match i64::try_from(value) {
        Ok(value) => value.into(),
        #[expect(clippy::cast_precision_loss, reason = "as the API server reads it")]
        Err(_) => Number::from_f64(value as f64).map_or(Value::Null, Value::Number),
    }
}

/// Whether a text begins as a timestamp does. One that turns out to be none is a text as well: no
/// number has a `-` after its fourth digit.
fn looks_like_date(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4 && text.as_bytes().get(4) == Some(&b'-')
}

/// The key of a mapping as a key of JSON; `None`: kubectl does not take such a key.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(word) => Some(word.to_string()),
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(text: &str) -> Value {
        match resolve(Tag::None, text) {
            Ok(Scalar::Value(value)) => value,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn words_mean_booleans_and_null_in_three_spellings_each() {
        for text in ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"] {
            assert_eq!(plain(text), json!(true), "{text}");
        }
        for text in ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"] {
            assert_eq!(plain(text), json!(false), "{text}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(text), json!(null), "{text}");
        }
        for text in ["nO", "yEs", "oN", "tRUE", "nUll", "none", "None", "t", "f", "oFF"] {
            assert_eq!(plain(text), json!(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_those_that_kubectl_reads() {
        for (text, value) in [
            ("0", json!(0)),
            ("-0", json!(0)),
            ("+12", json!(12)),
            ("0644", json!(420)),
            ("-0644", json!(-420)),
            ("0o644", json!(420)),
            ("0x1F90", json!(8080)),
            ("0X1f", json!(31)),
            ("0b101", json!(5)),
            ("-0b11", json!(-3)),
            ("8_080", json!(8080)),
            ("0_7", json!(7)),
            ("0644_0", json!(3360)),
            ("1_0.5", json!(10.5)),
            ("08", json!(8)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("1.", json!(1)),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            ("12345e6", json!(12_345_000_000_i64)),
            ("1.5e-3", json!(0.0015)),
            ("1e21", json!(1e21)),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_a_text() {
        for text in [
            "1:30",
            "12:30:45",
            "1.2.3",
            "0x",
            "0b2",
            "0o9",
            "1e400",
            ".5_0",
            "-",
            "+",
            ".",
            "..",
            "1e",
            "e3",
            "100m",
            "1Gi",
            "2026-01-05",
            "2026-01-05T07:08:09Z",
            "2026-1-5",
            "1,000",
            "0xZZ",
            "--1",
            "infinity",
            "NaN",
            "1_a",
        ] {
            assert_eq!(plain(text), json!(text), "{text}");
        }
    }

    #[test]
    fn what_json_can_not_say_is_refused() {
        for text in [".inf", "-.Inf", "+.INF", ".nan", ".NaN"] {
            assert_eq!(resolve(Tag::None, text), Err(ScalarError::NotFinite), "{text}");
        }
        let long = format!("0x{}", "f".repeat(40));
        assert_eq!(resolve(Tag::None, &long), Err(ScalarError::TooLarge));
        assert_eq!(resolve(Tag::Binary, "aGk="), Err(ScalarError::Binary));
    }

    #[test]
    fn a_tag_decides_over_the_text_or_contradicts_it() {
        let value =
            |tag, text| resolve(tag, text).map(|scalar| if let Scalar::Value(v) = scalar { v } else { json!("<<") });
        assert_eq!(value(Tag::Text, "404"), Ok(json!("404")));
        assert_eq!(value(Tag::Int, "8080"), Ok(json!(8080)));
        assert_eq!(value(Tag::Float, "3"), Ok(json!(3)));
        assert_eq!(value(Tag::Bool, "yes"), Ok(json!(true)));
        assert_eq!(value(Tag::Timestamp, "2026-01-05"), Ok(json!("2026-01-05")));
        for (tag, text) in [(Tag::Int, "1.5"), (Tag::Int, "x"), (Tag::Bool, "1"), (Tag::Null, "x"), (Tag::Float, "x")] {
            assert_eq!(value(tag, text), Err(ScalarError::Tagged), "{text}");
        }
    }
}
