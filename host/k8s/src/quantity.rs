//! Quantities of resources. One amount can be written in many ways: `1`, `1000m` and `1e0` are the same.
//!
//! The grammar is that of `resource.Quantity` in `k8s.io/apimachinery`: a signed decimal number and
//! a suffix, which is a power of ten (`n u m k M G T P E`), a power of two (`Ki Mi Gi Ti Pi Ei`) or
//! an exponent (`e3`, `E-2`).

use std::str::FromStr;

use serde_json::Value;

/// Suffixes as (suffix, base, exponent).
const SUFFIXES: [(&str, u32, i32); 16] = [
    ("", 10, 0),
    ("n", 10, -9),
    ("u", 10, -6),
    ("m", 10, -3),
    ("k", 10, 3),
    ("M", 10, 6),
    ("G", 10, 9),
    ("T", 10, 12),
    ("P", 10, 15),
    ("E", 10, 18),
    ("Ki", 2, 10),
    ("Mi", 2, 20),
    ("Gi", 2, 30),
    ("Ti", 2, 40),
    ("Pi", 2, 50),
    ("Ei", 2, 60),
];

const NANOS_PER_ONE: i128 = 1_000_000_000;

/// Decimal places that the API server keeps.
const PLACES: i32 = 9;

/// An amount, exact to a billionth: the API server rounds anything finer up to the next billionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

/// Why a value is not a [`Quantity`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not follow the grammar.
    #[error("`{0}` is not a valid quantity: write e.g. `2`, `500m` or `64Mi`")]
    Syntax(String),
    /// It is larger than 10²⁹, far beyond what the API server calculates with.
    #[error("the quantity `{0}` is too large")]
    TooLarge(String),
}

impl Quantity {
    /// A whole number, e.g. of cores or bytes.
    pub const fn whole(number: u64) -> Self {
        // Cannot overflow: u64::MAX times 10⁹ is below 2⁹⁴. `i128::from` is not const.
        Self { nanos: number as i128 * NANOS_PER_ONE }
    }

    /// Whether two values are the same, be it as JSON or as quantities. A value that is not a
    /// quantity equals only itself.
    pub fn same(a: &Value, b: &Value) -> bool {
        a == b || matches!((Self::try_from(a), Self::try_from(b)), (Ok(a), Ok(b)) if a == b)
    }

    /// The amount in billionths.
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// The amount in bytes, where one is a byte: rounded up to a whole number, as Kubernetes does.
    /// `None` if it is negative or beyond 2⁶⁴.
    pub fn bytes(self) -> Option<u64> {
        let (whole, rest) = (self.nanos.div_euclid(NANOS_PER_ONE), self.nanos.rem_euclid(NANOS_PER_ONE));
        u64::try_from(whole + i128::from(rest > 0)).ok().filter(|_| self.nanos >= 0)
    }

    /// The sum, or the largest amount there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_add(other.nanos) }
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || QuantityError::Syntax(text.to_owned());
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(syntax());
        }
        let (base, exponent) = unit(suffix).ok_or_else(syntax)?;
        let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
        let places = i32::try_from(digits.len() - whole.len()).map_err(|_| syntax())?;
        let nanos = nanos(&digits, places, base, exponent).ok_or_else(|| QuantityError::TooLarge(text.to_owned()))?;
        Ok(Self { nanos: if text.starts_with('-') { -nanos } else { nanos } })
    }
}

/// Reads a JSON text or number, as the API server does.
impl TryFrom<&Value> for Quantity {
    type Error = QuantityError;

    fn try_from(value: &Value) -> Result<Self, Self::Error> {
        match value {
            Value::String(text) => text.parse(),
            Value::Number(number) => number.to_string().parse(),
            other => Err(QuantityError::Syntax(other.to_string())),
        }
    }
}

/// Base and exponent of a suffix; `None` for an unknown one.
fn unit(suffix: &str) -> Option<(u32, i32)> {
    if let Some(known) = SUFFIXES.iter().find(|known| known.0 == suffix) {
        return Some((known.1, known.2));
    }
    // An `E` alone is 10¹⁸ and in the table above.
    suffix.strip_prefix(['e', 'E'])?.parse().ok().map(|exponent| (10, exponent))
}

/// `digits`, of which the last `places` are behind the point, times a power, in billionths; `None` if that is too
/// large.
fn nanos(digits: &str, places: i32, base: u32, exponent: i32) -> Option<i128> {
    let digits: i128 = match digits.trim_start_matches('0') {
        "" => return Some(0),
        digits => digits.parse().ok()?,
    };
    if base == 10 {
        return scale(digits, exponent.checked_add(PLACES)?.checked_sub(places)?);
    }
    scale(digits.checked_mul(i128::from(base).checked_pow(exponent.unsigned_abs())?)?, PLACES - places)
}

/// A positive number times a power of ten, rounded up to a whole number; `None` if that is too large.
fn scale(number: i128, tens: i32) -> Option<i128> {
    match (10_i128.checked_pow(tens.unsigned_abs()), tens) {
        (power, 0..) => number.checked_mul(power?),
        (Some(power), _) => Some(number / power + i128::from(number % power > 0)),
        // Less than a billionth, whatever the number.
        (None, _) => Some(1),
    }
}

#[cfg(test)]
mod tests;
