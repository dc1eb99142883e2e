//! Builds `plugins/istio-client` for one version of Istio: a WASI command, not a component, made by Go.
//!
//! It is built in a folder of the cache, which holds its sources beside a copy of Istio's Go module
//! with a door in it (see [`door`]), and is kept there: the second build of a version is a copy.

mod door;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use mizzen_go_build::{Build, Cache, GoModule};

use crate::component::{State, put};

/// The name of the client, followed by `@` and a version on the command line.
pub(crate) const NAME: &str = "istio-client";

const MODULE: &str = "istio.io/istio";
const ENVIRONMENT: [(&str, &str); 2] = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
/// Istio's own build tag of its agent, which omits the types of Envoy's filters: a third of the
/// size. Rendering does not use them.
/// size. They play no part in rendering.
const TAGS: &str = "agent";

/// A version of Istio, e.g. `1.31.1`: the version that the client reports, and the tag of the images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(String);

/// Builds the client for a version, and puts it at `OUT/istio-client-VERSION.wasm`.
pub(crate) fn build(root: &Path, out: &Path, version: &Version) -> anyhow::Result<(PathBuf, State)> {
    let sources = root.join("plugins").join(NAME);
    let module = GoModule::read(&sources)?;
    let code = code(&sources)?;
    let build = recipe(version);
    let texts = code.iter().map(|(_, text)| text).chain(&build.flags).map(String::as_str);
    let settings: Vec<_> = texts.chain([door::CLOSED, door::OPEN]).collect();
    let cache = Cache::open(&Cache::project()?, "plugins")?;
    let name = format!("{NAME}-{}-{}", version.0, module.key(&settings));
    let kept = cache.folder(&format!("{name}.wasm"));
    cache.unless_there(std::slice::from_ref(&kept), || -> anyhow::Result<()> {
        let work = cache.folder(&name);
        let istio = module.folder_of(MODULE, &build)?;
        version.must_be_of(&istio)?;
        prepare(&work, &code, &module, &istio)?;
        build.run(&work, &kept)?;
        fs::remove_dir_all(&work).context("the build's folder can't be removed")?;
        Ok(())
    })?;
    let file = out.join(format!("{NAME}-{}.wasm", version.0));
    let client = fs::read(&kept).with_context(|| format!("can't read {}", kept.display()))?;
    let state = put(&client, &file)?;
    Ok((file, state))
}

/// Go's build settings. Equal sources give equal bytes.
fn recipe(version: &Version) -> Build {
    let stamp = |name: &str, value: &str| format!("-X {MODULE}/pkg/version.{name}={value}");
    let stamps =
        [stamp("buildVersion", &version.0), stamp("buildTag", &version.0), stamp("buildHub", "docker.io/istio")];
    let flags =
        ["-trimpath", "-tags", TAGS, "-overlay", door::OVERLAY, "-ldflags", &format!("-s -w {}", stamps.join(" "))];
    Build {
        wanted: format!("{NAME} {}", version.0),
        takes: "3 minutes",
        instead: ", or do without it: `installation-external` works with an Istio that is installed by other means",
        package: ".".to_owned(),
        flags: flags.map(str::to_owned).to_vec(),
        environment: ENVIRONMENT.to_vec(),
    }
}

/// The folder in which it is built: the sources, and Istio beside them, with the door.
fn prepare(work: &Path, code: &[(String, String)], module: &GoModule, istio: &Path) -> anyhow::Result<()> {
    if work.exists() {
        fs::remove_dir_all(work).context("what an earlier build left behind can't be removed")?;
    }
    fs::create_dir_all(work).with_context(|| format!("can't make {}", work.display()))?;
    let write =
        |name: &str, text: &str| fs::write(work.join(name), text).with_context(|| format!("can't write {name}"));
    for (name, text) in code {
        write(name, text)?;
    }
    let pins =
        |name: &str| fs::read_to_string(module.folder().join(name)).with_context(|| format!("can't read {name}"));
    write("go.sum", &pins("go.sum")?)?;
    write("go.mod", &format!("{}\nreplace {MODULE} => ./istio\n", pins("go.mod")?))?;
    door::open(work, istio)
}

/// The Go files that are not tests, in order of their names.
fn code(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut code = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_go = entry.path().extension().is_some_and(|extension| extension == "go");
        if is_go && !name.ends_with("_test.go") {
            code.push((name, fs::read_to_string(entry.path())?));
        }
    }
    code.sort();
    Ok(code)
}

impl Version {
    /// Reads `1.31.1`, or with a suffix, `1.31.1-distroless`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let (numbers, suffix) = text.split_once('-').unwrap_or((text, "x"));
        let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let three = numbers.split('.').count() == 3 && numbers.split('.').all(number);
        let named =
            !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        ensure!(three && named, "`{text}` is not a version of Istio: give three numbers, e.g. {NAME}@1.31.1");
        Ok(Self(text.to_owned()))
    }

    /// The charts belong to one minor version: another version is refused.
    fn must_be_of(&self, istio: &Path) -> anyhow::Result<()> {
        let minor =
            fs::read_to_string(istio.join("VERSION")).context("Istio's Go module has no readable file VERSION")?;
        let minor = minor.trim();
        ensure!(
            self.0.strip_prefix(minor).is_some_and(|rest| rest.starts_with('.')),
            "the Go module in plugins/{NAME}/go.mod is Istio {minor} and can't be built as {}: \
             change the module's version there, or build {minor}.x",
            self.0
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_perhaps_a_suffix() {
        for good in ["1.31.1", "1.31.0-rc.0", "1.31.1-distroless"] {
            Version::parse(good).unwrap();
        }
        for bad in ["", "1.31", "1.31.x", "v1.31.1", "1.31.1-", "1.31.1 -X a=b", "1.31.1-a b", "1..1"] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn charts_of_one_minor_version_are_not_given_the_name_of_another() {
        let istio = tempfile::tempdir().unwrap();
        fs::write(istio.path().join("VERSION"), "1.31\n").unwrap();
        Version::parse("1.31.7").unwrap().must_be_of(istio.path()).unwrap();
        for other in ["1.30.1", "1.3.1", "1.310.1"] {
            let error = Version::parse(other).unwrap().must_be_of(istio.path()).unwrap_err().to_string();
            assert!(error.contains("Istio 1.31 and can't be built as"), "{error}");
        }
    }

    #[test]
    fn the_linker_flags_set_the_version_and_the_images() {
        let flags = recipe(&Version("1.31.1".to_owned())).flags.join(" ");
        for stamp in ["buildVersion=1.31.1", "buildTag=1.31.1", "buildHub=docker.io/istio"] {
            assert!(flags.contains(stamp), "{flags}");
        }
    }
}
