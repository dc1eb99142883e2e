//! `mizzen dev`: plans again whenever a file or a component changes, and shows what is different.

use std::process::ExitCode;

use mizzen_catalog::{Depth, FileWatch};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Dev;
use crate::components::Components;
use crate::intents::{Difference, Intents, Statuses};
use crate::show::{self, Details};
use crate::style::{FAINT, HEADING};
use crate::{assemble, rehearse, report, terminal};

pub(crate) async fn dev(args: Dev) -> anyhow::Result<ExitCode> {
    // Registered before anything slow, so that an early signal ends the command as well.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        ended = follow(args) => ended,
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
    }
}

async fn follow(args: Dev) -> anyhow::Result<ExitCode> {
    let mut watch = FileWatch::new()?;
    watch.folder(&args.folder, Depth::Tree)?;
    if let Some(plugins) = &args.plugins {
        watch.folder(plugins, Depth::Folder)?;
    }
    let mut components = Components::new(&args.sandbox, args.plugins.clone())?;
    let mut before: Option<Intents> = None;
    let mut last_errors = Vec::new();
    loop {
        match plan(&args, &mut components).await {
            Ok(now) => {
                show(before.as_ref(), &now)?;
                before = Some(now);
                last_errors.clear();
            }
            Err(error) => {
                let lines = report::lines(&error);
                if lines != last_errors {
                    lines.iter().for_each(terminal::error);
                }
                last_errors = lines;
            }
        }
        watch.changed().await;
    }
}

async fn plan(args: &Dev, components: &mut Components) -> anyhow::Result<Intents> {
    let documents = assemble::documents(std::slice::from_ref(&args.folder))?;
    rehearse::rehearse(&documents, components, Statuses::Shown).await
}

/// Shows everything the first time, and afterwards only what is different.
fn show(before: Option<&Intents>, now: &Intents) -> anyhow::Result<()> {
    let Some(before) = before else {
        terminal::print(|out| show::intents(now, Details::Headlines, out))?;
        terminal::line(format_args!("{FAINT}watching for changes; press Ctrl-C to end{FAINT:#}"))?;
        return Ok(());
    };
    let Difference { new, gone } = now.since(before);
    for intent in gone {
        terminal::line(format_args!("{FAINT}no longer planned: {}{FAINT:#}", intent.headline()))?;
    }
    if new.changes.is_empty() && new.problems.is_empty() && new.warnings.is_empty() {
        terminal::line(format_args!("{HEADING}no other differences{HEADING:#}"))?;
    } else {
        terminal::print(|out| show::intents(&new, Details::Diffs, out))?;
    }
    Ok(())
}
