//! Reading files and folders, with lines.

use super::*;

#[test]
fn each_document_knows_its_first_line() {
    let text = "# a\n---\na: 1\n---\n# nothing\n---\nb: 2\n";
    let lines: Vec<_> =
        parse(Path::new("x.yaml"), text).unwrap().into_iter().map(|d| (d.line, d.value.to_string())).collect();
    assert_eq!(lines, [(3, r#"{"a":1}"#.to_owned()), (7, r#"{"b":2}"#.to_owned())]);
}

#[test]
fn invalid_yaml_is_reported_with_its_line_in_the_file() {
    let error = parse(Path::new("x.yaml"), "a: 1\n---\nb: 2\nc: [\n").unwrap_err();
    assert!(matches!(error, YamlError::Syntax { line, .. } if line >= 4), "{error}");
}

#[test]
fn the_message_of_bad_yaml_has_no_second_place_and_no_advice_to_programmers() {
    for text in ["a: 1\n---\nb: [\n", "a: 1\nc: \"x\n", "a: 1\na: 2\n"] {
        let error = parse(Path::new("x.yaml"), text).unwrap_err().to_string();
        for word in ["error", " line ", "column", "Options"] {
            assert!(!error.contains(word), "{word}: {error}");
        }
    }
}

#[test]
fn a_list_counts_as_its_items() {
    let documents = parse(Path::new("x.yaml"), "kind: List\nitems: [{a: 1}, {b: 2}]\n").unwrap();
    assert_eq!(documents.len(), 2);
}

#[test]
fn each_item_of_a_list_knows_its_lines_in_the_file() {
    let text = "a: 1\n---\nkind: List\nitems:\n- metadata:\n    name: x\n- kind: Y\n  spec: {a: 1}\n";
    let documents = parse(Path::new("x.yaml"), text).unwrap();
    assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [1, 5, 7]);
    assert_eq!((documents[1].lines().line("metadata.name"), documents[2].lines().line("spec.a")), (6, 8));
    assert_eq!(documents[2].lines().line("status"), 7);
}

#[test]
fn a_document_may_start_on_the_line_of_its_marker() {
    let documents = parse(Path::new("x.yaml"), "--- {a: 1}\n--- # nothing\nb: 2\n").unwrap();
    let found: Vec<_> = documents.iter().map(|d| (d.line, d.value.to_string())).collect();
    assert_eq!(found, [(1, r#"{"a":1}"#.to_owned()), (3, r#"{"b":2}"#.to_owned())]);
}

#[test]
fn a_survey_returns_all_readable_documents_and_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    write("a.yaml", b"a: [\n---\nb: 1\n---\nc: {\n");
    write("b.yaml", b"\xff\xfe");
    write("more/c.yaml", b"d: 1\n---\ne: [\n");
    std::os::unix::fs::symlink("nowhere", folder.path().join("z.yaml")).unwrap();
    let (documents, errors) = survey(folder.path());
    assert_eq!(documents.iter().map(|found| found.value.to_string()).collect::<Vec<_>>(), [r#"{"b":1}"#, r#"{"d":1}"#]);
    let place = |error: &YamlError| match error {
        YamlError::Read { file, .. } | YamlError::Encoding { file, .. } => {
            file.file_name().unwrap().to_string_lossy().into_owned()
        }
        YamlError::Syntax { file, line, .. } => format!("{}:{line}", file.file_name().unwrap().to_string_lossy()),
    };
    let mut places: Vec<_> = errors.iter().map(place).collect();
    places.sort();
    let files: Vec<_> = places.iter().map(|place| place.split(':').next().unwrap()).collect();
    assert_eq!(files, ["a.yaml", "a.yaml", "b.yaml", "c.yaml", "z.yaml"], "{places:?}");
    assert!(&*places[1] >= "a.yaml:5" && &*places[3] >= "c.yaml:3", "{places:?}");
    assert!(load(folder.path()).is_err());
}

#[test]
fn a_duplicate_key_is_named_with_its_line_and_without_the_words_of_the_parser() {
    let error = parse(Path::new("a.yaml"), "---\na: 1\nb:\n  c: 1\n  c: 2\n").unwrap_err().to_string();
    assert!(error.starts_with("a.yaml:5: ") && error.contains("`c`") && !error.contains("Options"), "{error}");
}

#[test]
fn a_file_that_is_not_utf_8_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    let utf_16: Vec<u8> = "\u{feff}a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, why) in [(utf_16, "UTF-16"), (b"a: 1\nb: \xff\n".to_vec(), "not valid UTF-8")] {
        std::fs::write(&file, bytes).unwrap();
        let error = load(&file).unwrap_err()[0].to_string();
        assert!(error.contains("a.yaml: ") && error.contains(why) && error.contains("save it as UTF-8"), "{error}");
    }
    std::fs::write(&file, "\u{feff}a: 1\n").unwrap();
    assert_eq!(load(&file).unwrap()[0].value, serde_json::json!({"a": 1}), "a byte order mark is allowed");
}
