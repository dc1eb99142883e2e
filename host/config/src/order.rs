//! The order of reconcilers: a topological sort that reports cycles.

use std::collections::{BTreeMap, BTreeSet};

/// The predecessors of each name.
pub(crate) type Edges<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The names in order, each after its predecessors, and otherwise by name. Names in or behind a
/// cycle are left out.
pub(crate) fn sorted<'a>(edges: &Edges<'a>) -> Vec<&'a str> {
    let mut placed: Vec<&str> = Vec::new();
    loop {
        let ready =
            |name: &&&'a str| !placed.contains(*name) && edges[**name].iter().all(|before| placed.contains(before));
        let layer: Vec<_> = edges.keys().filter(ready).copied().collect();
        if layer.is_empty() {
            return placed;
        }
        placed.extend(layer);
    }
}

/// Every cycle once, as its names, from the alphabetically first.
pub(crate) fn cycles<'a>(edges: &Edges<'a>) -> Vec<Vec<&'a str>> {
    let mut found: BTreeSet<Vec<&str>> = BTreeSet::new();
    for start in edges.keys() {
        let mut path = vec![*start];
        search(edges, start, &mut path, &mut BTreeSet::new(), &mut found);
    }
    found.into_iter().collect()
}

/// Searches paths back to `start` over names that sort after it, so that each cycle is found from
/// its first name alone.
fn search<'a>(
    edges: &Edges<'a>,
    start: &str,
    path: &mut Vec<&'a str>,
    seen: &mut BTreeSet<&'a str>,
    found: &mut BTreeSet<Vec<&'a str>>,
) {
    let Some(last) = path.last() else { return };
    for before in edges.get(last).into_iter().flatten() {
        if *before == start {
            let mut cycle = path.clone();
            cycle[1..].reverse();
            found.insert(cycle);
        } else if *before > start && edges.contains_key(before) && seen.insert(before) {
            path.push(before);
            search(edges, start, path, seen, found);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_after_its_predecessors() {
        let edges = Edges::from([("a", vec!["c"]), ("b", vec![]), ("c", vec!["b"]), ("d", vec![])]);
        assert_eq!(sorted(&edges), ["b", "d", "c", "a"]);
    }

    #[test]
    fn a_cycle_is_found_once_and_names_behind_it_are_left_out() {
        let edges =
            Edges::from([("a", vec!["c"]), ("b", vec!["a"]), ("c", vec!["b"]), ("d", vec!["a"]), ("e", vec![])]);
        assert_eq!(cycles(&edges), [vec!["a", "b", "c"]]);
        assert_eq!(sorted(&edges), ["e"]);
    }
}
