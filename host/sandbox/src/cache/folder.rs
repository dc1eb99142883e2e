//! The folder of compiled components: which one it is, and that no other user can write to it.

use std::fs::Metadata;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Why a folder can't hold compiled components.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder can't be made or looked at.
    #[error("the cache folder {} is not usable: {source}", .folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: Error,
    },
    /// It is a file or a link.
    #[error("the cache {} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Other users could have code of theirs run by this host.
    #[error(
        "other users can write to the cache folder {}, and what is in it is run by this host: remove it, \
         and the host makes a new one for itself",
        .0.display()
    )]
    Shared(PathBuf),
}

/// Returns the folder that entries are kept in, made if need be: `given` itself if no other user can write to it,
/// or else a folder of this host's own below it.
///
/// What is in the folder runs as native code. A volume is usually writable by many (kubelet makes an `emptyDir` with
/// mode 0777, and adds the setgid bit for an `fsGroup`), so in such a one the host keeps a folder with mode 0700.
///
/// # Errors
/// When neither can be made or opened, and when other users can write to the host's own folder.
pub(super) fn open(given: &Path) -> Result<PathBuf, CacheError> {
    let unusable = |source| CacheError::Unusable { folder: given.to_owned(), source };
    if !given.exists() {
        make(given).map_err(unusable)?;
    }
    let metadata = std::fs::metadata(given).map_err(unusable)?;
    if !metadata.is_dir() {
        return Err(CacheError::NotAFolder(given.to_owned()));
    }
    if is_private(&metadata) { Ok(given.to_owned()) } else { below(given) }
}

/// Whether no user but this host's and root can write to it. Root could have the host run anything anyhow; a folder of
/// root's may come with an image, filled and not for the host to write to.
pub(super) fn is_private(metadata: &Metadata) -> bool {
    let trusted = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    trusted && metadata.mode() & 0o022 == 0
}

/// The host's own folder in one that others can write to. Its name has the user in it: hosts of several users can share
/// a volume.
fn below(volume: &Path) -> Result<PathBuf, CacheError> {
    let own = volume.join(format!("mizzen-{}", rustix::process::geteuid().as_raw()));
    let unusable = |source| CacheError::Unusable { folder: own.clone(), source };
    match make(&own) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(unusable(error)),
        _ => {}
    }
    // Not through a link: another user could have put one there that leads to a folder with other contents.
    let metadata = std::fs::symlink_metadata(&own).map_err(unusable)?;
    if !metadata.is_dir() {
        Err(CacheError::NotAFolder(own))
    } else if is_private(&metadata) {
        Ok(own)
    } else {
        Err(CacheError::Shared(own))
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}
