//! The `mizzen` command.

mod args;
mod assemble;
mod commands;
mod components;
mod intents;
mod logging;
mod progress;
mod rehearse;
mod rights;
mod source;
mod statuses;
mod style;
mod told;

use std::process::ExitCode;

use clap::Parser;

// Every call makes and drops thousands of small texts and trees, on all threads: with the system's allocator that was a quarter of the host's
// CPU time, and left holes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    commands::run(args::Args::parse())
}
