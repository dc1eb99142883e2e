//! The limits of renderers that no configuration sets. Each says which attack it prevents.

/// Bytes of a renderer's stack. Stops endless recursion from exhausting the host's memory.
pub(super) const STACK: usize = 1 << 20;

/// Bytes of stack left for host functions that a renderer calls at the end of its own stack.
pub(super) const HOST_STACK: usize = 1 << 20;

/// Elements of a renderer's tables. Stops a renderer from growing a table where its memory is limited. Go's table has
/// an element for each function, of which there can be hundreds of thousands.
pub(super) const TABLE: usize = 4 << 20;

/// Bytes that a renderer hands over in one host call, beside its output. Stops it from having the host copy all of its
/// memory.
pub(super) const HOST_CALL: u64 = 1 << 20;

/// Bytes that a renderer can write at once.
pub(super) const WRITE: usize = 64 << 10;

/// Bytes of standard error that are kept, for messages. Stops a renderer that logs without end from filling memory.
pub(super) const STDERR: usize = 4 << 10;

/// Subscriptions of one `poll_oneoff`. Stops a guest from having the host look through an endless list, which no tick
/// interrupts.
pub(super) const SUBSCRIPTIONS: u32 = 4096;

/// Bytes of a component. Stops a file that is not a renderer from keeping the compiler busy for an hour.
pub(super) const COMPONENT: u64 = 512 << 20;

/// Results of a function that are reported; it may have one for each of a thousand objects.
pub(super) const RESULTS: usize = 10;

/// Bytes of a result's message. Stops a renderer from filling a status.
pub(super) const MESSAGE: usize = 1024;

/// Bytes that each kept rendering counts for beside its text. Stops many small ones from costing more than they count.
pub(super) const CACHED: usize = 8 << 10;

/// Threads of a compiler. Each takes memory of its own, and the machine runs more than the compiler.
pub(super) const COMPILER_THREADS: usize = 4;

/// Bytes of a compiler's message.
pub(super) const COMPILER_MESSAGE: usize = 2048;
