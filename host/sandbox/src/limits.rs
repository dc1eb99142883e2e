//! The limits that no configuration sets, for plugins and for the cache. Each says which attack it prevents.

use std::time::Duration;

use mizzen_config::Limits;

// Of an instance.

/// Bytes of a guest's stack. Stops endless recursion from exhausting the host's memory.
pub(crate) const STACK: usize = 512 << 10;

/// Bytes of stack left for host functions that a guest calls at the end of its own stack.
pub(crate) const HOST_STACK: usize = 1 << 20;

/// Core instances, memories and tables of one component. A component may declare any number of them, each of which
/// costs the host memory before a line of it runs. Python takes 38 core instances, and JavaScript 3 memories.
pub(crate) const CORE_INSTANCES: u32 = 64;
pub(crate) const MEMORIES: u32 = 4;
pub(crate) const TABLES: u32 = 8;

/// Elements of a guest's tables. Stops a guest from growing a table where its memory is limited.
pub(crate) const TABLE: usize = 20_000;

/// Bytes of a guest's memory, whatever `limits.memory` says. A slot of the pool takes this much address space.
pub(crate) const MEMORY: usize = 1 << 30;

/// Bytes of memory written by one call that its slot keeps for the next one, which then faults in less from the kernel.
pub(crate) const RESIDENT: usize = 512 << 10;

// Of loading.

/// Bytes of a component. Stops a file that is not a plugin from keeping the compiler busy for minutes.
pub(crate) const COMPONENT: u64 = 128 << 20;

/// What `describe` may cost. It runs before anything is granted, so it gets little, and it may not read. The
/// interpreters of Python and JavaScript take 10 to 20 MiB before they run a line.
pub(crate) const DESCRIBE: Limits =
    Limits { memory: 64 << 20, time: Duration::from_secs(2), outcome: 1 << 20, reads: 100, requests: 0 };

/// Bytes of a name in a description, and of its sentences. Stops a component from filling screens and statuses before
/// it is trusted.
pub(crate) const NAME: usize = 63;
pub(crate) const SUMMARY: usize = 512;

/// Needs, field sets and names of each sort in a description, which every read looks through.
pub(crate) const DECLARATIONS: usize = 256;

/// Entries of the cache; the oldest are removed first. Stops a plugin that is rebuilt all day from filling the disk.
pub(crate) const CACHE_ENTRIES: usize = 128;

/// Bytes of all entries of the cache. The same for renderers, of which one takes hundreds of megabytes.
pub(crate) const CACHE_BYTES: u64 = 4 << 30;

// Of host calls.

/// Lists that a guest can have open at once. Stops a guest from having the host keep lists without end.
pub(crate) const CURSORS: usize = 64;

/// Bytes of the arguments of all reads of one call. Stops a guest from filling the host's memory with reads, each of
/// which is recorded until the key's next call.
pub(crate) const ARGUMENTS: usize = 4 << 20;

/// Bytes of one page of a list, unless a single object is larger. Bounds what a guest holds at once, whatever page it
/// asks for.
pub(crate) const PAGE: usize = 1 << 20;

/// Bytes of a log line. Stops a guest from filling the log with one line.
pub(crate) const LOG_LINE: usize = 4096;

/// Fields of a log line, and bytes of their keys and values. As above.
pub(crate) const LOG_FIELDS: usize = 16;
pub(crate) const LOG_KEY: usize = 64;
pub(crate) const LOG_VALUE: usize = 512;

/// Log lines of one call. Stops a guest from filling the log with many lines.
pub(crate) const LOG_LINES: u32 = 100;

/// Bytes of standard error that are kept for the message of a failure. Stops a guest that writes without end from
/// filling memory and messages.
pub(crate) const STDERR: usize = 2 << 10;

/// Bytes of a standard stream's unfinished line, and of one write to it.
pub(crate) const WRITE: usize = 64 << 10;

/// Streams, timers and the like that a guest can have open in WASI. Stops a guest from having the host keep them
/// without end.
pub(crate) const WASI_RESOURCES: usize = 256;

/// Random bytes of one request for them. Stops a guest from having the host make gigabytes, which no tick interrupts.
pub(crate) const RANDOM: u64 = 64 << 10;

// Of outcomes.

/// The shortest time after which a plugin can be called again at its own wish. Stops a plugin from being called without
/// pause, which no limit of a single call prevents.
pub(crate) const REQUEUE_MIN: Duration = Duration::from_secs(1);

/// The longest such time: what a plugin applies is looked at once a day at least.
pub(crate) const REQUEUE_MAX: Duration = Duration::from_hours(24);

/// Bytes of a message in an outcome. Stops a guest from filling statuses, which the API server stores, and logs.
pub(crate) const MESSAGE: usize = 1024;

/// Events of one outcome. Stops a guest from having the host write objects that no grant names.
pub(crate) const EVENTS: usize = 32;

/// Conditions of one outcome. As above.
pub(crate) const CONDITIONS: usize = 32;
