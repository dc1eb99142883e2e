//! Ends a test that is wrong itself.

#[expect(clippy::panic, reason = "the test itself is wrong")]
pub(super) fn fail(message: &str) -> ! {
    panic!("{message}")
}
