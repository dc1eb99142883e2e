//! Compiled components: cached, mapped again, and compiled again when they are damaged.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use mizzen_sandbox::{LoadError, Sandbox, SandboxOptions};

use crate::support::plugin;

fn open(folder: &Path) -> Result<Sandbox, LoadError> {
    Sandbox::new(SandboxOptions { cache: Some(folder.to_owned()), ..SandboxOptions::default() })
}

async fn load(folder: &Path) {
    let component = open(folder).unwrap().load_file(&plugin("mtls")).await.unwrap();
    assert_eq!(component.description().name, "mtls");
}

fn entry(folder: &Path) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|file| file.extension().is_some_and(|end| end == "cwasm")).unwrap()
}

fn written(file: &Path) -> SystemTime {
    std::fs::metadata(file).unwrap().modified().unwrap()
}

#[tokio::test]
async fn a_component_is_compiled_once_and_then_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let since = Instant::now();
    load(folder.path()).await;
    let compiling = since.elapsed();
    let first = written(&entry(folder.path()));
    let since = Instant::now();
    load(folder.path()).await;
    let mapping = since.elapsed();
    assert_eq!(written(&entry(folder.path())), first);
    println!("loaded in {compiling:?}, and in {mapping:?} when it was compiled before");
    assert!(mapping < compiling / 2, "{mapping:?} is not much less than {compiling:?}");
}

#[tokio::test]
async fn a_missing_folder_is_made_for_this_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("not/there");
    load(&folder).await;
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o077, 0);
    assert_eq!(std::fs::metadata(entry(&folder)).unwrap().permissions().mode() & 0o077, 0);
}

#[tokio::test]
async fn a_damaged_a_truncated_and_a_foreign_entry_are_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path()).await;
    let entry = entry(folder.path());
    let good = std::fs::read(&entry).unwrap();
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 0xff;
    for bad in [damaged, good[..good.len() / 3].to_vec(), Vec::new(), b"not compiled code".to_vec()] {
        std::fs::write(&entry, &bad).unwrap();
        load(folder.path()).await;
        assert_eq!(std::fs::read(&entry).unwrap(), good);
    }
    // With the right digest, and still not code of this host.
    std::fs::write(&entry, b"foreign").unwrap();
    std::fs::write(entry.with_extension("digest"), mizzen_model::Digest::of(b"foreign").to_string()).unwrap();
    load(folder.path()).await;
    assert_eq!(std::fs::read(&entry).unwrap(), good);
}

#[tokio::test]
async fn a_volume_that_every_user_can_write_to_is_accepted_and_compiled_code_is_kept_in_a_folder_below_it() {
    let volume = tempfile::tempdir().unwrap();
    std::fs::set_permissions(volume.path(), std::fs::Permissions::from_mode(0o2777)).unwrap();
    load(volume.path()).await;
    let sandbox = open(volume.path()).unwrap();
    let own = sandbox.cache_folder().unwrap();
    assert!(own.starts_with(volume.path()) && own != volume.path(), "{}", own.display());
    assert_eq!(std::fs::metadata(own).unwrap().permissions().mode() & 0o777, 0o700);
    let first = written(&entry(own));
    load(volume.path()).await;
    assert_eq!(written(&entry(own)), first, "a restart maps what the first start compiled");
    std::fs::set_permissions(own, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(open(volume.path()).err().unwrap().to_string().contains("other users can write to"));
}
