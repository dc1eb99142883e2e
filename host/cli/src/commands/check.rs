//! `mizzen check`: everything that is wrong with a configuration and its components, at once.

use std::process::ExitCode;

use crate::args::Check;
use crate::assemble;
use crate::style::{ADDED, WRONG};

pub(crate) async fn check(args: Check) -> anyhow::Result<ExitCode> {
    let configuration = assemble::configuration_of(&args.source.files)?;
    let mut catalog = assemble::catalog(assemble::sandbox(&args.source.sandbox)?, args.source.plugins);
    let entries = catalog.refresh(&configuration).await;
    let problems = assemble::problems(&entries);
    for problem in &problems {
        anstream::eprintln!("{WRONG}error{WRONG:#}: {problem}");
    }
    if !problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    for entry in &entries {
        let description = entry
            .invoke
            .as_ref()
            .map(|invoke| format!("{} {}", invoke.description().name, invoke.description().version));
        anstream::println!("{ADDED}ok{ADDED:#} {} ({})", entry.reconciler.name, description.unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
