//! The mark of an applied object: proof that the host applied it, under this name, for this owner.
//!
//! Labels prove nothing: their values can be computed from public names, and controllers copy
//! labels from object to object. So each applied object carries, in [`APPLIED_ANNOTATION`], a keyed
//! digest of its owner and its own identity. Without the key it can't be forged, and copied to
//! another object it does not fit. It contains neither the version of the kind nor the uid:
//! an object that is served in another version, or restored from a backup, is still recognized.

use std::fmt;
use std::sync::Arc;

use mizzen_model::{Object, ObjectRef, canonical};

use crate::view::{OWNER_LABEL, RECONCILER_LABEL};

/// Annotation of every object that a reconciler applies: `<mark>.<digest of the document>`.
pub const APPLIED_ANNOTATION: &str = "mizzen.dev/applied";

/// Hexadecimal digits of a mark: 128 bits.
const MARK_DIGITS: usize = 32;

/// Who an object was applied for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The reconciler's name, as in [`RECONCILER_LABEL`].
    pub reconciler: &'a str,
    /// The digest of reconciler and subject, as in [`OWNER_LABEL`]. Empty: of no subject, but left
    /// behind by the reconciler.
    pub label: &'a str,
}

/// How an object is owned, which decides what becomes of it when it is no longer desired. It is part
/// of the mark, so an edit of the object can't change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// The host created it, and deletes it.
    Created,
    /// The host created it from a document that excludes it from pruning: it stays.
    NeverPruned,
    /// It existed before, and was adopted: it is released.
    Adopted,
}

/// A key of 32 bytes that signs marks.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnershipKey([u8; 32]);

/// Why a text is not keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipKeysError {
    /// There is no key.
    #[error("no key; write 64 hexadecimal digits, e.g. by `openssl rand -hex 32`")]
    Empty,
    /// A line is not a key. The line itself is not shown: it may be almost one.
    #[error("line {0} is not a key; write 64 hexadecimal digits, e.g. by `openssl rand -hex 32`")]
    Line(usize),
}

/// The keys by which the host recognizes what it applied. The first signs; all are accepted, so
/// that a key can be rotated: what carries a mark of an earlier key is marked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipKeys(Arc<[OwnershipKey]>);

// === impl OwnershipKey ===

impl OwnershipKey {
    /// A key of these bytes, which must be random and secret.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mark(&self, owner: Owner<'_>, object: &ObjectRef, ownership: Ownership) -> String {
        let how = match ownership {
            Ownership::Created => "created",
            Ownership::NeverPruned => "never pruned",
            Ownership::Adopted => "adopted",
        };
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let kind = &object.kind;
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [owner.reconciler, owner.label, kind.group(), &kind.name, namespace, &object.name, how] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..MARK_DIGITS].to_owned()
    }
}

impl fmt::Debug for OwnershipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnershipKey")
    }
}

// === impl OwnershipKeys ===

impl OwnershipKeys {
    /// The key that signs, and earlier keys that are still accepted.
    pub fn new(signing: OwnershipKey, earlier: impl IntoIterator<Item = OwnershipKey>) -> Self {
        Self(std::iter::once(signing).chain(earlier).collect())
    }

    /// Reads keys: one in each line, in hexadecimal digits. The first signs.
    ///
    /// # Errors
    /// A line that is not a key, or no key at all.
    pub fn parse(text: &str) -> Result<Self, OwnershipKeysError> {
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        let key = |(number, line)| match blake3::Hash::from_hex(line) {
            Ok(bytes) => Ok(OwnershipKey(*bytes.as_bytes())),
            Err(_) => Err(OwnershipKeysError::Line(number)),
        };
        let keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(OwnershipKeysError::Empty) } else { Ok(Self(keys.into())) }
    }

    /// The text of one key, as [`parse`](Self::parse) reads it.
    pub fn text(key: [u8; 32]) -> String {
        format!("{}\n", blake3::Hash::from_bytes(key).to_hex())
    }

    /// A key that is not secret, for clusters in memory: rehearsals and tests.
    pub fn rehearsal() -> Self {
        Self::new(OwnershipKey(*blake3::hash(b"mizzen rehearsal").as_bytes()), [])
    }

    /// The mark of an object, by the key that signs.
    pub fn mark(&self, owner: Owner<'_>, object: &ObjectRef, ownership: Ownership) -> String {
        self.0.first().map(|key| key.mark(owner, object, ownership)).unwrap_or_default()
    }

    /// How this owner owns an object; `None`: its mark is missing, forged, or of
    /// another owner or object.
    pub fn recognize(&self, owner: Owner<'_>, object: &Object) -> Option<Ownership> {
        let mark = mark_of(object)?;
        let candidates = [Ownership::Created, Ownership::NeverPruned, Ownership::Adopted];
        let fits = |key: &OwnershipKey| {
            candidates.into_iter().find(|how| same(&key.mark(owner, &object.reference, *how), &mark))
        };
        self.0.iter().find_map(fits)
    }

    /// How an object is owned by the owner that its own labels name; `None`: its mark does
    /// not fit its labels.
    pub fn recognize_labelled(&self, object: &Object) -> Option<Ownership> {
        let reconciler = object.labels.get(RECONCILER_LABEL)?;
        let label = object.labels.get(OWNER_LABEL)?;
        self.recognize(Owner { reconciler, label }, object)
    }
}

