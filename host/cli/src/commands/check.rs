//! `mizzen check`: everything that is wrong with a configuration and its components, at once.

use std::process::ExitCode;

use mizzen_config::Configuration;

use crate::args::Check;
use crate::assemble;
use crate::components::Components;
use crate::style::{ADDED, WRONG};

pub(crate) async fn check(args: Check) -> anyhow::Result<ExitCode> {
    let (documents, unread) = assemble::survey(&args.source.files);
    let (configuration, mut problems) = Configuration::survey(&documents);
    if configuration.reconcilers.is_empty() && problems.is_empty() && unread.is_empty() {
        return Err(assemble::no_reconciler(&args.source.files));
    }
    // Also where something is wrong already: whoever mends it wants to know of all of it.
    let loaded = Components::new(&args.source.sandbox, args.source.plugins)?.complete(&configuration).await;
    problems.extend(loaded.problems());
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    // First: what follows may be wrong only because these are missing.
    for error in &unread {
        anstream::eprintln!("{WRONG}error{WRONG:#}: {error}");
    }
    for problem in &problems {
        anstream::eprintln!("{WRONG}error{WRONG:#}: {problem}");
    }
    if !(unread.is_empty() && problems.is_empty()) {
        return Ok(ExitCode::FAILURE);
    }
    for entry in &loaded.renderers {
        anstream::println!("{ADDED}ok{ADDED:#} {} (renderer)", entry.renderer.name);
    }
    for entry in &loaded.entries {
        let description = entry
            .invoke
            .as_ref()
            .map(|invoke| format!("{} {}", invoke.description().name, invoke.description().version));
        anstream::println!("{ADDED}ok{ADDED:#} {} ({})", entry.reconciler.name, description.unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
