//! `mizzen check`: reports everything that is wrong with a configuration and its components.

use std::process::ExitCode;

use mizzen_config::Configuration;

use crate::args::Check;
use crate::components::Components;
use crate::style::ADDED;
use crate::{assemble, terminal};

pub(crate) async fn check(args: Check) -> anyhow::Result<ExitCode> {
    let (documents, unread) = assemble::survey(&args.source.files);
    let (configuration, mut problems) = Configuration::survey(&documents);
    if configuration.reconcilers.is_empty() && problems.is_empty() && unread.is_empty() {
        return Err(assemble::no_reconciler(&args.source.files));
    }
    // Components are checked even when documents are wrong, so that one run reports everything.
    let loaded = Components::new(&args.source.sandbox, args.source.plugins)?.complete(&configuration).await;
    problems.extend(loaded.problems());
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    // Unreadable files come first: other problems may only be their consequence.
    unread.iter().for_each(terminal::error);
    problems.iter().for_each(terminal::error);
    configuration.reconcilers.iter().flat_map(|own| own.warnings()).for_each(terminal::warning);
    if !(unread.is_empty() && problems.is_empty()) {
        return Ok(ExitCode::FAILURE);
    }
    for entry in &loaded.renderers {
        terminal::line(format_args!("{ADDED}ok{ADDED:#} {} (renderer)", entry.renderer.name))?;
    }
    for entry in &loaded.entries {
        let description = entry
            .invoke
            .as_ref()
            .map(|invoke| format!("{} {}", invoke.description().name, invoke.description().version));
        let (name, description) = (&entry.reconciler.name, description.unwrap_or_default());
        terminal::line(format_args!("{ADDED}ok{ADDED:#} {name} ({description})"))?;
    }
    Ok(ExitCode::SUCCESS)
}
