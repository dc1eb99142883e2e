//! Renderers: their environment and limits, and how each that misbehaves ends at the limit that is meant for it.

use std::time::{Duration, Instant};

use crate::support::renderers::{Stage, command, digit, echo, little, rendered, says};
use mizzen_config::RenderLimits;
use mizzen_model::{Render, RenderError};
use mizzen_sandbox::{Load, LoadError, RenderOptions, RendererError, Renderers};

/// The message about a renderer that misbehaves.
async fn failed(bytes: &[u8]) -> String {
    match rendered(bytes, "{}").await {
        Err(RenderError::Failed(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn start(body: &str) -> Vec<u8> {
    command("", &format!(r#"(func (export "_start") {body})"#))
}

#[tokio::test]
async fn a_command_makes_objects_of_its_input() {
    assert_eq!(rendered(&echo("a"), r#"{"kind":"ConfigMap"}"#).await.unwrap(), [r#"{"kind":"ConfigMap"}"#]);
}

#[tokio::test]
async fn a_document_is_rendered_once_for_all_callers_and_names() {
    let stage = Stage::new();
    let renderer = stage.load(&echo("a"), little()).await.unwrap();
    let same = stage.load(&echo("a"), little()).await.unwrap();
    let (first, second) = tokio::join!(renderer.render(r#"{"a":1}"#), same.render(r#"{"a":1}"#));
    assert!(std::sync::Arc::ptr_eq(&first.unwrap(), &second.unwrap()), "one result is shared");
    assert_eq!(stage.renderers.renderings(), 1);
    renderer.render(r#"{"a":2}"#).await.unwrap();
    stage.load(&echo("b"), little()).await.unwrap().render(r#"{"a":1}"#).await.unwrap();
    assert_eq!(stage.renderers.renderings(), 3);
}

#[tokio::test]
async fn a_rejection_is_kept_and_a_rendering_that_met_a_limit_is_tried_again() {
    let stage = Stage::new();
    let rejecting = says(r#"{"kind":"ResourceList","results":[{"message":"no"}]}"#, "");
    let rejecting = stage.load(&rejecting, little()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(rejecting.render("{}").await, Err(RenderError::Rejected("renderer `subject`: no".into())));
    }
    assert_eq!(stage.renderers.renderings(), 1);
    let looping = stage.load(&start("(loop $l (br $l))"), little()).await.unwrap();
    for _ in 0..2 {
        assert!(looping.render("{}").await.is_err());
    }
    assert_eq!(stage.renderers.renderings(), 3);
}

#[tokio::test]
async fn a_rendering_goes_on_when_its_caller_gives_up() {
    let stage = Stage::new();
    // Loops for longer than the caller waits here, and then returns.
    let slow = says(
        r#"{"kind":"ResourceList"}"#,
        "(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1))) \
         (br_if $l (i32.lt_u (local.get $i) (i32.const 200000000))))",
    );
    let limits = RenderLimits { time: Duration::from_mins(1), ..little() };
    let renderer = stage.load(&slow, limits).await.unwrap();
    // Called once, and given up.
    tokio::select! {
        biased;
        result = renderer.render("{}") => panic!("it was too quick for this test: {result:?}"),
        () = std::future::ready(()) => {}
    }
    renderer.render("{}").await.unwrap();
    assert_eq!(stage.renderers.renderings(), 1);
}

#[tokio::test]
async fn an_endless_loop_ends_at_its_time() {
    let since = Instant::now();
    let why = failed(&start("(loop $l (br $l))")).await;
    assert_eq!(why, "renderer `subject` did not end within 500ms, its limit `time`");
    assert!(since.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn sleeping_without_end_ends_at_its_time() {
    // One subscription to the clock, a day from now, again and again.
    let body = "(i32.store (i32.const 128) (i32.const 1)) (i64.store (i32.const 136) (i64.const 86400000000000))
        (loop $l (drop (call $poll_oneoff (i32.const 112) (i32.const 200) (i32.const 1) (i32.const 240))) (br $l))";
    assert!(failed(&start(body)).await.ends_with("its limit `time`"));
}

#[tokio::test]
async fn a_memory_bomb_ends_at_its_memory() {
    let body = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    let why = failed(&start(body)).await;
    assert_eq!(why, format!("renderer `subject` requested more than {} bytes of memory, its limit `memory`", 8 << 20));
}

#[tokio::test]
async fn a_table_bomb_ends_at_its_elements() {
    let grow = "(table.grow $table (ref.null func) (i32.const 65536))";
    let body = format!("(loop $l (br_if $l (i32.ne {grow} (i32.const -1)))) unreachable");
    assert!(failed(&start(&body)).await.contains("requested a table of more than"));
}

#[tokio::test]
async fn recursion_without_end_is_a_trap() {
    let recursive = command(
        "",
        r#"(func $f (param i64) (result i64) (i64.add (call $f (local.get 0)) (i64.const 1)))
        (func (export "_start") (drop (call $f (i64.const 0))))"#,
    );
    assert!(failed(&recursive).await.contains("stack"));
}

#[tokio::test]
async fn endless_output_ends_at_its_size() {
    let body = "(loop $l (call $say (i32.const 1) (i32.const 0) (i32.const 65536)) (br $l))";
    let why = failed(&start(body)).await;
    assert_eq!(why, format!("renderer `subject` wrote more than {} bytes, its limit `output`", 256 << 10));
}

#[tokio::test]
async fn of_endless_standard_error_the_first_and_last_lines_are_reported() {
    let text = "no\nsuch\nfile\n";
    let body = format!("(loop $l (call $say (i32.const 2) (i32.const 1024) (i32.const {})) (br $l))", text.len());
    let why = failed(&command(text, &format!(r#"(func (export "_start") {body})"#))).await;
    assert!(why.contains("its limit `time`; its standard error: no | such | … | ") && why.len() < 200, "{why}");
}

#[tokio::test]
async fn an_exit_code_is_a_failure_reported_with_standard_error() {
    let text = "panic: no profile `tiny`\n";
    let body = format!(
        "(call $say (i32.const 2) (i32.const 1024) (i32.const {})) (call $proc_exit (i32.const 3))",
        text.len()
    );
    let exits = command(text, &format!(r#"(func (export "_start") {body})"#));
    let why = "renderer `subject` ended with exit code 3; its standard error: panic: no profile `tiny`";
    assert_eq!(failed(&exits).await, why);
}

#[tokio::test]
async fn an_exit_code_of_zero_is_a_success() {
    let text = r#"{"kind":"ResourceList","items":[{}]}"#;
    let body = format!(
        "(call $say (i32.const 1) (i32.const 1024) (i32.const {})) (call $proc_exit (i32.const 0))",
        text.len()
    );
    let exits = command(text, &format!(r#"(func (export "_start") {body})"#));
    assert_eq!(rendered(&exits, "{}").await.unwrap(), ["{}"]);
}

#[tokio::test]
async fn results_of_severity_error_reject_the_document_whatever_the_exit_code() {
    let text = r#"{"kind":"ResourceList","results":[{"severity":"error","message":"no","field":{"path":"a.b"}}]}"#;
    let body = format!(
        "(call $say (i32.const 1) (i32.const 1024) (i32.const {})) (call $proc_exit (i32.const 1))",
        text.len()
    );
    let exits = command(text, &format!(r#"(func (export "_start") {body})"#));
    assert_eq!(rendered(&exits, "{}").await, Err(RenderError::Rejected("renderer `subject`: a.b: no".into())));
}

#[tokio::test]
async fn output_that_is_not_a_resource_list_is_a_failure() {
    let why = failed(&says("{garbage", "")).await;
    assert!(why.starts_with("renderer `subject` wrote output that is not a ResourceList: "), "{why}");
}

#[tokio::test]
async fn a_document_that_is_too_large_is_refused_before_anything_runs() {
    let stage = Stage::new();
    let renderer = stage.load(&echo("a"), little()).await.unwrap();
    let refused = renderer.render(&format!("\"{}\"", "x".repeat(5_000))).await;
    let Err(RenderError::Failed(why)) = refused else { panic!("{refused:?}") };
    assert!(why.starts_with("renderer `subject` was given 50") && why.ends_with("its limit `input`"), "{why}");
}

#[tokio::test]
async fn there_are_no_files_no_sockets_and_no_environment() {
    // 8 is EBADF: no directory was opened for it, whichever it tries.
    let open = "(call $path_open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 0) \
                (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 8))";
    assert_eq!(rendered(&digit(open), "{}").await.unwrap(), [r#"{"digit":"8"}"#]);
    let accept = "(i32.ne (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 8)) (i32.const 0))";
    assert_eq!(rendered(&digit(accept), "{}").await.unwrap(), [r#"{"digit":"1"}"#]);
    let environment =
        "(block (result i32) (drop (call $environ_sizes_get (i32.const 8) (i32.const 12))) (i32.load (i32.const 8)))";
    assert_eq!(rendered(&digit(environment), "{}").await.unwrap(), [r#"{"digit":"0"}"#]);
}

#[tokio::test]
async fn no_clock_starts_at_zero() {
    for clock in [0, 1] {
        let read = format!("(drop (call $clock_time_get (i32.const {clock}) (i64.const 0) (i32.const 16)))");
        let number = format!("(block (result i32) {read} (i64.gt_s (i64.load (i32.const 16)) (i64.const 0)))");
        assert_eq!(
            rendered(&digit(&number), "{}").await.unwrap(),
            [r#"{"digit":"1"}"#],
            "clock {clock}: Go ends there"
        );
    }
}

#[tokio::test]
async fn time_stands_still() {
    for clock in [0, 1] {
        let read =
            |at: u32| format!("(drop (call $clock_time_get (i32.const {clock}) (i64.const 0) (i32.const {at})))");
        let turn = "(local.set $i (i32.const 0)) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1))) \
                    (br_if $l (i32.lt_u (local.get $i) (i32.const 5000000))))";
        let same = "(i64.eq (i64.load (i32.const 16)) (i64.load (i32.const 24)))";
        let (first, second) = (read(16), read(24));
        let number = format!("(block (result i32) {first} {turn} {second} {same})");
        let wasm = digit_with("(local $i i32)", &number);
        assert_eq!(rendered(&wasm, "{}").await.unwrap(), [r#"{"digit":"1"}"#], "clock {clock}");
    }
}

/// As [`digit`], with locals.
fn digit_with(locals: &str, number: &str) -> Vec<u8> {
    let text = r#"{"kind":"ResourceList","items":[{"digit":"?"}]}"#;
    let at = 1024 + text.find('?').unwrap();
    says(text, &format!("{locals} (i32.store8 (i32.const {at}) (i32.add (i32.const 48) {number}))"))
}

#[tokio::test]
async fn randomness_is_the_same_for_the_same_document_and_does_not_repeat_itself() {
    let random = "(block (result i32) (drop (call $random_get (i32.const 16) (i32.const 16))) \
                  (i32.and (i32.load (i32.const 16)) (i32.const 63)))";
    let differs = "(block (result i32) (drop (call $random_get (i32.const 16) (i32.const 16))) \
                   (i64.ne (i64.load (i32.const 16)) (i64.load (i32.const 24))))";
    assert_eq!(rendered(&digit(differs), "{}").await.unwrap(), [r#"{"digit":"1"}"#]);
    let first = rendered(&digit(random), "{}").await;
    // A character that JSON can't hold is reported, and the same each time, too.
    assert_eq!(first, rendered(&digit(random), "{}").await);
    let mut others = Vec::new();
    for number in 0..8 {
        others.push(rendered(&digit(random), &number.to_string()).await);
    }
    assert!(others.iter().any(|other| *other != first), "each document has randomness of its own");
}

#[tokio::test]
async fn a_module_that_is_not_a_command_is_refused() {
    let stage = Stage::new();
    let library = command("", r#"(func (export "render"))"#);
    let why = stage.load(&library, little()).await.err().unwrap();
    assert!(matches!(&why, LoadError::Renderer(RendererError::NoStart)), "{why}");
    let foreign = wat::parse_str(r#"(module (import "env" "system" (func)) (func (export "_start")))"#).unwrap();
    let why = stage.load(&foreign, little()).await.err().unwrap();
    assert!(matches!(&why, LoadError::Renderer(RendererError::Import(from)) if from == "env"), "{why}");
    let garbage = stage.load(b"\0asm\x01\0\0\0garbage", little()).await.err().unwrap();
    assert!(matches!(garbage, LoadError::Compile(_)), "{garbage}");
}

#[tokio::test]
async fn without_a_compiler_the_error_shows_how_to_compile_ahead() {
    let stage = Stage::new();
    let why = stage.renderers.load("subject", &stage.file(&echo("a")), little()).await.err().unwrap().to_string();
    assert!(why.contains("mizzen plugin compile --cache"), "{why}");
    let without = Renderers::new(RenderOptions::default()).unwrap();
    let why = without.load("subject", &stage.file(&echo("a")), little()).await.err().unwrap().to_string();
    assert!(why.contains("`--cache`"), "{why}");
}

#[tokio::test]
async fn an_entry_of_the_cache_that_was_tampered_with_is_not_run() {
    let stage = Stage::new();
    stage.load(&echo("a"), little()).await.unwrap();
    let cache = std::fs::read_dir(stage.folder.path().join("cache")).unwrap();
    let entry =
        cache.map(|entry| entry.unwrap().path()).find(|file| file.extension().is_some_and(|end| end == "cwasm"));
    let mut code = std::fs::read(entry.as_ref().unwrap()).unwrap();
    *code.last_mut().unwrap() ^= 1;
    std::fs::write(entry.unwrap(), code).unwrap();
    let fresh =
        Renderers::new(RenderOptions { cache: Some(stage.folder.path().join("cache")), ..RenderOptions::default() })
            .unwrap();
    let tampered = fresh.load("subject", &stage.file(&echo("a")), little()).await;
    assert!(matches!(tampered, Err(LoadError::NotCompiled { .. })));
    // Compiled again, it is there.
    stage.load(&echo("a"), little()).await.unwrap();
    assert!(matches!(fresh.load("subject", &stage.file(&echo("a")), little()).await, Ok(Load::Ready(_))));
}
