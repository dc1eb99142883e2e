//! The `mizzen` command.

mod args;
mod assemble;
mod collector;
mod commands;
mod components;
mod election;
mod intents;
mod live_plan;
mod logging;
mod markdown;
mod ownership;
mod progress;
mod rehearse;
mod report;
mod reported;
mod revise;
mod rights;
mod show;
mod source;
mod statuses;
mod style;
mod terminal;
mod warnings;

use std::process::ExitCode;

use clap::Parser;

// Every call allocates and frees thousands of small texts and trees, on all threads: with the
// system's allocator that took a quarter of the host's CPU time and fragmented its memory.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    commands::run(args::Args::parse())
}
