//! Renderers in WebAssembly text, as small as a test needs them.

use std::path::PathBuf;
use std::time::Duration;

use mizzen_config::RenderLimits;
use mizzen_model::{Render, RenderError};
use mizzen_sandbox::{Load, LoadError, RenderOptions, Renderer, Renderers, compile};
use tempfile::TempDir;

/// Addresses of a program's input, and of its own texts.
const INPUT: usize = 65536;
const TEXTS: usize = 1024;

/// The input before and after the document.
const BEFORE: &str = r#"{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","functionConfig":"#;
const AFTER: &str = r#","items":[]}"#;

/// A command with everything of WASI that these tests need, and this body. `$say` writes a text to a file descriptor.
pub(crate) fn command(texts: &str, body: &str) -> Vec<u8> {
    let texts = texts.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let module = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (memory (export "memory") 20)
        (table $table 1 funcref)
        (data (i32.const {TEXTS}) "{texts}")
        (func $say (param $fd i32) (param $at i32) (param $length i32)
            (loop $more
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $length))
                (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
                (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 8))))
                (br_if $more (i32.gt_s (local.get $length) (i32.const 0)))))
        {body})"#
    );
    wat::parse_str(module).unwrap()
}

/// A command that writes a text to standard output after it did something.
pub(crate) fn says(text: &str, first: &str) -> Vec<u8> {
    let length = text.len();
    command(
        text,
        &format!(
            r#"(func (export "_start") {first} (call $say (i32.const 1) (i32.const {TEXTS}) (i32.const {length})))"#
        ),
    )
}

/// A command that writes one object with a digit in it: the value of `number`.
pub(crate) fn digit(number: &str) -> Vec<u8> {
    let text = r#"{"kind":"ResourceList","items":[{"digit":"?"}]}"#;
    let at = TEXTS + text.find('?').unwrap();
    says(text, &format!("(i32.store8 (i32.const {at}) (i32.add (i32.const 48) {number}))"))
}

/// A command that returns its document as the only object. `name` makes its bytes, and so its digest, unique.
pub(crate) fn echo(name: &str) -> Vec<u8> {
    let list = r#"{"kind":"ResourceList","items":["#;
    let texts = format!("{list}]}}{name}");
    let (input, before, around, list_length) = (INPUT, BEFORE.len(), BEFORE.len() + AFTER.len(), list.len());
    let (document, end) = (INPUT + before, TEXTS + list_length);
    command(
        &texts,
        &format!(
            r#"
        (func (export "_start") (local $length i32)
            (loop $more
                (i32.store (i32.const 0) (i32.add (i32.const {input}) (local.get $length)))
                (i32.store (i32.const 4) (i32.const 1048576))
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $length (i32.add (local.get $length) (i32.load (i32.const 8))))
                (br_if $more (i32.load (i32.const 8))))
            (call $say (i32.const 1) (i32.const {TEXTS}) (i32.const {list_length}))
            (call $say (i32.const 1) (i32.const {document}) (i32.sub (local.get $length) (i32.const {around})))
            (call $say (i32.const 1) (i32.const {end}) (i32.const 2)))"#
        ),
    )
}

/// A folder with a cache, and renderers on it.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) renderers: Renderers,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Some(folder.path().join("cache"));
        let renderers = Renderers::new(RenderOptions { cache, ..RenderOptions::default() }).unwrap();
        Self { folder, renderers }
    }

    pub(crate) fn file(&self, bytes: &[u8]) -> PathBuf {
        let file = self.folder.path().join("r.wasm");
        std::fs::write(&file, bytes).unwrap();
        file
    }

    pub(crate) async fn load(&self, bytes: &[u8], limits: RenderLimits) -> Result<Renderer, LoadError> {
        let file = self.file(bytes);
        compile(&file, &self.folder.path().join("cache"))?;
        match self.renderers.load("subject", &file, limits).await? {
            Load::Ready(renderer) => Ok(renderer),
            Load::Compiling => panic!("it was compiled"),
        }
    }
}

/// Tight limits, so that a test does not take long.
pub(crate) fn little() -> RenderLimits {
    RenderLimits { memory: 8 << 20, time: Duration::from_millis(500), input: 4 << 10, output: 256 << 10 }
}

/// Renders a document with a renderer of these bytes.
pub(crate) async fn rendered(bytes: &[u8], document: &str) -> Result<Vec<String>, RenderError> {
    let renderer = Stage::new().load(bytes, little()).await.unwrap();
    Ok(renderer.render(document).await?.iter().map(ToString::to_string).collect())
}
