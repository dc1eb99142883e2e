//! What a go.mod and go.sum pin.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{Build, run};
use crate::cache::create_dir;
use crate::error::GoError;

/// A Go module of this repository: a folder with a go.mod and a go.sum.
#[derive(Clone, Debug)]
pub struct GoModule {
    folder: PathBuf,
    requirements: String,
    sums: String,
}

// === impl GoModule ===

impl GoModule {
    /// Reads go.mod and go.sum.
    pub fn read(folder: &Path) -> Result<Self, GoError> {
        let requirements = read(&folder.join("go.mod"))?;
        let sums = read(&folder.join("go.sum"))?;
        Ok(Self { folder: folder.to_owned(), requirements, sums })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The version that it requires of another module, without its `v`.
    pub fn version_of(&self, module: &str) -> Result<String, GoError> {
        version(&self.requirements, module)
            .ok_or_else(|| GoError::Unpinned { path: self.folder.join("go.mod"), module: module.to_owned() })
    }

    /// What a result depends on: every version, the settings (flags, sources …), the platform.
    /// Twelve hexadecimal digits.
    pub fn key(&self, settings: &[&str]) -> String {
        let mut hash = blake3::Hasher::new();
        let all = format!("{}{}", self.requirements, self.sums);
        for part in [&[all.as_str()], settings, &[std::env::consts::OS, std::env::consts::ARCH]].concat() {
            hash.update(part.as_bytes()).update(&[0]);
        }
        hash.finalize().to_hex()[..12].to_owned()
    }

    /// The folder of a module that this one requires, downloaded if need be.
    pub fn folder_of(&self, module: &str, build: &Build) -> Result<PathBuf, GoError> {
        let output = run(&mut build.go(&self.folder, &["mod", "download", "-json", module]), build)?;
        serde_json::from_str::<serde_json::Value>(&output)
            .ok()
            .and_then(|download| download.get("Dir")?.as_str().map(PathBuf::from))
            .ok_or_else(|| GoError::Failed { wanted: build.wanted.clone(), output })
    }

    /// Copies files of a module that this one requires to a folder, under the same names.
    pub fn copy(&self, module: &str, files: &[&str], folder: &Path) -> Result<(), GoError> {
        let wanted = format!("{module} {}", self.version_of(module)?);
        eprintln!("copying {} from the Go module {wanted}", files.join(", "));
        let from = self.folder_of(module, &Build { wanted, ..Build::default() })?;
        for file in files {
            let to = folder.join(file);
            if let Some(folder) = to.parent() {
                create_dir(folder)?;
            }
            fs::write(&to, read(&from.join(file))?).map_err(GoError::io("write", &to))?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, GoError> {
    fs::read_to_string(path).map_err(GoError::io("read", path))
}

/// The version that a go.mod requires of a module, without its `v`.
fn version(requirements: &str, module: &str) -> Option<String> {
    requirements.lines().find_map(|line| {
        let mut words = line.trim().strip_prefix("require ").unwrap_or(line).split_whitespace();
        let version = (words.next()? == module).then(|| words.next())??;
        version.strip_prefix('v').map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_list_and_alone() {
        assert_eq!(version("require a.b/c v1.2.3\n", "a.b/c").as_deref(), Some("1.2.3"));
        assert_eq!(
            version("require (\n\ta.b/c/d v9.9.9\n\ta.b/c v1.2.3 // indirect\n)\n", "a.b/c").as_deref(),
            Some("1.2.3")
        );
        assert_eq!(version("require a.b/c v1.2.3\n", "a.b"), None);
    }

    #[test]
    fn a_key_covers_every_version_and_every_setting() {
        let module = |sums: &str| GoModule {
            folder: PathBuf::new(),
            requirements: "require a.b/c v1.2.3\n".to_owned(),
            sums: sums.to_owned(),
        };
        let key = module("a").key(&["-s"]);
        assert_eq!(key, module("a").key(&["-s"]));
        for other in [module("b").key(&["-s"]), module("a").key(&["-w"]), module("a").key(&["-s", "-w"])] {
            assert_ne!(key, other);
        }
    }
}
