//! Istio's mesh configuration, a YAML document: the few settings that sidecars show.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScanError};

/// The position of the parser: in a mapping, after or before a key, or in a sequence.
enum Place {
    Mapping(Option<String>),
    Sequence,
}

/// Texts for a missing value in YAML.
const NOTHING: [&str; 3] = ["", "~", "null"];

/// Returns the texts in a document's mappings, by the path of their keys. Sequences are ignored.
///
/// # Errors
/// If the text is not valid YAML, with the parser's message.
pub(crate) fn texts(yaml: &str) -> Result<BTreeMap<String, String>, ScanError> {
    let mut texts = BTreeMap::new();
    let mut places: Vec<Place> = Vec::new();
    for event in Parser::new_from_str(yaml) {
        let (event, _) = event?;
        match event {
            Event::Scalar(text, ..) => match places.last_mut() {
                Some(Place::Mapping(key @ None)) => *key = Some(text.into_owned()),
                Some(Place::Mapping(_)) => {
                    if let Some(path) = path(&places).filter(|_| !NOTHING.contains(&&*text)) {
                        texts.insert(path, text.into_owned());
                    }
                    passed(&mut places);
                }
                _ => {}
            },
            Event::Alias(_) => passed(&mut places),
            Event::MappingStart(..) => places.push(Place::Mapping(None)),
            Event::SequenceStart(..) => places.push(Place::Sequence),
            Event::MappingEnd | Event::SequenceEnd => {
                places.pop();
                passed(&mut places);
            }
            _ => {}
        }
    }
    Ok(texts)
}

/// The value of a key is complete.
fn passed(places: &mut [Place]) {
    if let Some(Place::Mapping(key)) = places.last_mut() {
        *key = None;
    }
}

/// The keys of the current position, separated by dots; `None` inside of a sequence.
fn path(places: &[Place]) -> Option<String> {
    let keys: Option<Vec<_>> = places
        .iter()
        .map(|place| match place {
            Place::Mapping(key) => key.as_deref(),
            Place::Sequence => None,
        })
        .collect();
    Some(keys?.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_the_path_of_their_keys() {
        let yaml = "# said\na: 1\nb:\n  c: \"true\"\n  d: {e: f, g: []}\nh:\n- i: j\n- k\nl: m\nn:\no: null\n";
        let expected = [("a", "1"), ("b.c", "true"), ("b.d.e", "f"), ("l", "m")];
        assert_eq!(texts(yaml).unwrap(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
    }

    #[test]
    fn invalid_yaml_is_reported() {
        assert!(texts("a: [").is_err());
        assert_eq!(texts("").unwrap(), BTreeMap::new());
        assert_eq!(texts("- a: b").unwrap(), BTreeMap::new());
    }
}
