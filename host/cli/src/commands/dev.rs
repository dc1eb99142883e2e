//! `mizzen dev`: plans again whenever a file or a component changes, and shows what became different.

use std::process::ExitCode;

use mizzen_catalog::FileWatch;

use tokio::signal::unix::{SignalKind, signal};

use crate::args::Dev;
use crate::components::Components;
use crate::intents::Intents;
use crate::style::{FAINT, HEADING, WRONG};
use crate::{assemble, rehearse};

pub(crate) async fn dev(args: Dev) -> anyhow::Result<ExitCode> {
    // Before anything takes long: a signal that comes early ends it, too.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        ended = follow(args) => ended,
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
    }
}

async fn follow(args: Dev) -> anyhow::Result<ExitCode> {
    let mut watch = FileWatch::new()?;
    watch.folder(&args.folder, true)?;
    if let Some(plugins) = &args.plugins {
        watch.folder(plugins, false)?;
    }
    let mut components = Components::new(&args.sandbox, args.plugins.clone())?;
    let mut before: Option<Intents> = None;
    let mut last_error = String::new();
    loop {
        match plan(&args, &mut components).await {
            Ok(now) => {
                show(before.as_ref(), &now)?;
                before = Some(now);
                last_error.clear();
            }
            Err(error) => {
                let error = format!("{error:#}");
                if error != last_error {
                    anstream::eprintln!("{WRONG}error{WRONG:#}: {error}");
                }
                last_error = error;
            }
        }
        watch.changed().await;
    }
}

async fn plan(args: &Dev, components: &mut Components) -> anyhow::Result<Intents> {
    let documents = assemble::documents(std::slice::from_ref(&args.folder))?;
    rehearse::rehearse(&documents, components, true).await
}

/// Everything the first time; afterwards only what became different.
fn show(before: Option<&Intents>, now: &Intents) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let Some(before) = before else {
        now.show(&mut out, false)?;
        anstream::println!("{FAINT}watching; Ctrl-C ends{FAINT:#}");
        return Ok(());
    };
    let (news, gone) = now.since(before);
    for intent in gone {
        anstream::println!("{FAINT}no longer: {}{FAINT:#}", intent.headline());
    }
    if news.changes.is_empty() && news.problems.is_empty() {
        anstream::println!("{HEADING}nothing else became different{HEADING:#}");
    } else {
        news.show(&mut out, true)?;
    }
    Ok(())
}
