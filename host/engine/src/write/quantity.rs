//! Quantities of resources, as Kubernetes writes them: `1`, `1000m` and `1e0` are the same one.

use serde_json::Value;

/// Suffixes that stand for powers of ten and of two, as (suffix, base, exponent).
const SUFFIXES: [(&str, u32, i32); 16] = [
    ("Ki", 2, 10),
    ("Mi", 2, 20),
    ("Gi", 2, 30),
    ("Ti", 2, 40),
    ("Pi", 2, 50),
    ("Ei", 2, 60),
    ("n", 10, -9),
    ("u", 10, -6),
    ("m", 10, -3),
    ("k", 10, 3),
    ("M", 10, 6),
    ("G", 10, 9),
    ("T", 10, 12),
    ("P", 10, 15),
    ("E", 10, 18),
    ("", 10, 0),
];

/// Billionths: finer than the API server keeps any.
const FINEST: i32 = 9;

/// Whether two values are the same quantity. What is none is the same as nothing but itself.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((billionths(a), billionths(b)), (Some(a), Some(b)) if a == b)
}

/// A quantity in billionths; `None` for what is none, or too large or fine to be told.
fn billionths(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (base, exponent) = match suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty()) {
        Some(exponent) => (10, exponent.parse().ok()?),
        None => SUFFIXES.iter().find(|own| own.0 == suffix).map(|own| (own.1, own.2))?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let finest = scale(digits, 10, FINEST.checked_sub(i32::try_from(fraction.len()).ok()?)?)?;
    scale(finest, base, exponent)
}

/// A number times a power; `None` where that is no whole number, or too large.
fn scale(number: i128, base: u32, exponent: i32) -> Option<i128> {
    let power = i128::from(base).checked_pow(exponent.unsigned_abs())?;
    if exponent >= 0 { number.checked_mul(power) } else { (number % power == 0).then_some(number / power) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_quantity_has_many_words() {
        for (a, b) in [
            (json!("1000m"), json!("1")),
            (json!("4000m"), json!(4)),
            (json!("0.5"), json!("500m")),
            (json!("1.5Gi"), json!("1536Mi")),
            (json!("1024Ki"), json!("1Mi")),
            (json!("1e3"), json!("1k")),
            (json!("1E"), json!("1000P")),
            (json!("100n"), json!("0.1u")),
        ] {
            assert!(same(&a, &b) && same(&b, &a), "{a} {b}");
        }
    }

    #[test]
    fn others_are_others_and_what_is_none_is_the_same_as_itself_alone() {
        for (a, b) in [
            (json!("1"), json!("1001m")),
            (json!("1G"), json!("1Gi")),
            (json!("1M"), json!("1m")),
            (json!("one"), json!("two")),
            (json!(""), json!("0")),
            (json!("1x"), json!("1")),
            (json!("99999999999999999999999999999999999999"), json!("1")),
            (json!("1e99"), json!("1e98")),
            (json!(null), json!("0")),
        ] {
            assert!(!same(&a, &b), "{a} {b}");
            assert!(same(&a, &a), "{a}");
        }
    }
}
