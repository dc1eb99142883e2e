//! Whether a response repeats the credential that was sent. Such a response is refused as a whole: without the
//! credential it would not be the server's, and with it a guest could put the credential into an object.
//!
//! A server that transforms the credential otherwise (encrypts, hashes, splits it) is not detected: which hosts get a
//! credential is a matter of trust.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memmem;
use mizzen_model::http::Route;

/// The forms of a credential that no response may contain.
#[derive(Default)]
pub(crate) struct Sent(Vec<Vec<u8>>);

impl Sent {
    /// Returns the forms of a route's credential: with and without its scheme, plain, in base64, and percent-encoded.
    pub(crate) fn of(route: &Route) -> Self {
        let Some((_, value)) = &route.credential else { return Self::default() };
        let value = value.reveal();
        let bare = value.split_once(' ').map_or(value, |(_, bare)| bare).trim();
        let mut forms = vec![bare.as_bytes().to_vec(), escaped(bare).into_bytes()];
        for text in [bare, value] {
            forms.extend(
                [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|base64| base64.encode(text).into_bytes()),
            );
        }
        forms.retain(|form| !form.is_empty());
        forms.sort();
        forms.dedup();
        Self(forms)
    }

    /// Whether a text contains the credential.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|form| memmem::find(text, form).is_some())
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use mizzen_model::http::Hidden;

    use super::*;

    #[test]
    fn a_token_is_found_plain_in_base64_and_escaped() {
        let route = Route {
            credential: Some(("authorization".into(), Hidden::new("Api-Token dt0c01/S+x"))),
            ..Route::default()
        };
        let sent = Sent::of(&route);
        for text in [r#"{"you": "dt0c01/S+x"}"#, "ZHQwYzAxL1MreA==", "?t=dt0c01%2FS%2Bx"] {
            assert!(sent.is_in(text.as_bytes()), "{text}");
        }
        assert!(!sent.is_in(b"Api-Token is missing"));
        assert!(!Sent::of(&Route::default()).is_in(b""));
    }
}
