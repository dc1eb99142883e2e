//! The keys by which the host recognizes what it applied: of a file or a Secret.

use std::path::Path;

use anyhow::Context as _;
use mizzen_cluster::OwnershipKeys;
use mizzen_live::{Live, OwnershipSecret};

use crate::args;

/// Reads the keys, and has the views recognize owned objects by them.
pub(crate) async fn keys(live: &Live, args: args::Ownership) -> anyhow::Result<OwnershipKeys> {
    let args::Ownership { key_file, namespace, secret: name } = args;
    let Some(file) = key_file else {
        let secret = OwnershipSecret { namespace, name };
        return Ok(live.recognize_by_secret(secret).await?);
    };
    let keys = of_file(&file).await?;
    live.recognize_by(keys.clone());
    Ok(keys)
}

/// Reads the keys in a file.
pub(crate) async fn of_file(file: &Path) -> anyhow::Result<OwnershipKeys> {
    let named = || format!("ownership keys of {}", file.display());
    let text = tokio::fs::read_to_string(file).await.with_context(named)?;
    OwnershipKeys::parse(&text).with_context(named)
}
