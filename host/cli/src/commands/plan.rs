//! `mizzen plan`: shows what the reconcilers would change in a folder of YAML.

use std::process::ExitCode;

use crate::args::{Plan, PlanOutput};
use crate::components::Components;
use crate::intents::Statuses;
use crate::show::{self, Details};
use crate::terminal::yaml;
use crate::{assemble, rehearse, terminal};

/// The exit code of a plan with changes.
const CHANGES: u8 = 2;

pub(crate) async fn plan(args: Plan) -> anyhow::Result<ExitCode> {
    let documents = assemble::documents(&args.source.files)?;
    let mut components = Components::new(&args.source.sandbox, args.source.plugins)?;
    let statuses = if args.status { Statuses::Shown } else { Statuses::Hidden };
    let intents = rehearse::rehearse(&documents, &mut components, statuses).await?;
    match args.output {
        PlanOutput::Diff => terminal::print(|out| show::intents(&intents, Details::Diffs, out))?,
        PlanOutput::Wide => terminal::print(|out| show::intents(&intents, Details::Headlines, out))?,
        PlanOutput::Json => terminal::line(format_args!("{:#}", serde_json::to_value(&intents)?))?,
        PlanOutput::Yaml => terminal::text(&yaml(&serde_json::to_value(&intents)?))?,
    }
    Ok(if !intents.problems.is_empty() {
        ExitCode::FAILURE
    } else if intents.changes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(CHANGES)
    })
}
