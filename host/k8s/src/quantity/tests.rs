use proptest::prelude::*;
use serde_json::json;

use super::*;

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

#[test]
fn one_amount_can_be_written_in_many_ways() {
    for (a, b) in [
        ("1000m", "1"),
        ("2000m", "2.0"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("5.", "5"),
        ("+1", "1"),
        ("-0", "0"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1Ti", "1024Gi"),
        ("1Ei", "1024Pi"),
        ("128974848", "123Mi"),
        ("1e3", "1k"),
        ("12E2", "1200"),
        ("1E-3", "1m"),
        ("1e+3", "1k"),
        ("1E", "1000P"),
        ("1E", "1e18"),
        ("100n", "0.1u"),
        ("0.1250000000000000000000000000000000000000", "125m"),
        ("0e99", "0"),
    ] {
        assert_eq!(quantity(a), quantity(b), "{a} {b}");
    }
}

#[test]
fn suffixes_and_exponents_are_different_powers() {
    for (smaller, larger) in [
        ("1n", "1u"),
        ("1u", "1m"),
        ("1m", "1"),
        ("1", "1k"),
        ("1k", "1Ki"),
        ("1Ki", "1M"),
        ("1G", "1Gi"),
        ("1Gi", "1T"),
        ("1T", "1P"),
        ("1Pi", "1E"),
        ("1e3", "1E"),
        ("1E", "1Ei"),
        ("-1", "0"),
        ("999m", "1"),
    ] {
        assert!(quantity(smaller) < quantity(larger), "{smaller} {larger}");
    }
}

#[test]
fn an_amount_finer_than_a_billionth_is_rounded_up() {
    for (fine, rounded) in [("0.1n", "1n"), ("1.5n", "2n"), ("-0.1n", "-1n"), ("1e-99", "1n"), ("1e-12", "1n")] {
        assert_eq!(quantity(fine), quantity(rounded), "{fine}");
    }
}

#[test]
fn a_text_that_is_not_a_quantity_is_refused_with_an_example() {
    for bad in [
        "", ".", "-", "Mi", "1x", "1i", "1mi", "1K", "one", " 1", "1 ", "1.2.3", "--1", "1e", "1e3M", "1Mi1", "0x10",
        "ä", "1٣", "NaN",
    ] {
        let error = bad.parse::<Quantity>().unwrap_err();
        assert_eq!(error, QuantityError::Syntax(bad.into()));
        assert!(error.to_string().contains("`64Mi`"), "{error}");
    }
}

#[test]
fn an_amount_beyond_all_bounds_is_refused_as_too_large() {
    for bad in ["1e99", "99999999999999999999999999999999999999", "99999999999999999999Ei", "1e2147483647"] {
        assert_eq!(bad.parse::<Quantity>().unwrap_err(), QuantityError::TooLarge(bad.into()));
    }
    assert_eq!(quantity("10Ei").bytes(), Some(10 << 60));
}

#[test]
fn bytes_are_whole_and_not_negative() {
    for (text, bytes) in [
        ("64Mi", Some(64 << 20)),
        ("4M", Some(4_000_000)),
        ("7", Some(7)),
        ("1Ti", Some(1 << 40)),
        ("1500m", Some(2)),
        ("0", Some(0)),
        ("-1", None),
        ("-1m", None),
        ("16Ei", None),
    ] {
        assert_eq!(quantity(text).bytes(), bytes, "{text}");
    }
}

#[test]
fn json_values_are_compared_as_quantities_where_both_are_and_as_values_otherwise() {
    for (a, b) in [(json!("4000m"), json!(4)), (json!(0.5), json!("500m")), (json!(1e21), json!("1000E"))] {
        assert!(Quantity::same(&a, &b) && Quantity::same(&b, &a), "{a} {b}");
    }
    for (a, b) in [
        (json!("1"), json!("1001m")),
        (json!("1M"), json!("1m")),
        (json!("one"), json!("two")),
        (json!(""), json!("0")),
        (json!("1e99"), json!("1e98")),
        (json!(null), json!("0")),
        (json!(true), json!("1")),
    ] {
        assert!(!Quantity::same(&a, &b), "{a} {b}");
        assert!(Quantity::same(&a, &a), "{a}");
    }
}

#[test]
fn sums_stop_at_the_largest_amount() {
    assert_eq!(quantity("1500m").saturating_add(quantity("500m")), Quantity::whole(2));
    let large = quantity("100000000000E");
    assert!(large.saturating_add(large) >= large);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[+-]?[0-9.]{0,45}[eEinumkKMGTP]{0,2}[+-]?[0-9]{0,11}") {
        let _ = text.parse::<Quantity>();
    }

    #[test]
    fn whole_numbers_are_read_exactly(number: u64) {
        prop_assert_eq!(quantity(&number.to_string()), Quantity::whole(number));
        prop_assert_eq!(Quantity::whole(number).bytes(), Some(number));
        prop_assert_eq!(quantity(&format!("{number}000000n")), quantity(&format!("{number}m")));
    }
}
