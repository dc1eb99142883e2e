//! Splits a file of YAML into its documents.

/// The text of one document, and the line of the file at which it starts, from 1.
pub(super) struct Part {
    pub(super) first: usize,
    pub(super) text: String,
}

/// Splits at the document markers, which are markers only at the start of a line. Documents without
/// content are left out. A byte order mark may begin each document: files get concatenated.
pub(super) fn split(text: &str) -> Vec<Part> {
    let mut parts = vec![Part { first: 1, text: String::new() }];
    for (at, line) in text.lines().enumerate() {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        // A document may start on the line of its marker.
        let beside = line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if let Some(beside) = beside {
            let is_empty = beside.trim().is_empty() || beside.trim_start().starts_with('#');
            // Spaces instead of the marker keep the columns, and thereby the meaning of the text.
            let (first, text) = if is_empty { (at + 2, String::new()) } else { (at + 1, format!("   {beside}\n")) };
            parts.push(Part { first, text });
        } else if let Some(part) = parts.last_mut() {
            part.text.push_str(line);
            part.text.push('\n');
        }
    }
    parts.retain(|part| part.text.lines().any(is_content));
    parts
}

/// Whether a line is part of a document: not empty, no comment, no directive, no end marker.
fn is_content(line: &str) -> bool {
    let words = line.trim();
    let ends = line.strip_prefix("...").is_some_and(|rest| rest.trim().is_empty() || rest.trim().starts_with('#'));
    !(words.is_empty() || words.starts_with('#') || line.starts_with('%') || ends)
}
