//! The names of objects for applications and traits: Verrazzano's own wherever they are safe.
//!
//! A name is a pure function of its owner's name, so names of different owners must differ. In the
//! owner's namespace the owner's name and a fixed suffix suffice. In another one (the gateway's)
//! the namespace precedes the name, separated by a dot, which no namespace contains: with
//! Verrazzano's `-` (or, in its `AuthorizationPolicies`, no separator at all) `a-b` of `c` and `b`
//! of `c-a` would collide. A name that is too long is cut, and ends in a digest of the whole.

/// The longest name of an object.
const OBJECT: usize = 253;
/// The longest name of a Gateway, port or server: one DNS label.
const LABEL: usize = 63;
/// Hexadecimal digits of a digest in a name.
const DIGITS: usize = 10;

/// The Gateway of an application, in its namespace. It is one label, because Istio accepts no other
/// name of a Gateway in a route.
pub fn gateway(namespace: &str, app: &str) -> String {
    label(&format!("{namespace}-{app}-gw"))
}

/// The server of a trait in its application's Gateway.
pub fn server(ingress: &str) -> String {
    label(ingress)
}

/// The port of that server.
pub fn port(ingress: &str) -> String {
    label(&format!("https-{ingress}"))
}

/// The route of a trait's rule, in the trait's namespace.
pub fn route(ingress: &str, rule: usize) -> String {
    object(format!("{ingress}-rule-{rule}-vs"))
}

/// The load balancing of a trait's rule, in the trait's namespace.
pub fn load_balancing(ingress: &str, rule: usize) -> String {
    object(format!("{ingress}-rule-{rule}-dr"))
}

/// The authorization of one path of a trait's rule, in the gateway's namespace. A path may contain
/// any character, so its digest follows its readable part; by the digest it keeps its name when
/// paths are added before it.
pub fn authorization(namespace: &str, ingress: &str, rule: usize, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let readable: String = words.collect::<Vec<_>>().join("-").to_ascii_lowercase().chars().take(LABEL).collect();
    let readable = readable.trim_end_matches('-');
    let dash = if readable.is_empty() { "" } else { "-" };
    object(format!("{namespace}.{ingress}-rule-{rule}-authz{dash}{readable}-{}", digest(path)))
}

/// The certificate of a trait, in the gateway's namespace.
pub fn certificate(namespace: &str, ingress: &str) -> String {
    object(format!("{namespace}.{ingress}-cert"))
}

/// The Secret of that certificate, in the same namespace.
pub fn credential(namespace: &str, ingress: &str) -> String {
    object(format!("{namespace}.{ingress}-cert-secret"))
}

/// The ServiceMonitor of a component, in its application's namespace. Where the parts are ambiguous
/// (application `a-n` with component `b`, and `a` with `n-b`, in namespace `n`), a digest
/// distinguishes them.
pub fn monitor(app: &str, namespace: &str, component: &str) -> String {
    let name = format!("{app}-{namespace}-{component}");
    let between = format!("-{namespace}-");
    let readings = name.as_bytes().windows(between.len()).filter(|part| *part == between.as_bytes()).count();
    object(if readings > 1 { format!("{name}-{}", digest(&format!("{app}/{component}"))) } else { name })
}

fn object(name: String) -> String {
    if name.len() <= OBJECT { name } else { shortened(&name, &name, OBJECT) }
}

/// One DNS label: no dots, 63 characters.
fn label(name: &str) -> String {
    let plain = name.replace('.', "-");
    if plain.len() <= LABEL && plain == name { plain } else { shortened(&plain, name, LABEL) }
}

/// As much of `name` as fits before the digest of `whole`. Names of objects are ASCII; otherwise
/// whole characters are cut.
fn shortened(name: &str, whole: &str, most: usize) -> String {
    let end = (0..most - DIGITS).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    let begin = name[..end.min(name.len())].trim_end_matches(['-', '.']);
    format!("{begin}-{}", digest(whole))
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_verrazzanos_own() {
        assert_eq!(gateway("shop", "store"), "shop-store-gw");
        assert_eq!((server("web"), port("web")), ("web".to_owned(), "https-web".to_owned()));
        assert_eq!(route("web", 0), "web-rule-0-vs");
        assert_eq!(load_balancing("web", 1), "web-rule-1-dr");
        assert_eq!(monitor("store", "shop", "cart"), "store-shop-cart");
    }

    #[test]
    fn no_two_traits_share_a_name_in_the_gateways_namespace() {
        for (a, b) in [(("a", "x"), ("b", "x")), (("a-b", "c"), ("a", "b-c"))] {
            assert_ne!(certificate(a.0, a.1), certificate(b.0, b.1));
            assert_ne!(credential(a.0, a.1), credential(b.0, b.1));
            assert_ne!(authorization(a.0, a.1, 0, "/"), authorization(b.0, b.1, 0, "/"));
        }
    }

    #[test]
    fn similar_paths_have_different_names() {
        let name = |path: &str| authorization("shop", "web", 0, path);
        assert!(name("/Cart/Items").starts_with("shop.web-rule-0-authz-cart-items-"), "{}", name("/Cart/Items"));
        assert!(name("/").starts_with("shop.web-rule-0-authz-"));
        let alike = ["/a/b", "/a-b", "/A/b", "/ab", "/", "/%", "/ü"].map(name);
        let different: std::collections::BTreeSet<_> = alike.iter().collect();
        assert_eq!(different.len(), alike.len(), "{alike:?}");
        for name in &alike {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_and_stays_unique() {
        let long = |end: &str| format!("{}{end}", "x".repeat(252));
        assert_eq!(route(&long("a"), 0).len(), 253);
        assert_ne!(route(&long("a"), 0), route(&long("b"), 0));
        assert!(authorization(&"n".repeat(63), &long("a"), 0, &"/p".repeat(500)).len() <= 253);
        let trait_of_60 = "t".repeat(60);
        assert_eq!(port(&trait_of_60).len(), 63);
        assert_ne!(port("a.b"), port("a-b"));
        assert!(!port("a.b").contains('.'));
    }

    #[test]
    fn the_name_of_a_gateway_is_one_label_because_routes_can_name_no_other() {
        let namespace = "n".repeat(40);
        for (namespace, app) in [("shop", "store.v1"), (&*namespace, "an-application-of-a-long-name")] {
            let name = gateway(namespace, app);
            assert!(name.len() <= 63 && !name.contains('.'), "{name}");
        }
        assert_ne!(gateway("shop", "store.v1"), gateway("shop", "store-v1"));
    }

    #[test]
    fn components_with_ambiguous_names_have_different_monitors() {
        assert_ne!(monitor("a-n", "n", "b"), monitor("a", "n", "n-b"));
        assert_ne!(monitor("x-n-n", "n", "y"), monitor("x", "n", "n-n-y"));
    }
}
