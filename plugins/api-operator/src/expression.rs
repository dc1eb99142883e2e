//! Regular expressions of other routes: which paths they take, decided exactly.
//!
//! An expression takes a whole path. Run as an automaton over a path it tells both: whether it takes that path, and whether anything that
//! begins with it could still be taken, whatever comes after.

use mizzen_oda_api::Path;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, nfa::thompson};

/// Bytes of an automaton. Stops the author of a route, who may be anybody, from using up the memory of whoever looks at it.
const MOST: usize = 1 << 20;

/// What an expression takes of an API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its path.
    Path,
    /// Something below its path.
    Below,
    /// Nothing.
    Nothing,
    /// It can't be told: the expression is too large, or none.
    Unknown,
}

/// What an expression (RE2) takes of an API's at a path.
pub(crate) fn taken(expression: &str, path: &Path) -> Taken {
    automaton(expression).and_then(|automaton| of(&automaton, path)).unwrap_or(Taken::Unknown)
}

fn automaton(expression: &str) -> Option<DFA> {
    // Of bytes, as Envoy matches them.
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
    fn what_an_expression_takes_is_told_exactly() {
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
