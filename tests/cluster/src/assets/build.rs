//! Builds the Go modules in `tests/controlplane/`.

use std::path::Path;

use mizzen_go_build::{Build, GoError, GoModule};

use crate::program::{Program, Source};

/// The folder of the Go modules.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../controlplane");

/// A pinned Go module of the control plane.
pub(super) struct Module {
    source: Source,
    pinned: GoModule,
    version: String,
}

impl Module {
    /// Reads go.mod and go.sum.
    pub(super) fn read(source: Source) -> Result<Self, GoError> {
        let pinned = GoModule::read(&Path::new(SOURCES).join(source.folder))?;
        let version = pinned.version_of(source.module)?;
        Ok(Self { source, pinned, version })
    }

    /// The name of the folder for its programs: it covers all versions, the flags and the platform.
    pub(super) fn folder(&self) -> String {
        format!("{}-{}-{}", self.source.folder, self.version, self.pinned.key(&[&self.link_flags()]))
    }

    /// Builds a program; the path exists only once the program is complete.
    pub(super) fn build(&self, program: Program, path: &Path) -> Result<(), GoError> {
        let build = Build {
            wanted: format!("{program} {}", self.version),
            takes: program.build_time(),
            instead: ", or set KUBEBUILDER_ASSETS to a folder that holds it",
            package: program.package(),
            flags: vec!["-ldflags".to_owned(), self.link_flags()],
            ..Build::default()
        };
        build.run(self.pinned.folder(), path)
    }

    /// Copies files of the module to a folder, under the same names.
    pub(super) fn copy(&self, files: &[&str], folder: &Path) -> Result<(), GoError> {
        self.pinned.copy(self.source.module, files, folder)
    }

    /// Kubernetes takes its own version from linker flags, and reports `v0.0.0` without them.
    fn link_flags(&self) -> String {
        let mut flags = vec!["-s -w".to_owned()];
        let mut numbers = self.version.split('.');
        if let (true, Some(major), Some(minor)) = (self.source.stamped, numbers.next(), numbers.next()) {
            let stamp = |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
            let version = format!("v{}", self.version);
            flags.extend([stamp("gitVersion", &version), stamp("gitMajor", major), stamp("gitMinor", minor)]);
        }
        flags.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_names_its_version() {
        let sources = Program::ALL
            .map(Program::source)
            .into_iter()
            .chain(super::super::Manifests::ALL.map(super::super::Manifests::source));
        for source in sources {
            let module = Module::read(source).unwrap();
            assert!(module.version.starts_with(|first: char| first.is_ascii_digit()), "{}", module.version);
        }
    }

    #[test]
    fn kubernetes_gets_its_version_from_the_linker() {
        let module = Module::read(Program::ApiServer.source()).unwrap();
        assert!(module.link_flags().contains(&format!("gitVersion=v{}", module.version)), "{}", module.link_flags());
    }
}
