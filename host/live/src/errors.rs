//! Translates the API server's refusals into the errors of the cluster trait, whose variants decide
//! about retries.

use std::error::Error;
use std::io;

use kube::core::{Status, request};
use mizzen_cluster::{ForeignField, ReadError, WriteError};
use mizzen_model::Kind;

use crate::fence::NotHolder;
use crate::link::Fault;

/// Why a kind can't be read.
pub(crate) fn read_error(kind: &Kind, fault: &Fault) -> ReadError {
    let message = || fault.to_string();
    match fault.code() {
        404 => ReadError::NotServed(kind.clone()),
        403 => ReadError::Forbidden { kind: kind.clone(), message: message() },
        _ => ReadError::Unavailable { kind: kind.clone(), message: message() },
    }
}

/// Why the field manager could not write `object`.
pub(crate) fn write_error(object: String, manager: &str, fault: Fault) -> WriteError {
    let status = match fault {
        Fault::NoResponse { ref source, .. } if was_sent(&**source) => {
            return WriteError::Unknown { object, message: fault.to_string() };
        }
        Fault::NoResponse { .. } => return WriteError::Unavailable { object, message: fault.to_string() },
        Fault::Refused(status) => status,
    };
    let message = status.message.clone();
    match status.code {
        409 => {
            let fields = foreign_fields(&status);
            if fields.is_empty() {
                WriteError::Stale { object, message }
            } else {
                WriteError::Conflict { object, manager: manager.to_owned(), fields }
            }
        }
        410 => WriteError::Stale { object, message },
        403 if has_cause(&status, "NamespaceTerminating") => WriteError::NotFound { object, message },
        403 if message.contains("exceeded quota") => WriteError::Temporary { object, message },
        403 if is_about_identity(&message) => WriteError::Forbidden { object, message },
        404 => WriteError::NotFound { object, message },
        // The API server reports a document that does not fit the schema as an internal error of
        // the apply.
        500 if message.contains("failed to create typed patch object") => WriteError::Invalid { object, message },
        // A 403 that is not about the identity: admission refused the document.
        400 | 403 | 405 | 406 | 413 | 415 | 422 => WriteError::Invalid { object, message },
        401 | 503 => WriteError::Unavailable { object, message },
        429 => WriteError::Temporary { object, message },
        // A webhook is called before anything is stored.
        500 if message.contains("failed calling webhook") => WriteError::Temporary { object, message },
        // The store may have taken it.
        _ => WriteError::Unknown { object, message },
    }
}

/// Whether a request without a response may have arrived: not if there was no connection, or it was never sent.
fn was_sent(source: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(source), |cause: &&(dyn Error + 'static)| (*cause).source());
    !causes.any(|cause| {
        let is_unconnected = |error: &io::Error| {
            use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, NotFound};
            let kinds = [AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, NotFound];
            kinds.contains(&error.kind())
        };
        cause.downcast_ref().is_some_and(is_unconnected) || cause.is::<NotHolder>() || cause.is::<request::Error>()
    })
}

/// Why an object of a kind that discovery does not know can't be written.
pub(crate) fn unknown_kind(object: String, error: &ReadError) -> WriteError {
    let message = error.to_string();
    match error {
        ReadError::NotServed(_) => WriteError::NotFound { object, message },
        ReadError::Forbidden { .. } => WriteError::Forbidden { object, message },
        ReadError::NotSynced(_) | ReadError::Unavailable { .. } => WriteError::Unavailable { object, message },
    }
}

fn has_cause(status: &Status, reason: &str) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.reason == reason)
}

/// Whether a 403 is about the host's rights: authorization says `User "x" cannot patch resource
/// "y"`, while admission says, with the same code, what is wrong with the document.
fn is_about_identity(message: &str) -> bool {
    message.contains(" cannot ") && message.contains("User \"") || message.contains("is forbidden: not yet authorized")
}

/// The fields of a server-side apply that other field managers own.
fn foreign_fields(status: &Status) -> Vec<ForeignField> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let conflicts = causes.filter(|cause| cause.reason == "FieldManagerConflict");
    conflicts
        .filter_map(|cause| {
            let (manager, rest) = quoted(cause.message.strip_prefix("conflict with ")?)?;
            // The message names the API version for edits (`Update`) alone.
            let applied = !rest.contains(" using ");
            Some(ForeignField { field: cause.field.clone(), manager, applied })
        })
        .collect()
}

