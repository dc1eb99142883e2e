//! Digests of renderers' files: a hundred megabytes are read again only when the file may have changed.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mizzen_model::Digest;
use parking_lot::Mutex;

use super::error::RendererError;
use super::limits::COMPONENT;
use crate::error::LoadError;
use crate::form::{self, Form};

/// Digests of files that were read and have not changed since.
#[derive(Default)]
pub(super) struct Files(Mutex<HashMap<PathBuf, Known>>);

#[derive(Clone, Copy)]
struct Known {
    stamp: Stamp,
    digest: Digest,
}

/// Differs after every change of a file or of anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: i64,
    changed_nanos: i64,
}

impl Files {
    /// Returns the digest of a file, reading it if it may have changed.
    ///
    /// # Errors
    /// When it can't be read, is too large, or is a component of the component model: one could speak WASI 0.2, but
    /// what KRM functions are written in compiles to preview 1, and a second WASI would be more for guests to attack.
    pub(super) async fn digest(&self, file: &Path) -> Result<Digest, LoadError> {
        let read = |source| LoadError::Read { file: file.to_owned(), source };
        let metadata = tokio::fs::metadata(file).await.map_err(read)?;
        if metadata.len() > COMPONENT {
            return Err(LoadError::TooLarge { bytes: metadata.len(), most: COMPONENT });
        }
        let stamp = Stamp {
            inode: metadata.ino(),
            size: metadata.len(),
            changed: metadata.ctime(),
            changed_nanos: metadata.ctime_nsec(),
        };
        if let Some(known) = self.0.lock().get(file).filter(|known| known.stamp == stamp) {
            return Ok(known.digest);
        }
        let path = file.to_owned();
        let (form, digest) = tokio::task::spawn_blocking(move || look(&path)).await?.map_err(read)?;
        if form == Form::Component {
            return Err(RendererError::Component.into());
        }
        self.0.lock().insert(file.to_owned(), Known { stamp, digest });
        Ok(digest)
    }
}

fn look(file: &Path) -> std::io::Result<(Form, Digest)> {
    let (mut file, mut begins) = (File::open(file)?, Vec::new());
    file.by_ref().take(form::BYTES as u64).read_to_end(&mut begins)?;
    Ok((Form::of(&begins), Digest::of_reader(begins.as_slice().chain(file))?))
}
