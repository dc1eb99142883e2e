//! `mizzen plugin inspect`: what a component says of itself.

use std::path::Path;
use std::process::ExitCode;

use mizzen_model::Fields;
use serde_json::{Value, json};

use crate::args::{Output, Sandbox};
use crate::assemble;
use crate::intents::yaml;
use crate::style::{FAINT, HEADING};

pub(crate) async fn inspect(file: &Path, output: Output, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let component = assemble::component(&assemble::sandbox(sandbox)?, file).await?;
    let description = component.description();
    let needs = description.needs.iter().map(|need| {
        json!({"access": need.access, "apiVersion": need.kind.api_version, "kind": need.kind.name, "why": need.why})
    });
    let sets = description.field_sets.iter().map(|(name, set)| {
        let whole = set.fields == Fields::Whole;
        json!({"name": name, "apiVersion": set.kind.api_version, "kind": set.kind.name, "whole": whole})
    });
    let document = json!({
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "digest": component.digest(),
        "subject": description.subject,
        "finalizes": description.finalizes,
        "needs": needs.collect::<Vec<_>>(),
        "http": description.http,
        "credentials": description.credentials,
        "renderers": description.renderers,
        "fieldSets": sets.collect::<Vec<_>>(),
        "configSchema": description.config_schema,
    });
    match output {
        Output::Json => println!("{document:#}"),
        Output::Yaml => print!("{}", yaml(&document)),
        Output::Text => text(&document),
    }
    Ok(ExitCode::SUCCESS)
}

fn text(document: &Value) {
    let of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    anstream::println!(
        "{HEADING}{} {}{HEADING:#}: {}",
        of(&document["name"]),
        of(&document["version"]),
        of(&document["summary"])
    );
    anstream::println!("{FAINT}{}{FAINT:#}", of(&document["digest"]));
    anstream::println!("asked about  {} {}", of(&document["subject"]["apiVersion"]), of(&document["subject"]["kind"]));
    anstream::println!(
        "before the subject goes: {}",
        if document["finalizes"] == true { "asked" } else { "not asked" }
    );
    anstream::println!("{HEADING}needs{HEADING:#}");
    for need in document["needs"].as_array().into_iter().flatten() {
        let kind = format!("{} {}", of(&need["apiVersion"]), of(&need["kind"]));
        anstream::println!("  {:<7} {kind:<48} {FAINT}{}{FAINT:#}", of(&need["access"]), of(&need["why"]));
    }
    for (what, heading) in
        [("http", "asks over HTTPS for"), ("credentials", "with credentials"), ("renderers", "calls renderers for")]
    {
        let all: Vec<_> = document[what].as_array().into_iter().flatten().map(of).collect();
        if !all.is_empty() {
            anstream::println!("{HEADING}{heading}{HEADING:#}\n  {}", all.join("\n  "));
        }
    }
    anstream::println!("{HEADING}configuration{HEADING:#}");
    anstream::print!("{}", yaml(&document["configSchema"]));
}
