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

fn read(text: &str) -> Value {
    value(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    parse(Path::new("x.yaml"), text).unwrap_err().to_string()
}

#[test]
fn scalars_and_keys_mean_what_they_mean_to_kubectl() {
    let text = "{a: yes, b: Off, c: 0644, d: 0x1F90, e: 8_080, f: nO, g: 1.0, h: 'yes', i: \"0644\", j: 1:30, \
                y: 1, 010: 2, k: 2026-01-05, l: <<}";
    let meant = serde_json::json!({"a": true, "b": false, "c": 420, "d": 8080, "e": 8080, "f": "nO", "g": 1,
        "h": "yes", "i": "0644", "j": "1:30", "true": 1, "8": 2, "k": "2026-01-05", "l": "<<"});
    assert_eq!(read(text), meant);
}

#[test]
fn anchors_merge_keys_and_tags_mean_what_they_mean_to_kubectl() {
    let text = "base: &base {a: 1, b: &b [x, z]}\nother: &other {a: 9, c: 3}\nmerged:\n  <<: [*base, *other]\n  a: 2\n\
                alias: *b\nquoted: {'<<': 1}\ntext: !!str 404\nnumber: !!int \"8080\"\nempty: !!str\nlocal: !mine 12\n";
    let read = read(text);
    assert_eq!(read["merged"], serde_json::json!({"a": 2, "b": ["x", "z"], "c": 3}));
    assert_eq!(read["alias"], serde_json::json!(["x", "z"]));
    assert_eq!(read["quoted"], serde_json::json!({"<<": 1}));
    let tagged = ["text", "number", "empty", "local"].map(|key| read[key].clone());
    assert_eq!(tagged, [serde_json::json!("404"), 8080.into(), "".into(), "12".into()]);
}

#[test]
fn every_duplicate_key_is_named_with_its_mapping_and_the_line_of_the_second() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    std::fs::write(&file, "spec:\n  path: a\n  port: 1\n  path: b\n  port: 2\n---\nlabels: {a: 1}\nlabels: {}\n")
        .unwrap();
    let (documents, errors) = survey(&file);
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert!(documents.is_empty() && errors.len() == 3, "{errors:#?}");
    for (error, (line, key)) in errors.iter().zip([(4, "`path` in `spec`"), (5, "`port` in `spec`"), (8, "`labels`")]) {
        assert!(error.contains(&format!("a.yaml:{line}: ")) && error.contains(key), "{error}");
    }
}

#[test]
fn what_kubectl_would_read_as_something_else_is_refused_with_its_line_and_the_way_out() {
    for (text, parts) in [
        ("a: 1\nb:\n  c: .inf\n", &["x.yaml:3: ", "`b.c`", "quote it"][..]),
        ("a: [1, .nan]\n", &["x.yaml:1: ", "`a[1]`"]),
        ("a: !!int x\n", &["`a`", "remove the tag"]),
        ("a: !!binary aGk=\n", &["`a`", "base64"]),
        ("? [a, b]\n: 1\n", &["x.yaml:1: ", "key"]),
        ("a:\n  null: 1\n", &["x.yaml:2: ", "in `a`", "quote it"]),
        ("a: {1.5: 1}\n", &["in `a`", "quote it"]),
        ("a: &a {b: 1}\nc:\n  b: 2\n  <<: *a\n", &["x.yaml:4: ", "`b`", "move `<<` to the top"]),
        ("a: &a [*a]\n", &["own anchor"]),
        ("a: 1\n...\nb: 2\n", &["x.yaml:3: ", "write `---`"]),
        ("a: {<<: 1}\n", &["`<<` in `a`"]),
    ] {
        let error = refused(text);
        for part in parts {
            assert!(error.contains(part), "{part} not in: {error}");
        }
    }
}

#[test]
fn aliases_of_aliases_and_deep_nesting_are_refused_before_they_take_memory() {
    let of_last = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(", "));
    let text: String = std::iter::once("a0: &a0 [xx]\n".to_owned()).chain((1..20).map(of_last)).collect();
    assert!(refused(&text).contains("aliases repeat too much"));
    assert!(refused(&format!("{}1{}", "[".repeat(130), "]".repeat(130))).contains("nested too deep"));
    assert_eq!(read(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).to_string().len(), 201);
}

#[test]
fn markers_line_ends_and_byte_order_marks_lose_no_document_and_add_none() {
    let text = "%YAML 1.2\n---   \na: 1\n--- # second\nb: 2\n...\n# after the end\n---\n---\n--- {c: 3}\n\u{feff}---\n\
                d: |\n  ---\n  --- text\n  ...\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let documents = parse(Path::new("x.yaml"), &text).unwrap();
        let values: Vec<_> = documents.iter().map(|document| document.value.to_string()).collect();
        assert_eq!(values, [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#, r#"{"d":"---\n--- text\n...\n"}"#]);
    }
}

#[test]
fn typed_lists_count_as_their_items_with_kind_and_line() {
    let text = "apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n- kind: Other\n  apiVersion: b/v1\n\
                ---\nkind: List\nitems:\n- kind: PodList\n  apiVersion: v1\n  items: [{metadata: {name: p}}]\n---\n\
                kind: List\nitems: null\n---\nkind: AllowList\nmetadata: {name: x}\nitems: [1]\n";
    let documents = parse(Path::new("x.yaml"), text).unwrap();
    let found: Vec<_> = documents
        .iter()
        .map(|document| format!("{} {} {}", document.line, document.value["apiVersion"], document.value["kind"]))
        .collect();
    assert_eq!(found, [r#"4 "v1" "Namespace""#, r#"5 "b/v1" "Other""#, r#"12 "v1" "Pod""#, r#"17 null "AllowList""#]);
    assert_eq!(documents[2].lines().line("metadata.name"), 12);
}

#[test]
fn json_that_is_not_yaml_is_read_as_json() {
    assert_eq!(parse(Path::new("x.json"), "{\"a\": \"\\ud83d\\ude00\"}").unwrap()[0].value["a"], "😀");
}
