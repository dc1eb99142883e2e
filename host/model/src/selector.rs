//! Label selectors, in the syntax of `kubectl -l`.

use std::fmt;
use std::sync::Arc;

use crate::object::Labels;

/// Bytes of a selector that is parsed: it is evaluated for each object that is listed, and again
/// for each change of one.
const LONGEST: usize = 1024;

/// Characters of a refused selector that a message quotes.
const QUOTED: usize = 100;

/// Requirements of a selector.
const MOST: usize = 64;

/// A parsed label selector; the empty selector selects all objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Requirement {
    In(Arc<str>, Vec<Arc<str>>),
    NotIn(Arc<str>, Vec<Arc<str>>),
    Exists(Arc<str>),
    Absent(Arc<str>),
}

/// Why a text is not a label selector.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a label selector: {why}; write e.g. `app=web,tier in (a,b),!canary`")]
pub struct SelectorError {
    text: String,
    why: &'static str,
}

impl Selector {
    /// Selects all objects.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Selects objects that have this label with this value.
    pub fn equal(key: &str, value: &str) -> Self {
        Self(vec![Requirement::In(key.into(), vec![value.into()])])
    }

    /// Selects objects that have all of these labels with these values; without labels, all
    /// objects.
    pub fn all_of<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(labels.into_iter().map(|(key, value)| Requirement::In(key.into(), vec![value.into()])).collect())
    }

    /// Selects objects that have this label, with any value.
    pub fn exists(key: &str) -> Self {
        Self(vec![Requirement::Exists(key.into())])
    }

    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// When the text is not a label selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let fail = |why| SelectorError { text: text.chars().take(QUOTED).collect(), why };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        if text.len() > LONGEST {
            return Err(fail("it has more than 1 KiB"));
        }
        let parts = split(text);
        if parts.len() > MOST {
            return Err(fail("it has more than 64 requirements"));
        }
        let requirements = parts.into_iter().map(|part| requirement(part).map_err(fail));
        Ok(Self(requirements.collect::<Result<_, _>>()?))
    }

    /// Whether it selects all objects.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|own| values.iter().any(|v| **v == *own)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|own| values.iter().all(|v| **v != *own)),
            Requirement::Exists(key) => labels.get(key).is_some(),
            Requirement::Absent(key) => labels.get(key).is_none(),
        })
    }

    /// A label and value that every selected object has, if the selector requires one: an index can
    /// find these objects.
    pub fn equality(&self) -> Option<(&Arc<str>, &Arc<str>)> {
        self.0.iter().find_map(|requirement| match requirement {
            Requirement::In(key, values) if values.len() == 1 => Some((key, values.first()?)),
            _ => None,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, requirement) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(key, values) if values.len() == 1 => write!(f, "{key}={}", values[0]),
            Self::In(key, values) => write!(f, "{key} in ({})", values.join(",")),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(",")),
            Self::Exists(key) => f.write_str(key),
            Self::Absent(key) => write!(f, "!{key}"),
        }
    }
}

/// Splits at the commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(part: &str) -> Result<Requirement, &'static str> {
    let part = part.trim();
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Absent(label(key)?));
    }
    for (sign, negative) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(sign) {
            let (key, values) = (label(key)?, vec![value_of(value)?]);
            return Ok(if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) });
        }
    }
    if let Some((head, list)) = part.split_once('(') {
        let list = list.trim_end().strip_suffix(')').ok_or("a list is not closed")?;
        let values = list.split(',').map(value_of).collect::<Result<_, _>>()?;
        return match head.trim().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => Ok(Requirement::In(label(key)?, values)),
            Some((key, "notin")) => Ok(Requirement::NotIn(label(key)?, values)),
            _ => Err("a list needs `in` or `notin` before it"),
        };
    }
    Ok(Requirement::Exists(label(part)?))
}

fn label(key: &str) -> Result<Arc<str>, &'static str> {
    let key = key.trim();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if key.is_empty() {
        Err("a key is empty")
    } else if key.chars().all(well_formed) {
        Ok(key.into())
    } else {
        Err("a key has a character that is not valid in labels")
    }
}

fn value_of(value: &str) -> Result<Arc<str>, &'static str> {
    let value = value.trim();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if value.chars().all(well_formed) {
        Ok(value.into())
    } else {
        Err("a value has a character that is not valid in labels")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(selector: &str, labels: &serde_json::Value) -> bool {
        Selector::parse(selector).unwrap().matches(&Labels::of(labels))
    }

    #[test]
    fn every_operator_of_kubectl_is_supported() {
        let web = json!({"app": "web", "tier": "a"});
        for selector in [
            "",
            "app=web",
            "app==web",
            "app!=db",
            "tier in (a, b)",
            "tier notin (c)",
            "app",
            "!canary",
            "app=web,tier in (a,b),!x",
        ] {
            assert!(selects(selector, &web), "{selector}");
        }
        for selector in ["app=db", "app!=web", "tier in (b,c)", "tier notin (a)", "canary", "!app", "app=web,canary"] {
            assert!(!selects(selector, &web), "{selector}");
        }
    }

    #[test]
    fn an_absent_label_is_not_in_any_list() {
        assert!(selects("app!=web", &json!({})) && selects("app notin (web)", &json!({})));
    }

    #[test]
    fn what_is_not_a_selector_is_refused() {
        for bad in ["=x", "a in b", "a in (b", "a,,b", "a b", "a=b c", "a has (b)"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_selector_is_displayed_as_it_was_written() {
        for text in ["app=web", "app in (a,b),x notin (c,d),y,!z"] {
            assert_eq!(Selector::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_required_equality_is_found() {
        let selector = Selector::parse("x,app=web").unwrap();
        assert_eq!(selector.equality().map(|(k, v)| (&**k, &**v)), Some(("app", "web")));
        assert_eq!(Selector::parse("app in (a,b)").unwrap().equality(), None);
    }

    #[test]
    fn a_selector_has_at_most_64_requirements_and_1_kib() {
        let many = |count: usize| (0..count).map(|at| format!("!l{at}")).collect::<Vec<_>>().join(",");
        assert!(Selector::parse(&many(64)).is_ok());
        assert!(Selector::parse(&many(65)).unwrap_err().to_string().contains("64 requirements"));
        let error = Selector::parse(&many(900_000)).unwrap_err().to_string();
        assert!(error.contains("1 KiB") && error.len() < 300, "{error}");
    }
}
