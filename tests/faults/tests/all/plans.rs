//! Random plans.

use mizzen_faults::plan::Plan;
use mizzen_faults::run::run;

/// How many plans each of the two tests runs; the program runs more.
const PLANS: u64 = 100;

fn all_hold(first: u64) {
    let failed: Vec<_> = (first..first + PLANS).filter_map(|seed| Some((seed, run(&Plan::of(seed)).err()?))).collect();
    let reports: Vec<_> = failed.iter().map(|(seed, violation)| format!("seed {seed}: {violation}")).collect();
    assert!(failed.is_empty(), "replay with `cargo run -p mizzen-faults -- --seed N`\n{}", reports.join("\n"));
}

#[test]
fn whatever_fails_in_between_the_end_is_that_of_an_undisturbed_run() {
    all_hold(0);
}

#[test]
fn whatever_fails_in_between_the_end_is_that_of_an_undisturbed_run_also_for_other_seeds() {
    all_hold(1_000_000);
}
