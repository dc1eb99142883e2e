//! Shows intents on a terminal.

use std::io::{Result, Write};

use mizzen_engine::PlanCounts;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::intents::{Intent, Intents, Trouble, Verb};
use crate::style::{ADDED, CHANGED, FAINT, HEADING, REMOVED, WRONG};
use crate::terminal::yaml;

/// How much is shown of each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Details {
    /// One line.
    Headlines,
    /// One line, and under it a diff of the object.
    Diffs,
}

/// Shows changes by reconciler, then what would fail, what is unfinished, the warnings, and a
/// summary.
pub(crate) fn intents(intents: &Intents, details: Details, out: &mut dyn Write) -> Result<()> {
    let mut reconciler = "";
    for intent in &intents.changes {
        if intent.reconciler != reconciler {
            reconciler = &intent.reconciler;
            writeln!(out, "{HEADING}{reconciler}{HEADING:#}")?;
        }
        headline(intent, out)?;
        if details == Details::Diffs {
            diff(intent, out)?;
        }
    }
    for Trouble { reconciler, subject, reason, message } in &intents.problems {
        writeln!(out, "{WRONG}{reconciler}: {subject}: {reason}{WRONG:#}: {message}")?;
    }
    for Trouble { reconciler, subject, message, .. } in &intents.unfinished {
        writeln!(out, "{FAINT}{reconciler}: {subject}: more changes follow{FAINT:#}: {message}")?;
    }
    for warning in &intents.warnings {
        writeln!(out, "{CHANGED}warning{CHANGED:#}: {warning}")?;
    }
    writeln!(out, "{HEADING}{}{HEADING:#}", PlanCounts::from(intents))
}

/// How a verb is marked before its object.
pub(crate) fn sign(verb: Verb) -> char {
    match verb {
        Verb::Create => '+',
        Verb::Delete => '-',
        Verb::Adopt => '>',
        Verb::Change | Verb::Status => '~',
    }
}

fn headline(intent: &Intent, out: &mut dyn Write) -> Result<()> {
    let style = match intent.verb {
        Verb::Create => ADDED,
        Verb::Delete => REMOVED,
        Verb::Adopt | Verb::Change | Verb::Status => CHANGED,
    };
    let sign = sign(intent.verb);
    let (object, subject) = (intent.headline(), intent.subject());
    writeln!(out, "  {style}{sign} {object}{style:#} {FAINT}for {subject}{FAINT:#}")
}

fn diff(intent: &Intent, out: &mut dyn Write) -> Result<()> {
    lines(intent, |sign, line| match sign {
        '+' => writeln!(out, "    {ADDED}+ {line}{ADDED:#}"),
        '-' => writeln!(out, "    {REMOVED}- {line}{REMOVED:#}"),
        _ => writeln!(out, "      {line}"),
    })
}

/// The lines of the diff of an object, each with `+`, `-` or a space, and three lines around each change.
pub(crate) fn lines(intent: &Intent, mut write: impl FnMut(char, &str) -> Result<()>) -> Result<()> {
    let text = |value: &Option<Value>| value.as_ref().map(yaml).unwrap_or_default();
    let (before, after) = (text(&intent.before), text(&intent.after));
    let difference = TextDiff::from_lines(&before, &after);
    for change in difference.grouped_ops(3).iter().flatten().flat_map(|op| difference.iter_changes(op)) {
        let sign = match change.tag() {
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
            ChangeTag::Equal => ' ',
        };
        write(sign, change.value().trim_end_matches('\n'))?;
    }
    Ok(())
}
