//! `mizzen plugin inspect`: shows what a component declares.

use std::io::{Result, Write};
use std::process::ExitCode;

use mizzen_model::{Description, Digest, Fields};
use serde_json::{Value, json};

use crate::args::{Inspect, Output};
use crate::style::{FAINT, HEADING};
use crate::terminal::yaml;
use crate::{assemble, terminal};

pub(crate) async fn inspect(args: Inspect) -> anyhow::Result<ExitCode> {
    let component = assemble::component(&assemble::sandbox(&args.sandbox)?, &args.file).await?;
    let (description, digest) = (component.description(), component.digest());
    match args.output {
        Output::Text => terminal::print(|out| text(description, digest, out))?,
        Output::Json => terminal::line(format_args!("{:#}", document(description, digest)))?,
        Output::Yaml => terminal::text(&yaml(&document(description, digest)))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The declarations for programs.
fn document(description: &Description, digest: Digest) -> Value {
    let needs = description.needs.iter().map(|need| {
        json!({"access": need.access, "apiVersion": need.kind.api_version, "kind": need.kind.name, "why": need.why})
    });
    let sets = description.field_sets.iter().map(|(name, set)| {
        let whole = set.fields == Fields::Whole;
        json!({"name": name, "apiVersion": set.kind.api_version, "kind": set.kind.name, "whole": whole})
    });
    json!({
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "digest": digest,
        "subject": description.subject,
        "finalizes": description.finalizes,
        "needs": needs.collect::<Vec<_>>(),
        "http": description.http,
        "credentials": description.credentials,
        "renderers": description.renderers,
        "fieldSets": sets.collect::<Vec<_>>(),
        "configSchema": description.config_schema,
    })
}

/// The declarations for people.
fn text(description: &Description, digest: Digest, out: &mut dyn Write) -> Result<()> {
    let Description { name, version, summary, subject, .. } = description;
    writeln!(out, "{HEADING}{name} {version}{HEADING:#}: {summary}")?;
    writeln!(out, "{FAINT}{digest}{FAINT:#}")?;
    writeln!(out, "subject:   {subject}")?;
    writeln!(out, "finalizes: {}", if description.finalizes { "yes" } else { "no" })?;
    writeln!(out, "{HEADING}needs{HEADING:#}")?;
    for need in &description.needs {
        let (access, kind) = (need.access.to_string(), need.kind.to_string());
        writeln!(out, "  {access:<7} {kind:<48} {FAINT}{}{FAINT:#}", need.why)?;
    }
    let lists = [
        ("HTTPS requests", &description.http),
        ("credentials", &description.credentials),
        ("renderers", &description.renderers),
    ];
    for (heading, entries) in lists {
        if !entries.is_empty() {
            writeln!(out, "{HEADING}{heading}{HEADING:#}\n  {}", entries.join("\n  "))?;
        }
    }
    writeln!(out, "{HEADING}configuration{HEADING:#}")?;
    write!(out, "{}", yaml(&description.config_schema))
}