/// The quoted text at the start of `text`, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut words = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let word = words.next()?.ok()?;
    Some((word, &text[words.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::link::{Cause, Timeout};

    fn refused(status: serde_json::Value) -> Fault {
        Fault::Refused(serde_json::from_value(status).unwrap())
    }

    fn no_response() -> Fault {
        Fault::NoResponse { server: "https://fake".into(), source: "connection refused".into() }
    }

    fn error(code: u16, message: &str) -> WriteError {
        let reason = if code == 409 { "Conflict" } else { "" };
        write_error("Pod a/b".into(), "m", refused(json!({"code": code, "message": message, "reason": reason})))
    }

    #[test]
    fn a_conflict_names_each_field_and_its_owner() {
        let causes = json!([
            {"reason": "FieldManagerConflict", "field": ".spec.hosts",
             "message": "conflict with \"kubectl-client-side-apply\" using networking.istio.io/v1"},
            {"reason": "FieldManagerConflict", "field": ".spec.gateways",
             "message": "conflict with \"mizzen.dev/mtls\""},
            {"reason": "FieldManagerConflict", "field": ".status.url",
             "message": "conflict with \"kubectl\" with subresource \"status\" using v1 at 2026-01-01T00:00:00Z"},
        ]);
        let fault = refused(json!({"code": 409, "reason": "Conflict", "details": {"causes": causes}}));
        let WriteError::Conflict { fields, manager, .. } = write_error("VirtualService a/b".into(), "me", fault) else {
            panic!("no conflict");
        };
        let seen: Vec<_> = fields.iter().map(|f| (f.field.as_str(), f.manager.as_str(), f.applied)).collect();
        assert_eq!(
            seen,
            [
                (".spec.hosts", "kubectl-client-side-apply", false),
                (".spec.gateways", "mizzen.dev/mtls", true),
                (".status.url", "kubectl", false)
            ]
        );
        assert_eq!(manager, "me");
    }

    #[test]
    fn a_conflict_without_fields_is_a_stale_write() {
        assert!(matches!(error(409, "the object has been modified"), WriteError::Stale { .. }));
    }

    #[test]
    fn a_refused_identity_is_distinguished_from_a_refused_document() {
        let rbac = "pods \"b\" is forbidden: User \"eve\" cannot patch resource \"pods\" in API group \"\"";
        assert!(matches!(error(403, rbac), WriteError::Forbidden { .. }));
        let admission = "pods \"b\" is forbidden: violates PodSecurity \"restricted:latest\"";
        assert!(matches!(error(403, admission), WriteError::Invalid { .. }));
        assert!(matches!(error(403, "pods \"b\" is forbidden: exceeded quota: q"), WriteError::Temporary { .. }));
    }

    #[test]
    fn a_terminating_namespace_is_not_reported_as_missing_rights() {
        let fault = refused(json!({"code": 403, "reason": "Forbidden", "message": "unable to create new content",
            "details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]}}));
        assert!(matches!(write_error("Pod a/b".into(), "m", fault), WriteError::NotFound { .. }));
    }

    #[test]
    fn temporary_failures_are_distinguished_from_invalid_documents() {
        for code in [503, 401] {
            assert!(matches!(error(code, "x"), WriteError::Unavailable { .. }), "{code}");
        }
        for code in [500, 504] {
            assert!(matches!(error(code, "x"), WriteError::Unknown { .. }), "{code}");
        }
        assert!(matches!(error(429, "x"), WriteError::Temporary { .. }));
        assert!(matches!(error(500, "failed calling webhook \"w\""), WriteError::Temporary { .. }));
        for code in [400, 413, 422] {
            assert!(matches!(error(code, "x"), WriteError::Invalid { .. }), "{code}");
        }
        let schema = "failed to create typed patch object (a/b; v1, Kind=Pod): .spec.x: field not declared in schema";
        assert!(matches!(error(500, schema), WriteError::Invalid { .. }));
        let silent = |source: Cause| {
            write_error("Pod a/b".into(), "m", Fault::NoResponse { server: "https://fake".into(), source })
        };
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(matches!(silent(refused.into()), WriteError::Unavailable { .. }), "it was never sent");
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(silent(reset.into()), WriteError::Unknown { .. }), "it may have arrived");
        assert!(matches!(silent(Timeout(Duration::from_secs(30)).into()), WriteError::Unknown { .. }));
    }

    #[test]
    fn a_kind_that_is_not_served_is_distinguished_from_a_forbidden_one() {
        let kind = Kind::new("v1", "Pod");
        let not_found = refused(json!({"code": 404, "message": "the server could not find the requested resource"}));
        assert_eq!(read_error(&kind, &not_found), ReadError::NotServed(kind.clone()));
        let forbidden = refused(json!({"code": 403, "message": "no"}));
        assert!(matches!(read_error(&kind, &forbidden), ReadError::Forbidden { .. }));
        assert!(matches!(read_error(&kind, &no_response()), ReadError::Unavailable { .. }));
    }
}
