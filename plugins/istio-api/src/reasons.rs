//! The condition of the installation, and its reasons: constants for every reconciler that reports
//! or reads them.
//!
//! Behaviour: Kyma's reasons where it has one. Kyma's `state` follows from them: `Warning` for
//! [`OLDER`], [`DANGLING`] and [`VERSION`], which break nothing that runs, `Error` for the other
//! false ones, `Processing` while the condition is unknown.

/// The condition's type. True: the installed Istio is the desired one. Unknown: in progress.
pub const INSTALLED: &str = "IstioInstalled";

/// True: installed by this reconciler, and available.
pub const SUCCEEDED: &str = "IstioInstallSucceeded";
/// True: another party's Istio, of a supported version.
pub const USERS_OWN: &str = "UserIstioSupported";
/// Unknown: in progress.
pub const PROGRESSING: &str = "IstioInstallInProgress";
/// False: the installation failed.
pub const FAILED: &str = "IstioInstallUninstallFailed";
/// False: a field has an invalid value.
pub const INVALID: &str = "ValidationFailed";
/// False: an older custom resource already determines the mesh.
pub const OLDER: &str = "OlderCRExists";
/// False: Istio does not support the upgrade from the installed version to the desired one.
pub const VERSION: &str = "IstioVersionUpdateNotAllowed";
/// False: another party's Istio, of a version that is not supported.
pub const UNSUPPORTED: &str = "UserIstioNotSupported";
/// False: users' resources block the deletion.
pub const DANGLING: &str = "IstioCustomResourcesDangling";
/// Unknown: Istio is being removed.
pub const GOING: &str = "IstioUninstallInProgress";
