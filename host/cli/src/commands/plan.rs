//! `mizzen plan`: what the reconcilers would do to a folder of YAML.

use std::process::ExitCode;

use crate::args::{Plan, PlanOutput};
use crate::commands::CHANGES;
use crate::components::Components;
use crate::intents::yaml;
use crate::{assemble, rehearse};

pub(crate) async fn plan(args: Plan) -> anyhow::Result<ExitCode> {
    let documents = assemble::documents(&args.source.files)?;
    let mut components = Components::new(&args.source.sandbox, args.source.plugins)?;
    let intents = rehearse::rehearse(&documents, &mut components, args.status).await?;
    let mut out = anstream::stdout().lock();
    match args.output {
        PlanOutput::Diff => intents.show(&mut out, true)?,
        PlanOutput::Wide => intents.show(&mut out, false)?,
        PlanOutput::Json => println!("{:#}", serde_json::to_value(&intents)?),
        PlanOutput::Yaml => print!("{}", yaml(&serde_json::to_value(&intents)?)),
    }
    Ok(if !intents.problems.is_empty() {
        ExitCode::FAILURE
    } else if intents.changes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(CHANGES)
    })
}