/// The mark in an object's annotation.
fn mark_of(object: &Object) -> Option<String> {
    // Searching text is cheaper than parsing it.
    if !object.json().contains(APPLIED_ANNOTATION) {
        return None;
    }
    let metadata = canonical::part(object.json(), "metadata");
    let (mark, _) = metadata["annotations"][APPLIED_ANNOTATION].as_str()?.split_once('.')?;
    Some(mark.to_owned())
}

/// Compares in a time that does not depend on where two texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use mizzen_model::Fields;
    use serde_json::{Value, json};

    use super::*;

    const OWNER: Owner<'static> = Owner { reconciler: "p", label: "l" };

    fn reference(api_version: &str, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef::new(mizzen_model::Kind::new(api_version, "Box"), Some(namespace), name)
    }

    fn object(reference: &ObjectRef, mark: &str) -> Object {
        let mut document = reference.document("u");
        let labels: Value = json!({RECONCILER_LABEL: "p", OWNER_LABEL: "l"});
        document["metadata"]["labels"] = labels;
        document["metadata"]["annotations"] = json!({APPLIED_ANNOTATION: format!("{mark}.0123")});
        Object::new(document, &Fields::Whole).unwrap()
    }

    #[test]
    fn a_mark_fits_its_object_in_any_version_and_no_other_object_or_owner() {
        let keys = OwnershipKeys::rehearsal();
        let own = reference("example.com/v1", "a", "b");
        let mark = keys.mark(OWNER, &own, Ownership::Created);
        assert_eq!(keys.recognize_labelled(&object(&own, &mark)), Some(Ownership::Created));
        let newer = reference("example.com/v2", "a", "b");
        assert_eq!(keys.recognize(OWNER, &object(&newer, &mark)), Some(Ownership::Created));
        for other in [
            reference("example.com/v1", "a", "c"),
            reference("example.com/v1", "c", "b"),
            reference("example.org/v1", "a", "b"),
        ] {
            assert_eq!(keys.recognize(OWNER, &object(&other, &mark)), None, "{other}");
        }
        let other = Owner { label: "m", ..OWNER };
        assert_eq!(keys.recognize(other, &object(&own, &mark)), None);
    }

    #[test]
    fn an_adopted_object_has_another_mark_than_a_created_one() {
        let keys = OwnershipKeys::rehearsal();
        let own = reference("example.com/v1", "a", "b");
        let mark = keys.mark(OWNER, &own, Ownership::Adopted);
        assert_eq!(keys.recognize(OWNER, &object(&own, &mark)), Some(Ownership::Adopted));
    }

    #[test]
    fn a_mark_of_an_earlier_key_is_accepted_and_one_of_an_unknown_key_is_not() {
        let key = |byte| OwnershipKey::new([byte; 32]);
        let own = reference("example.com/v1", "a", "b");
        let rotated = OwnershipKeys::new(key(2), [key(1)]);
        let mark = |byte| OwnershipKeys::new(key(byte), []).mark(OWNER, &own, Ownership::Created);
        for (byte, owned) in [(1, Some(Ownership::Created)), (2, Some(Ownership::Created)), (3, None)] {
            assert_eq!(rotated.recognize(OWNER, &object(&own, &mark(byte))), owned, "{byte}");
        }
        assert_eq!(rotated.mark(OWNER, &own, Ownership::Created), mark(2));
    }

    #[test]
    fn keys_are_lines_of_hexadecimal_digits_and_an_error_shows_none() {
        let text = format!("{}\n{}", OwnershipKeys::text([2; 32]), OwnershipKeys::text([1; 32]));
        let keys = OwnershipKeys::new(OwnershipKey::new([2; 32]), [OwnershipKey::new([1; 32])]);
        assert_eq!(OwnershipKeys::parse(&text), Ok(keys));
        assert_eq!(OwnershipKeys::parse("\n"), Err(OwnershipKeysError::Empty));
        let error = OwnershipKeys::parse(&format!("{text}secret")).unwrap_err();
        assert!(error == OwnershipKeysError::Line(4) && !error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_mark_elsewhere_in_the_document_and_an_annotation_without_one_count_for_nothing() {
        let keys = OwnershipKeys::rehearsal();
        let own = reference("example.com/v1", "a", "b");
        let mark = keys.mark(OWNER, &own, Ownership::Created);
        let mut document = own.document("u");
        document["spec"] = json!({"annotations": {APPLIED_ANNOTATION: format!("{mark}.0123")}});
        assert_eq!(keys.recognize(OWNER, &Object::new(document, &Fields::Whole).unwrap()), None);
        let mut unmarked = own.document("u");
        unmarked["metadata"]["annotations"] = json!({APPLIED_ANNOTATION: "0123"});
        assert_eq!(keys.recognize(OWNER, &Object::new(unmarked, &Fields::Whole).unwrap()), None);
    }
}
