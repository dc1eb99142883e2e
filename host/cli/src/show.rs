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
    let verbs = [Verb::Create, Verb::Adopt, Verb::Change, Verb::Delete];
    let [create, adopt, change, delete] = verbs.map(|verb| intents.count(verb));
    let counts = PlanCounts { create, adopt, change, delete };
    writeln!(out, "{HEADING}{counts}{HEADING:#}")
}

fn headline(intent: &Intent, out: &mut dyn Write) -> Result<()> {
    let (style, sign) = match intent.verb {
        Verb::Create => (ADDED, '+'),
        Verb::Delete => (REMOVED, '-'),
        Verb::Adopt => (CHANGED, '>'),
        Verb::Change | Verb::Status => (CHANGED, '~'),
    };
    let (object, subject) = (intent.headline(), intent.subject());
    writeln!(out, "  {style}{sign} {object}{style:#} {FAINT}for {subject}{FAINT:#}")
}

fn diff(intent: &Intent, out: &mut dyn Write) -> Result<()> {
    let text = |value: &Option<Value>| value.as_ref().map(yaml).unwrap_or_default();
    let (before, after) = (text(&intent.before), text(&intent.after));
    let difference = TextDiff::from_lines(&before, &after);
    for change in difference.grouped_ops(3).iter().flatten().flat_map(|op| difference.iter_changes(op)) {
        let line = change.value().trim_end_matches('\n');
        match change.tag() {
            ChangeTag::Insert => writeln!(out, "    {ADDED}+ {line}{ADDED:#}")?,
            ChangeTag::Delete => writeln!(out, "    {REMOVED}- {line}{REMOVED:#}")?,
            ChangeTag::Equal => writeln!(out, "      {line}")?,
        }
    }
    Ok(())
}
