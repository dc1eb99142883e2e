//! Kubernetes quantities, as far as telling whether two say the same: `2000m` and `2`, `1024Mi` and `1Gi`.

/// The same text for the same amount; what is no quantity stays as it is.
pub(crate) fn canonical(text: &str) -> String {
    nanos(text).map_or_else(|| text.to_owned(), |nanos| format!("{nanos}n"))
}

/// Whether two texts are the same amount.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a == b || matches!((nanos(a), nanos(b)), (Some(a), Some(b)) if a == b)
}

/// In billionths. None: no quantity, or one that is not a whole number of them.
fn nanos(text: &str) -> Option<i128> {
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let amount: i128 = format!("{whole}{part}").parse().ok()?;
    let amount = if text.starts_with('-') { -amount } else { amount };
    let (factor, tens) = unit(suffix)?;
    let tens = tens + 9 - i32::try_from(part.len()).ok()?;
    let power = 10_i128.checked_pow(tens.unsigned_abs())?;
    let amount = amount.checked_mul(factor)?;
    if tens >= 0 { amount.checked_mul(power) } else { (amount % power == 0).then(|| amount / power) }
}

/// A suffix as a factor and a power of ten.
fn unit(suffix: &str) -> Option<(i128, i32)> {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    if let Some(at) = BINARY.iter().position(|own| *own == suffix) {
        return Some((1 << (10 * (at + 1)), 0));
    }
    if let Some(at) = DECIMAL.iter().position(|own| *own == suffix) {
        return Some((1, 3 * (i32::try_from(at).ok()? - 3)));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (exponent.unsigned_abs() <= 18).then_some((1, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_amount_is_the_same_however_it_is_written() {
        for (a, b) in [
            ("2000m", "2"),
            ("2000m", "2.0"),
            ("1024Mi", "1Gi"),
            ("0.5", "500m"),
            ("1e3", "1k"),
            ("12E2", "1200"),
            ("1.5Gi", "1536Mi"),
            ("128974848", "123Mi"),
        ] {
            assert!(same(a, b), "{a} {b}");
            assert_eq!(canonical(a), canonical(b), "{a} {b}");
        }
    }

    #[test]
    fn other_amounts_and_what_is_none_are_told_apart() {
        for (a, b) in [("1", "1m"), ("1G", "1Gi"), ("1", "-1"), ("x", "y"), ("", "0"), ("1e99", "1"), ("1.2.3", "1")] {
            assert!(!same(a, b), "{a} {b}");
        }
        assert!(same("x", "x"));
    }
}
