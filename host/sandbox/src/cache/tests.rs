//! The folder of the cache and its limits. Its contents are tested with real components, in `tests/`.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

fn engine() -> Engine {
    Engine::default()
}

/// The compiled form of the smallest component.
fn code(engine: &Engine) -> Vec<u8> {
    engine.precompile_component(b"\0asm\x0d\0\x01\0").unwrap()
}

#[test]
fn a_folder_made_by_the_host_is_readable_by_its_user_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let cache = Cache::open(&folder, &engine()).unwrap();
    let digest = Digest::of("a");
    cache.put(digest, &code(&engine())).unwrap();
    let mode = |file: &Path| std::fs::metadata(file).unwrap().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&cache.file(digest))), (0o700, 0o600));
}

#[test]
fn a_volume_as_kubelet_makes_it_is_accepted_and_the_compiled_form_is_written_below_it() {
    // An `emptyDir` is 0777; with `fsGroup` it has the setgid bit, too. A folder of a group is 0770.
    for mode in [0o2777, 0o777, 0o1777, 0o770] {
        let volume = tempfile::tempdir().unwrap();
        std::fs::set_permissions(volume.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        for _ in ["a first start", "a restart"] {
            let cache = Cache::open(volume.path(), &engine()).unwrap_or_else(|error| panic!("{mode:o}: {error}"));
            let digest = Digest::of("a");
            cache.put(digest, &code(&engine())).unwrap();
            let own = cache.folder();
            assert_eq!(own.parent(), Some(volume.path()), "{mode:o}");
            assert_eq!(std::fs::metadata(own).unwrap().mode() & 0o777, 0o700, "{mode:o}");
            assert!(cache.file(digest).starts_with(own) && cache.component(&engine(), digest).is_some(), "{mode:o}");
        }
    }
}

#[test]
fn an_own_folder_below_a_volume_is_refused_when_other_users_can_write_to_it_or_put_it_there() {
    let volume = tempfile::tempdir().unwrap();
    std::fs::set_permissions(volume.path(), std::fs::Permissions::from_mode(0o2777)).unwrap();
    let own = Cache::open(volume.path(), &engine()).unwrap().folder().to_owned();
    let refused = || Cache::open(volume.path(), &engine()).err().unwrap().to_string();
    for mode in [0o770, 0o707, 0o777] {
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(mode)).unwrap();
        let why = refused();
        assert!(why.contains("other users can write to") && why.contains("remove it"), "{mode:o}: {why}");
    }
    // A link could lead to a folder of ours that holds something else.
    std::fs::remove_dir(&own).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &own).unwrap();
    assert!(refused().contains("is not a folder"), "{}", refused());
}

#[test]
fn a_folder_that_only_its_owner_can_write_to_is_used_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(Cache::open(folder.path(), &engine()).unwrap().folder(), folder.path());
}

#[test]
fn an_entry_that_other_users_can_write_to_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path(), &engine()).unwrap();
    let digest = Digest::of("a");
    cache.put(digest, &code(&engine())).unwrap();
    assert!(cache.component(&engine(), digest).is_some());
    std::fs::set_permissions(cache.file(digest), std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(cache.component(&engine(), digest).is_none());
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(Cache::open(file.path(), &engine()).is_err());
}

#[test]
fn the_oldest_entries_are_removed_first() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let cache = Cache::open(folder.path(), &engine).unwrap();
    let digests: Vec<_> = (0..CACHE_ENTRIES + 3).map(|number| Digest::of(number.to_string())).collect();
    for (age, digest) in digests.iter().rev().enumerate() {
        let (file, old) =
            (cache.file(*digest), SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9_999 - age as u64));
        for file in [seal(&file), file] {
            File::create(file).unwrap().set_modified(old).unwrap();
        }
    }
    let newest = Digest::of("newest");
    cache.put(newest, &code(&engine)).unwrap();
    let kept: Vec<_> = digests.iter().map(|digest| cache.file(*digest).exists()).collect();
    assert_eq!(kept, [vec![false; 4], vec![true; CACHE_ENTRIES - 1]].concat());
    assert!(!seal(&cache.file(digests[0])).exists());
    assert!(cache.component(&engine, newest).is_some());
}

#[test]
fn no_partial_file_is_left_when_writing_fails() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path(), &engine()).unwrap();
    let digest = Digest::of("a");
    // A folder in the entry's place: it can't be replaced by a file.
    std::fs::create_dir_all(cache.file(digest).join("x")).unwrap();
    assert!(cache.put(digest, &code(&engine())).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_oldest_entries_are_removed_when_all_are_too_large_together() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let cache = Cache::open(folder.path(), &engine).unwrap();
    for (name, age) in [("old", 2), ("older", 3), ("oldest", 4)] {
        let file = File::create(cache.file(Digest::of(name))).unwrap();
        file.set_len(CACHE_BYTES / 2 - 1).unwrap();
        file.set_modified(SystemTime::now() - std::time::Duration::from_hours(age)).unwrap();
    }
    cache.put(Digest::of("newest"), &code(&engine)).unwrap();
    let kept = ["newest", "old", "older", "oldest"].map(|name| cache.file(Digest::of(name)).exists());
    assert_eq!(kept, [true, true, false, false]);
}
