//! Compiling in another process: what becomes of a renderer meanwhile, and when it fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in what its cases share")]

use std::path::{Path, PathBuf};

use mizzen_config::RenderLimits;
use mizzen_sandbox::{Compiler, Load, LoadError, RenderOptions, Renderers, compile};
use tempfile::TempDir;

/// A folder with the smallest renderer there is, and a host whose compiler is this script.
fn host(script: &str) -> (TempDir, PathBuf, Renderers) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.wasm");
    std::fs::write(&file, wat::parse_str(r#"(module (func (export "_start")))"#).unwrap()).unwrap();
    let args = ["-c", script, "compiler"].map(Into::into).to_vec();
    let compiler = Some(Compiler { program: "/bin/sh".into(), args, memory: 3 << 20 });
    let cache = Some(folder.path().join("cache"));
    let renderers = Renderers::new(RenderOptions { cache, compiler, ..RenderOptions::default() }).unwrap();
    (folder, file, renderers)
}

async fn load(renderers: &Renderers, file: &Path) -> Result<Load, LoadError> {
    renderers.load("subject", file, RenderLimits::default()).await
}

async fn why(script: &str) -> String {
    let (_folder, file, renderers) = host(script);
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Compiling)));
    renderers.settled().await;
    load(&renderers, &file).await.err().unwrap().to_string()
}

#[tokio::test]
async fn a_renderer_that_is_not_in_the_cache_is_compiled_by_another_process_and_mapped_when_it_is_there() {
    // Ends when the cache has been filled, which this test does in its place.
    let (folder, file, renderers) = host("until test -e \"$4/done\"; do sleep 0.01; done");
    let mut changes = renderers.changes();
    for _ in 0..3 {
        assert!(
            matches!(load(&renderers, &file).await, Ok(Load::Compiling)),
            "asking does not wait, and starts nothing twice"
        );
    }
    compile(&file, &folder.path().join("cache")).unwrap();
    std::fs::write(folder.path().join("cache/done"), "").unwrap();
    changes.changed().await.unwrap();
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Ready(_))));
    // Nobody runs it, and somebody has emptied the cache: it can be compiled again.
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Compiling)));
}

#[tokio::test]
async fn the_compiler_is_told_its_limit_and_knows_nothing_of_ours() {
    let why = why("echo \"$1 $2 $3 ${HOME-nothing} $RAYON_NUM_THREADS\" >&2; exit 1").await;
    let said = "--memory 3145728 --cache nothing ";
    assert!(why.contains(said) && why.trim_end().ends_with(|last: char| ('1'..='4').contains(&last)), "{why}");
}

#[tokio::test]
async fn a_compiler_that_fails_is_not_started_again_for_the_same_bytes() {
    let (folder, file, renderers) = host("echo x >> \"$4.runs\"; echo 'not a component' >&2; exit 1");
    for _ in 0..3 {
        drop(load(&renderers, &file).await);
        renderers.settled().await;
    }
    let runs = || std::fs::read_to_string(folder.path().join("cache.runs")).unwrap().lines().count();
    assert_eq!(runs(), 1);
    assert!(load(&renderers, &file).await.err().unwrap().to_string().contains("not a component"));
    std::fs::write(&file, b"other bytes").unwrap();
    drop(load(&renderers, &file).await);
    renderers.settled().await;
    assert_eq!(runs(), 2);
}

#[tokio::test]
async fn a_compiler_that_ran_out_of_memory_or_was_killed_says_what_can_be_done() {
    let memory = why("echo 'memory allocation of 8 bytes failed' >&2; kill -ABRT $$").await;
    assert!(memory.contains("more than 3 MiB of memory: allow more with `--compile-memory`"), "{memory}");
    let killed = why("kill -KILL $$").await;
    assert!(killed.contains("signal: 9") && killed.contains("mizzen plugin compile"), "{killed}");
}

#[tokio::test]
async fn a_compiler_that_leaves_nothing_in_the_cache_is_not_believed() {
    let why = why("exit 0").await;
    assert!(why.contains("was not found in the cache"), "{why}");
}
