//! Regular expressions of other routes: which paths they match, decided exactly.
//!
//! An expression matches a whole path. As an automaton it decides two things about a path: whether
//! it matches, and whether any longer path that starts with it can match.

use mizzen_oda_api::Path;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, nfa::thompson};

/// Size limit of an automaton in bytes. Prevents a route's author from exhausting the memory of
/// this plugin.
const MOST: usize = 1 << 20;

/// What an expression matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The API's path.
    Path,
    /// A path below the API's.
    Below,
    /// Nothing.
    Nothing,
    /// Unknown: the expression is too large, or not valid.
    Unknown,
}

/// What an expression (RE2) matches of an API's path.
pub(crate) fn taken(expression: &str, path: &Path) -> Taken {
    automaton(expression).and_then(|automaton| of(&automaton, path)).unwrap_or(Taken::Unknown)
}

fn automaton(expression: &str) -> Option<DFA> {
    // Bytes, because Envoy matches bytes.
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    let limit = thompson::Config::new().utf8(false).nfa_size_limit(Some(MOST));
    let cache = DFA::config().cache_capacity(MOST).skip_cache_capacity_check(true);
    let whole = format!("(?:{expression})\\z");
    DFA::builder().syntax(bytes).thompson(limit).configure(cache).build(&whole).ok()
}

fn of(automaton: &DFA, path: &Path) -> Option<Taken> {
    let mut cache = automaton.create_cache();
    let end = after(automaton, &mut cache, path.as_str())?;
    if automaton.next_eoi_state(&mut cache, end).ok()?.is_match() {
        return Some(Taken::Path);
    }
    let inside = after(automaton, &mut cache, &path.below())?;
    Some(if inside.is_dead() { Taken::Nothing } else { Taken::Below })
}

/// The state after a text.
fn after(automaton: &DFA, cache: &mut Cache, text: &str) -> Option<regex_automata::hybrid::LazyStateID> {
    let start = Input::new(text).anchored(Anchored::Yes);
    let mut state = automaton.start_state_forward(cache, &start).ok()?;
    for byte in text.bytes() {
        state = automaton.next_state(cache, state, byte).ok()?;
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_decided_exactly() {
        for (expression, path, expected) in [
            ("/a", "/a", Taken::Path),
            ("^/a$", "/a", Taken::Path),
            ("/a(/.*)?", "/a", Taken::Path),
            (".*", "/a/b", Taken::Path),
            ("/[a-c]+", "/ab", Taken::Path),
            ("(?i)/A", "/a", Taken::Path),
            ("/a/.*", "/a", Taken::Below),
            ("/a/v[0-9]+/cats", "/a", Taken::Below),
            ("/[a-z]/b", "/a", Taken::Below),
            ("/.+/b", "/a", Taken::Below),
            ("/v[0-9]+", "/", Taken::Below),
            ("/", "/", Taken::Path),
            ("/a", "/ab", Taken::Nothing),
            ("/ab", "/a", Taken::Nothing),
            ("/a", "/a/b", Taken::Nothing),
            ("/a[0-9]+/.*", "/a", Taken::Nothing),
            ("a", "/a", Taken::Nothing),
            ("", "/a", Taken::Nothing),
            ("/ä", "/ä", Taken::Path),
            ("(", "/a", Taken::Unknown),
            ("(((a{1000}){1000}){1000})", "/a", Taken::Unknown),
        ] {
            let path = Path::try_from(path.to_owned()).unwrap();
            assert_eq!(taken(expression, &path), expected, "{expression} of {path}");
        }
    }
}
