//! The condition that says how the installation stands, and its reasons: the same words wherever it is told or read.
//!
//! Behaviour: Kyma's reasons where it has one. What Kyma's `state` is made of them: `Warning` for [`OLDER`], [`DANGLING`] and
//! [`VERSION`], by which nothing that is there breaks, `Error` for the others that are false, `Processing` while it is unknown.

/// The condition's type. True: the Istio that is there is the one that is wanted. Unknown: on its way.
pub const INSTALLED: &str = "IstioInstalled";

/// True: installed from here, and up.
pub const SUCCEEDED: &str = "IstioInstallSucceeded";
/// True: somebody else's Istio, of a version that does.
pub const USERS_OWN: &str = "UserIstioSupported";
/// Unknown: on its way.
pub const PROGRESSING: &str = "IstioInstallInProgress";
/// False: it can't be made, or does not come up.
pub const FAILED: &str = "IstioInstallUninstallFailed";
/// False: a field has a value that makes no sense.
pub const INVALID: &str = "ValidationFailed";
/// False: an older custom resource describes the mesh already.
pub const OLDER: &str = "OlderCRExists";
/// False: Istio does not go from the version that is there to the one that is wanted.
pub const VERSION: &str = "IstioVersionUpdateNotAllowed";
/// False: somebody else's Istio, of a version that does not do.
pub const UNSUPPORTED: &str = "UserIstioNotSupported";
/// False: it can't go while users' resources need it.
pub const DANGLING: &str = "IstioCustomResourcesDangling";
/// Unknown: it is going.
pub const GOING: &str = "IstioUninstallInProgress";
