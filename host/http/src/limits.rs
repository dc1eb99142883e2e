//! What one request may cost. How many there may be in a call is a limit of the reconciler's.

use std::time::Duration;

/// The longest that a request may take, redirects and body included: stops a server that answers a byte a minute from holding a call for
/// as long as its configuration allows.
pub(crate) const TIME: Duration = Duration::from_secs(30);

/// The longest that a connection may take to come about: an address that swallows packets is found out before the call's time is up.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of a URL: stops a guest from sending out with it what no body would be granted for, and servers' logs from being flooded.
pub(crate) const URL: usize = 8 << 10;

/// Bytes of a request's headers, as above.
pub(crate) const REQUEST_HEADERS: usize = 16 << 10;

/// Bytes of a request's body: stops a guest from using the host as a pump.
pub(crate) const REQUEST_BODY: usize = 1 << 20;

/// Bytes of an answer's headers: stops a server from filling the guest's memory past the limit for bodies.
pub(crate) const RESPONSE_HEADERS: usize = 64 << 10;

/// Bytes of an answer's body: stops a server from filling the host's memory, however many answer at once. Bodies are never
/// decompressed, so that a small one does not become a large one.
pub(crate) const RESPONSE_BODY: usize = 4 << 20;

/// Redirects that are followed: stops two servers from sending a request back and forth.
pub(crate) const REDIRECTS: usize = 5;

/// Bytes of all answers that are kept: stops plugins that ask for ever new URLs from filling the host's memory.
pub(crate) const CACHE: usize = 32 << 20;

/// Clients that are kept, one for each way to ask: stops subjects with proxies and authorities of their own from filling the host's memory.
pub(crate) const CLIENTS: usize = 64;
