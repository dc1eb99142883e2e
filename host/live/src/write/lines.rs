//! The text of a document to be applied, which the API server parses as YAML.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use serde_json::value::RawValue;

/// Compact JSON with a line break after each opening brace.
///
/// In YAML, a map on one line may be the key of another map. To find out, the API server's parser
/// reads up to 1,024 characters ahead and keeps what it has read: some 90 KB for a status. A line
/// break rules that out at once.
struct Lines;

impl Formatter for Lines {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"{\n")
    }
}

/// Serializes a document, to be sent as it is.
pub(super) fn text(document: &Value) -> serde_json::Result<Box<RawValue>> {
    let mut text = Vec::new();
    document.serialize(&mut Serializer::with_formatter(&mut text, Lines))?;
    serde_json::from_slice(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_map_is_on_one_line_and_the_document_is_the_same() {
        let document = json!({"a": {"b": [{"c": "{"}, {}]}, "d": "two\nlines"});
        let text = text(&document).unwrap();
        assert_eq!(text.get(), "{\n\"a\":{\n\"b\":[{\n\"c\":\"{\"},{\n}]},\"d\":\"two\\nlines\"}");
        assert_eq!(serde_json::from_str::<Value>(text.get()).unwrap(), document);
    }
}
