//! One file for each command.

mod check;
mod compile;
mod dev;
mod inspect;
mod plan;
mod rbac;
mod run;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Args, Command, Plugin};
use crate::style::WRONG;

/// There are changes.
const CHANGES: u8 = 2;

/// Runs a command and says how it ended.
pub(crate) fn run(args: Args) -> ExitCode {
    if let Command::Plugin(Plugin::CompileHere(args)) = &args.command {
        return compile::compile_here(args);
    }
    // Guests give way every few milliseconds, and each time counts as one task: with the default of 61, a guest that loops on every
    // thread would keep the network waiting for a third of a second.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(4).global_queue_interval(4).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = match args.command {
        Command::Run(args) => runtime.block_on(run::run(args)),
        Command::Plan(args) => runtime.block_on(plan::plan(args)),
        Command::Dev(args) => runtime.block_on(dev::dev(args)),
        Command::Check(args) => runtime.block_on(check::check(args)),
        Command::Rbac(args) => runtime.block_on(rbac::rbac(args)),
        Command::Plugin(Plugin::Inspect { file, output, sandbox }) => {
            runtime.block_on(inspect::inspect(&file, output, &sandbox))
        }
        Command::Plugin(Plugin::Compile(args)) => runtime.block_on(compile::compile(args)),
        Command::Plugin(Plugin::CompileHere(args)) => Ok(compile::compile_here(&args)),
        Command::Crd => {
            let definitions = [mizzen_config::document::crd(), mizzen_config::document::renderer_crd()];
            anstream::print!("{}", definitions.each_ref().map(crate::intents::yaml).join("---\n"));
            Ok(ExitCode::SUCCESS)
        }
        Command::Version => {
            println!("mizzen {} (plugins: {})", env!("CARGO_PKG_VERSION"), contract());
            Ok(ExitCode::SUCCESS)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "mizzen", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| fail(&error))
}

/// The contract with plugins, as its text says it: `mizzen:plugin@0.1.0`.
fn contract() -> &'static str {
    let package = include_str!("../../../../wit/types.wit").lines().find_map(|line| line.strip_prefix("package "));
    package.map_or("", |package| package.trim_end_matches(';'))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("{WRONG}error{WRONG:#}: {error:#}");
    ExitCode::FAILURE
}
