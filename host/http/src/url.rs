//! The URLs that requests may have.

use mizzen_model::AccessError;
use mizzen_model::http::Target;
use reqwest::Url;

use crate::limits;

/// Parses the URL of a request.
///
/// # Errors
/// [`AccessError::Invalid`] when it is too long, not an absolute `https` or `http` URL, or has parts that are not sent.
pub(crate) fn parse(text: &str) -> Result<Url, AccessError> {
    let invalid = |why: &str| Err(AccessError::Invalid(format!("the URL {why}")));
    if text.len() > limits::URL {
        return invalid(&format!("is longer than {} bytes", limits::URL));
    }
    let Ok(url) = Url::parse(text) else { return invalid("is not absolute, e.g. `https://api.example.com/v1`") };
    if !matches!(url.scheme(), "https" | "http") {
        return invalid("is neither https nor http");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("has a user or a password in it: name a credential");
    }
    if url.fragment().is_some() {
        return invalid("has a fragment, which is never sent");
    }
    Ok(url)
}

/// Returns the origin of a URL.
pub(crate) fn target(url: &Url) -> Target {
    let host = url.host_str().unwrap_or_default();
    Target {
        plain: url.scheme() == "http",
        // A trailing dot names the same host.
        host: host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase(),
        port: url.port_or_known_default().unwrap_or(443),
    }
}

/// Returns the host of a proxy's URL, which may have a user and a password.
pub(crate) fn host_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    Some(target(&url).host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_same_however_it_is_written() {
        for (text, host, port) in [
            ("https://API.Example.com/x", "api.example.com", 443),
            ("https://api.example.com.:8443/", "api.example.com", 8443),
            ("http://0x7f.1/", "127.0.0.1", 80),
            ("https://[::FFFF:7f00:1]/", "::ffff:7f00:1", 443),
        ] {
            let target = target(&parse(text).unwrap());
            assert_eq!((&*target.host, target.port), (host, port), "{text}");
        }
    }

    #[test]
    fn parts_that_would_not_be_sent_are_refused() {
        for text in ["/x", "ftp://a/", "https://u:p@a/", "https://u@a/", "https://a/#x", "file:///etc/passwd"] {
            assert!(matches!(parse(text), Err(AccessError::Invalid(_))), "{text}");
        }
        assert!(parse(&format!("https://a/{}", "x".repeat(limits::URL))).is_err());
    }
}
