//! What happens when the output can't be written, and how errors are printed.

use std::fs::File;
use std::io::pipe;
use std::process::{Command, Output, Stdio};

use crate::support::{deploy, mizzen, plugins, text};

/// A pipe without a reader.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Every command that prints to standard output and ends by itself.
fn printing() -> Vec<Command> {
    let words: [&[&str]; 12] = [
        &["completions", "fish"],
        &["completions", "bash"],
        &["crd"],
        &["version"],
        &["plugin", "inspect", "-o", "text", "mtls.wasm"],
        &["plugin", "inspect", "-o", "json", "mtls.wasm"],
        &["plugin", "inspect", "-o", "yaml", "mtls.wasm"],
        &["plugin", "compile", "mtls.wasm"],
        &["check", "-f", "reconcilers.yaml"],
        &["rbac", "-f", "reconcilers.yaml"],
        &["rbac", "-o", "json", "-f", "reconcilers.yaml"],
        &["dev", "crds"],
    ];
    let plans = ["diff", "wide", "json", "yaml"].map(|output| vec!["plan", "-o", output, "-f", "crds"]);
    let words = words.into_iter().map(<[&str]>::to_vec).chain(plans);
    let command = |words: Vec<&str>| {
        let mut command = mizzen();
        command.args(words.into_iter().map(|word| match word {
            "mtls.wasm" => plugins().join(word),
            "reconcilers.yaml" | "crds" => deploy(word),
            word => word.into(),
        }));
        command
    };
    words.map(command).collect()
}

fn run(mut command: Command) -> (String, Output) {
    let done = command.output().unwrap();
    (format!("{command:?}: {}", text(&done.stderr)), done)
}

#[test]
fn a_closed_standard_output_ends_every_command_quietly_as_sigpipe_would() {
    for mut command in printing() {
        command.stdout(closed());
        let (what, done) = run(command);
        assert_eq!(done.status.code(), Some(141), "{what}");
        let errors: Vec<_> = what.lines().filter(|line| line.contains("error") || line.contains("panicked")).collect();
        assert_eq!(errors, [""; 0], "{what}");
    }
}

#[test]
fn a_full_disk_is_reported_by_every_command() {
    for mut command in printing() {
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let (what, done) = run(command);
        assert_eq!(done.status.code(), Some(1), "{what}");
        assert!(what.contains("error: standard output can't be written: No space left on device"), "{what}");
    }
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    for words in [&["check", "-f", "/nowhere.yaml"][..], &["plugin", "inspect", "/nowhere.wasm"]] {
        let mut command = mizzen();
        command.args(words).stderr(closed());
        assert_eq!(run(command).1.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_once_and_so_is_the_reason() {
    for words in [&["plugin", "inspect", "/nowhere.wasm"][..], &["plugin", "compile", "/nowhere.wasm"]] {
        let mut command = mizzen();
        command.args(words);
        let (what, done) = run(command);
        let error = text(&done.stderr);
        for part in ["/nowhere.wasm", "os error 2"] {
            assert_eq!(error.matches(part).count(), 1, "{part}: {what}");
        }
    }
}

#[test]
fn a_missing_renderer_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let (reconciler, renderer) = (
        "metadata: {name: a}\nspec:\n  component: {file: mtls.wasm}\n  \
         subject: {apiVersion: mizzen.dev/v1alpha1, kind: Istio}",
        "metadata: {name: b}\nspec: {component: {file: nowhere.wasm}}",
    );
    let document = |kind: &str, rest: &str| format!("apiVersion: mizzen.dev/v1alpha1\nkind: {kind}\n{rest}\n");
    let text_of_file = format!("{}---\n{}", document("Reconciler", reconciler), document("Renderer", renderer));
    std::fs::write(folder.path().join("a.yaml"), text_of_file).unwrap();
    let done = mizzen().arg("check").arg("-f").arg(folder.path()).output().unwrap();
    let errors = text(&done.stderr);
    let lines: Vec<_> = errors.lines().filter(|line| line.contains("nowhere.wasm")).collect();
    assert!(lines.len() == 1 && lines[0].matches("nowhere.wasm").count() == 1, "{errors}");
}

#[test]
fn each_of_several_errors_begins_with_the_word_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.yaml", "b.yaml"] {
        std::fs::write(folder.path().join(name), "x: [\n---\ny: {\n").unwrap();
    }
    for command in ["plan", "rbac", "check"] {
        let done = mizzen().arg(command).arg("-f").arg(folder.path()).output().unwrap();
        let errors = text(&done.stderr);
        assert_eq!(errors.lines().count(), 4, "{errors}");
        for line in errors.lines() {
            assert!(line.starts_with("error: ") && line.matches("error").count() == 1, "{line}");
            assert_eq!(line.matches(" line ").count(), 0, "the place is before the message alone: {line}");
        }
    }
}
