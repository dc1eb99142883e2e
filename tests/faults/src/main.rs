//! Runs random plans of faults: `mizzen-faults --from 0 --plans 10000`, or one of them again: `--seed 7`.
#![allow(clippy::print_stdout, reason = "a program that reports on its output")]

use std::process::ExitCode;

use clap::Parser;
use mizzen_faults::plan::Plan;
use mizzen_faults::run::run;

/// The engine under random faults.
#[derive(Parser)]
struct Args {
    /// Runs this seed alone, and prints its plan.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many plans to run.
    #[arg(long, default_value_t = 1_000)]
    plans: u64,
}

fn main() -> ExitCode {
    let Args { seed, from, plans } = Args::parse();
    if let Some(seed) = seed {
        let plan = Plan::of(seed);
        for step in &plan.steps {
            println!("{step:?}");
        }
    }
    let seeds = seed.map_or(from..from.saturating_add(plans), |seed| seed..seed.saturating_add(1));
    let (count, mut failed) = (seeds.end - seeds.start, 0);
    for seed in seeds {
        if let Err(violation) = run(&Plan::of(seed)) {
            failed += 1;
            println!("seed {seed}: {violation}");
        }
    }
    println!("{count} plans, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
