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
use clap_complete::Shell;

use crate::args::{Args, Command, Plugin};
use crate::{report, terminal};

/// Runs a command, reports its error, and returns its exit code.
pub(crate) fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Plugin(Plugin::CompileHere(args)) => compile::compile_here(&args),
        Command::Crd => crd(),
        Command::Version => version(),
        Command::Completions { shell } => completions(shell),
        Command::Run(args) => block_on(run::run(args)),
        Command::Plan(args) => block_on(plan::plan(args)),
        Command::Dev(args) => block_on(dev::dev(args)),
        Command::Check(args) => block_on(check::check(args)),
        Command::Rbac(args) => block_on(rbac::rbac(args)),
        Command::Plugin(Plugin::Inspect(args)) => block_on(inspect::inspect(args)),
        Command::Plugin(Plugin::Compile(args)) => block_on(compile::compile(args)),
    };
    done.unwrap_or_else(|error| report::fail(&error))
}

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    // Guests yield every few milliseconds, and each yield counts as one task: at the default
    // interval of 61, guests that loop on every thread would keep the network waiting for a third
    // of a second.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(4).global_queue_interval(4).build()?;
    runtime.block_on(command)
}

fn crd() -> anyhow::Result<ExitCode> {
    let definitions = [mizzen_config::document::crd(), mizzen_config::document::renderer_crd()];
    terminal::text(&definitions.each_ref().map(terminal::yaml).join("---\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn version() -> anyhow::Result<ExitCode> {
    terminal::line(format_args!("mizzen {} (plugins: {})", env!("CARGO_PKG_VERSION"), contract()))?;
    Ok(ExitCode::SUCCESS)
}

/// The contract with plugins, as its WIT names it: `mizzen:plugin@0.1.0`.
fn contract() -> &'static str {
    let package = include_str!("../../../wit/types.wit").lines().find_map(|line| line.strip_prefix("package "));
    package.map_or("", |package| package.trim_end_matches(';'))
}

fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    // Into memory first: the generator panics where it can't write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "mizzen", &mut script);
    terminal::print(|out| out.write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}
