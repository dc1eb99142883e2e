//! The form of a WebAssembly file, by its first bytes.

/// Bytes that decide the form.
pub(crate) const BYTES: usize = 8;

/// What the first bytes of a file say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A component of the component model.
    Component,
    /// A core module, as WASI preview 1 commands are.
    CoreModule,
    /// WebAssembly that is cut off, or of a version that this host does not know.
    Unknown,
    /// Anything else.
    NotWasm,
}

/// Whether a core module imports WASI preview 1: its name is not read as a module's import would be, as it decides
/// about words alone.
pub(crate) fn is_preview1(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"wasi_snapshot_preview1";
    bytes.windows(NAME.len()).any(|window| window == NAME)
}

impl Form {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Self::Component,
            [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Self::CoreModule,
            [b'\0', b'a', b's', b'm', ..] => Self::Unknown,
            _ => Self::NotWasm,
        }
    }
}
