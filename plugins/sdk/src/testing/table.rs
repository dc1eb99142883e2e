//! Tables of what a reconciler does, in the documentation of its tests.

/// How many rows a table has: lines `//! | … | `test` |` of a module's text, each of which names, last in backticks, a test of these files.
///
/// # Panics
/// When one names none: a test was renamed or deleted, and the table was not.
pub fn rows(module: &str, files: &[&str]) -> usize {
    let named = module.lines().filter_map(|line| line.strip_prefix("//! | ")?.rsplit('`').nth(1));
    let check = |row: &str| {
        let is_there = files.iter().any(|file| file.contains(&format!("fn {row}()")));
        assert!(is_there, "no test {row}");
    };
    named.inspect(|row| check(row)).count()
}
