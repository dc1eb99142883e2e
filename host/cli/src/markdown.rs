//! Shows intents as Markdown, for the description or a comment of a pull request.

use std::io::{Result, Write};

use mizzen_engine::PlanCounts;

use crate::intents::{Intent, Intents, Trouble};
use crate::show;

/// The fence of a diff: longer than any that a document may contain.
const FENCE: &str = "``````````";

/// A summary, a section with a diff for each object, and then what would fail or is not known.
pub(crate) fn intents(intents: &Intents, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "### {}", PlanCounts::from(intents))?;
    for intent in &intents.changes {
        section(intent, out)?;
    }
    let rows = intents.problems.iter().map(|trouble| ("fails", trouble));
    let rows: Vec<_> = rows.chain(intents.unfinished.iter().map(|trouble| ("more changes follow", trouble))).collect();
    if !rows.is_empty() {
        writeln!(out, "\n| reconciler | subject | | |\n|---|---|---|---|")?;
    }
    for (what, Trouble { reconciler, subject, reason, message }) in rows {
        writeln!(out, "| {} | {} | {what}: {reason} | {} |", cell(reconciler), cell(subject), cell(message))?;
    }
    if !intents.warnings.is_empty() {
        writeln!(out)?;
    }
    intents.warnings.iter().try_for_each(|warning| writeln!(out, "- warning: {}", cell(warning)))
}

fn section(intent: &Intent, out: &mut dyn Write) -> Result<()> {
    let (sign, object) = (show::sign(intent.verb), cell(&intent.headline()));
    let (reconciler, subject) = (cell(&intent.reconciler), cell(&intent.subject()));
    writeln!(out, "\n<details><summary><code>{sign} {object}</code> by {reconciler} for {subject}</summary>\n")?;
    writeln!(out, "{FENCE}diff")?;
    show::lines(intent, |sign, line| writeln!(out, "{sign} {line}"))?;
    writeln!(out, "{FENCE}\n</details>")
}

/// A text that stays in one cell or line, and is no markup.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use mizzen_model::{Kind, ObjectRef};
    use serde_json::json;

    use super::*;
    use crate::intents::{Name, Verb};

    fn markdown(intents: &Intents) -> String {
        let mut out = Vec::new();
        super::intents(intents, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_change_is_a_section_with_a_diff() {
        let object = Name::from(&ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "b"));
        let change = Intent {
            reconciler: "teams".into(),
            subject: object.clone(),
            verb: Verb::Change,
            object,
            before: Some(json!({"data": {"x": "1"}})),
            after: Some(json!({"data": {"x": "2"}})),
        };
        let text = markdown(&Intents { changes: vec![change], ..Intents::default() });
        assert!(text.contains("<code>~ ConfigMap a/b</code> by teams for "), "{text}");
        assert!(text.contains("diff\n  data:\n-   x: \"1\"\n+   x: \"2\"\n"), "{text}");
    }

    #[test]
    fn a_message_can_not_break_the_table() {
        let (reconciler, subject) = ("r".to_owned(), "s".to_owned());
        let trouble = Trouble { reconciler, subject, reason: "Invalid".into(), message: "a|b\n<script>".into() };
        let text = markdown(&Intents { problems: vec![trouble], ..Intents::default() });
        assert!(text.contains("| r | s | fails: Invalid | a\\|b &lt;script> |\n"), "{text}");
    }
}
