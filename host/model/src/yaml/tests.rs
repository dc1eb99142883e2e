//! What is read of files, and where it stood.

use super::*;

#[test]
fn each_document_knows_its_first_line() {
    let text = "# a\n---\na: 1\n---\n# nothing\n---\nb: 2\n";
    let lines: Vec<_> =
        parse(Path::new("x.yaml"), text).unwrap().into_iter().map(|d| (d.line, d.value.to_string())).collect();
    assert_eq!(lines, [(3, r#"{"a":1}"#.to_owned()), (7, r#"{"b":2}"#.to_owned())]);
}

#[test]
fn bad_yaml_is_reported_with_its_line_in_the_file() {
    let error = parse(Path::new("x.yaml"), "a: 1\n---\nb: 2\nc: [\n").unwrap_err();
    assert!(matches!(error, YamlError::Syntax { line, .. } if line >= 4), "{error}");
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
fn a_document_may_begin_on_the_line_of_its_marker() {
    let documents = parse(Path::new("x.yaml"), "--- {a: 1}\n--- # nothing\nb: 2\n").unwrap();
    let found: Vec<_> = documents.iter().map(|d| (d.line, d.value.to_string())).collect();
    assert_eq!(found, [(1, r#"{"a":1}"#.to_owned()), (3, r#"{"b":2}"#.to_owned())]);
}

#[test]
fn everything_that_cant_be_read_is_told_and_everything_that_can_is_given() {
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
        YamlError::Read { file, .. } => file.file_name().unwrap().to_string_lossy().into_owned(),
        YamlError::Syntax { file, line, .. } => format!("{}:{line}", file.file_name().unwrap().to_string_lossy()),
    };
    let mut places: Vec<_> = errors.iter().map(place).collect();
    places.sort();
    let files: Vec<_> = places.iter().map(|place| place.split(':').next().unwrap()).collect();
    assert_eq!(files, ["a.yaml", "a.yaml", "b.yaml", "c.yaml", "z.yaml"], "{places:?}");
    assert!(&*places[1] >= "a.yaml:5" && &*places[3] >= "c.yaml:3", "{places:?}");
    assert!(load(folder.path()).is_err());
}
