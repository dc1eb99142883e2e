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

fn main() -> ExitCode {
    commands::run(args::Args::parse())
}
