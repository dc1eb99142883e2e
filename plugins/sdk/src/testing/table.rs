//! Tables of a reconciler's behaviour, in the documentation of its tests.

/// Returns the number of rows of a table: lines `//! | … | `test` |` of a module's text, each of
/// which names, last in backticks, a test of these files.
///
/// # Panics
/// If a row names a test that does not exist: the test was renamed or deleted, and the table was
/// not updated.
pub fn rows(module: &str, files: &[&str]) -> usize {
    let named = module.lines().filter_map(|line| line.strip_prefix("//! | ")?.rsplit('`').nth(1));
    let check = |row: &str| {
        let is_there = files.iter().any(|file| file.contains(&format!("fn {row}()")));
        assert!(is_there, "no test {row}");
    };
    named.inspect(|row| check(row)).count()
}
