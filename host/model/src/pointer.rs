//! JSON pointers as paths of fields.

/// The path of the field at a JSON pointer below `root`: `spec.after[1]` for `/after/1` below `spec`.
pub fn field_at(root: &str, pointer: &str) -> String {
    pointer.split('/').skip(1).fold(root.to_owned(), |path, step| match step.parse::<usize>() {
        Ok(at) => format!("{path}[{at}]"),
        Err(_) => format!("{path}.{}", step.replace("~1", "/").replace("~0", "~")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_becomes_the_path_of_its_field() {
        assert_eq!(field_at("spec", "/after/1"), "spec.after[1]");
        assert_eq!(field_at("spec", "/config/a.b~1c~0d"), "spec.config.a.b/c~d");
        assert_eq!(field_at("spec", ""), "spec");
    }
}
