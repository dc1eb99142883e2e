//! `mizzen plan`: shows what the reconcilers would change, in a folder of YAML or in a cluster.

use std::process::ExitCode;

use crate::args::{Plan, PlanOutput};
use crate::components::Components;
use crate::intents::{Intents, Statuses};
use crate::revise::{Adoption, revise};
use crate::show::{self, Details};
use crate::terminal::yaml;
use crate::{assemble, live_plan, markdown, rehearse, terminal};

/// The exit code of a plan with changes.
const CHANGES: u8 = 2;

pub(crate) async fn plan(args: Plan) -> anyhow::Result<ExitCode> {
    let intents = rehearse(&args).await?;
    match args.output {
        PlanOutput::Diff => terminal::print(|out| show::intents(&intents, Details::Diffs, out))?,
        PlanOutput::Wide => terminal::print(|out| show::intents(&intents, Details::Headlines, out))?,
        PlanOutput::Json => terminal::line(format_args!("{:#}", serde_json::to_value(&intents)?))?,
        PlanOutput::Yaml => terminal::text(&yaml(&serde_json::to_value(&intents)?))?,
        PlanOutput::Markdown => terminal::print(|out| markdown::intents(&intents, out))?,
    }
    Ok(if !intents.problems.is_empty() {
        ExitCode::FAILURE
    } else if intents.changes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(CHANGES)
    })
}

async fn rehearse(args: &Plan) -> anyhow::Result<Intents> {
    let statuses = if args.status { Statuses::Shown } else { Statuses::Hidden };
    let adoption = if args.adopt { Adoption::Everything } else { Adoption::Granted };
    let mut documents = assemble::documents(&args.files)?;
    if !args.target.live {
        revise(&mut documents, &args.candidates, adoption)?;
        let mut components = Components::new(&args.sandbox, args.plugins.clone())?;
        return rehearse::rehearse(&documents, &mut components, statuses).await;
    }
    let plugins = args.plugins.clone().unwrap_or_else(|| ".".into());
    let mut components = Components::new(&args.sandbox, Some(plugins))?;
    let cluster = live_plan::Source::connect(&args.target).await?;
    cluster.add_configuration(&mut documents).await?;
    revise(&mut documents, &args.candidates, adoption)?;
    cluster.rehearse(&documents, &mut components, statuses).await
}
