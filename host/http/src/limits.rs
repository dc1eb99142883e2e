//! The limits of one request. The number of requests in a call is limited by the reconciler's `limits.requests`.

use std::time::Duration;

/// The longest that a request may take, redirects and body included. Stops a server that sends a byte a minute from
/// delaying a call for as long as its configuration allows.
pub(crate) const TIME: Duration = Duration::from_secs(30);

/// The longest that connecting may take. An address that drops packets is noticed before the call's time is over.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of a URL. Stops a guest from exfiltrating in a URL what it may not send in a body, and from flooding servers'
/// logs.
pub(crate) const URL: usize = 8 << 10;

/// Bytes of a request's headers. As above.
pub(crate) const REQUEST_HEADERS: usize = 16 << 10;

/// Bytes of a request's body. Stops a guest from using the host's bandwidth.
pub(crate) const REQUEST_BODY: usize = 1 << 20;

/// Bytes of a response's headers. Stops a server from filling the guest's memory beyond the limit of bodies.
pub(crate) const RESPONSE_HEADERS: usize = 64 << 10;

/// Bytes of a response's body. Stops servers from filling the host's memory. Bodies are never decompressed, so a small
/// one can't become a large one.
pub(crate) const RESPONSE_BODY: usize = 4 << 20;

/// Redirects that are followed. Stops two servers from redirecting a request back and forth.
pub(crate) const REDIRECTS: usize = 5;

/// Bytes of all cached responses. Stops plugins that request ever new URLs from filling the host's memory.
pub(crate) const CACHE: usize = 32 << 20;

/// Clients that are kept, one for each route. Stops subjects with proxies and authorities of their own from filling the
/// host's memory.
pub(crate) const CLIENTS: usize = 64;
