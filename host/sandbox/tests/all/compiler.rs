//! Compiling in another process: the state of a renderer meanwhile, and after it failed.

use std::path::{Path, PathBuf};

use mizzen_config::RenderLimits;
use mizzen_sandbox::{Compiler, Load, LoadError, RenderOptions, Renderers, compile};
use tempfile::TempDir;

/// A folder with the smallest renderer, and a host whose compiler is this script.
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

async fn failure(script: &str) -> String {
    let (_folder, file, renderers) = host(script);
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Compiling)));
    renderers.settled().await;
    load(&renderers, &file).await.err().unwrap().to_string()
}

#[tokio::test]
async fn a_renderer_that_is_not_cached_is_compiled_by_another_process_and_then_mapped() {
    // Ends when the cache has been filled, which this test does instead of the script.
    let (folder, file, renderers) = host("until test -e \"$4/done\"; do sleep 0.01; done");
    let mut changes = renderers.changes();
    for _ in 0..3 {
        assert!(
            matches!(load(&renderers, &file).await, Ok(Load::Compiling)),
            "loading does not wait, and starts no second process"
        );
    }
    compile(&file, &folder.path().join("cache")).unwrap();
    std::fs::write(folder.path().join("cache/done"), "").unwrap();
    changes.changed().await.unwrap();
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Ready(_))));
    // It is not in use, and the cache was emptied: it can be compiled again.
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    assert!(matches!(load(&renderers, &file).await, Ok(Load::Compiling)));
}

#[tokio::test]
async fn the_compiler_gets_its_limit_and_nothing_of_the_environment() {
    let why = failure("echo \"$1 $2 $3 ${HOME-nothing} $RAYON_NUM_THREADS\" >&2; exit 1").await;
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
async fn a_compiler_that_ran_out_of_memory_or_was_killed_is_reported_with_the_way_out() {
    let memory = failure("echo 'memory allocation of 8 bytes failed' >&2; kill -ABRT $$").await;
    assert!(memory.contains("more than 3 MiB of memory: allow more with `--compile-memory`"), "{memory}");
    let killed = failure("kill -KILL $$").await;
    assert!(killed.contains("signal: 9") && killed.contains("mizzen plugin compile"), "{killed}");
}

#[tokio::test]
async fn a_compiler_that_succeeds_without_a_cached_form_is_reported() {
    let why = failure("exit 0").await;
    assert!(why.contains("was not found in the cache"), "{why}");
}
