//! The one door that a sandboxed Istio needs.
//!
//! Istio's renderer takes documents from files, or from standard input. In the sandbox there are no
//! files, and what stands on standard input is a `ResourceList` with the document in it. Natively a
//! pipe takes the place of standard input; WASI preview 1 has none. So the client is built with one
//! expression of one file of Istio's changed: a variable in place of `os.Stdin`. All else is the Go
//! module as it is published.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// The file that names the change, within the build's folder.
pub(super) const OVERLAY: &str = "overlay.json";

/// What Istio has.
pub(super) const CLOSED: &str = "io.ReadAll(os.Stdin)";
/// What the client is built with.
pub(super) const OPEN: &str = "io.ReadAll(Input)";

const FILE: &str = "operator/pkg/render/manifest.go";
const VARIABLE: &str = "\n// Input is what the file name \"-\" stands for.\nvar Input io.Reader = os.Stdin\n";

/// Links Istio's module into the build's folder as `istio`, and puts the door over it there. The
/// module itself, in Go's own cache, stays as it is.
pub(super) fn open(work: &Path, istio: &Path) -> anyhow::Result<()> {
    let linked = work.join("istio");
    std::os::unix::fs::symlink(istio, &linked).with_context(|| format!("can't link {}", linked.display()))?;
    let text = fs::read_to_string(linked.join(FILE)).with_context(|| format!("Istio's Go module has no {FILE}"))?;
    let changed = work.join("manifest.go.changed");
    fs::write(&changed, opened(&text)?).with_context(|| format!("can't write {}", changed.display()))?;
    let overlay = serde_json::json!({"Replace": {linked.join(FILE).to_string_lossy(): changed.to_string_lossy()}});
    fs::write(work.join(OVERLAY), overlay.to_string()).with_context(|| format!("can't write {OVERLAY}"))
}

/// The file with the door.
fn opened(text: &str) -> anyhow::Result<String> {
    ensure!(
        text.matches(CLOSED).count() == 1,
        "Istio's {FILE} does not have `{CLOSED}` once, as before: see how this version reads standard input, \
         and change {}",
        file!()
    );
    Ok(text.replace(CLOSED, OPEN) + VARIABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expression_is_changed() {
        let text = opened("b, err = io.ReadAll(os.Stdin)\nos.ReadFile(x)\n").unwrap();
        assert!(text.starts_with("b, err = io.ReadAll(Input)\nos.ReadFile(x)\n"), "{text}");
        assert!(text.contains("var Input io.Reader = os.Stdin"), "{text}");
    }

    #[test]
    fn an_istio_that_reads_otherwise_is_not_guessed_at() {
        for text in ["", "io.ReadAll(os.Stdin); io.ReadAll(os.Stdin)"] {
            assert!(opened(text).unwrap_err().to_string().contains("io.ReadAll(os.Stdin)"));
        }
    }
}
