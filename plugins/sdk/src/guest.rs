//! A [`Reconciler`](crate::Reconciler) as the component's export. Used only by
//! [`export!`](crate::export).

use std::marker::PhantomData;
use std::sync::Once;

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::types;
use crate::describe::config_schema;
use crate::log::{self, Level};
use crate::{Access, Failure, Kind, ObjectRef, Outcome, Predecessor, Readiness, Reconciler, Request, Severity};

pub use crate::bindings::export_guest;

/// The component's export, for a reconciler.
#[derive(Debug)]
pub struct Guest<R>(PhantomData<R>);

impl<R: Reconciler + 'static> wit::Guest for Guest<R> {
    fn describe() -> wit::Description {
        log_panics();
        let description = R::describe();
        wit::Description {
            config_schema: config_schema::<R::Config>().to_string(),
            name: description.name,
            version: description.version,
            summary: description.summary,
            subject: kind(description.subject),
            needs: description
                .needs
                .into_iter()
                .map(|need| wit::Need {
                    kind: kind(need.kind),
                    access: match need.access {
                        Access::Read => wit::Access::Read,
                        Access::Apply => wit::Access::Apply,
                        Access::Patch => wit::Access::Patch,
                        Access::Delete => wit::Access::Delete,
                    },
                    why: need.why,
                })
                .collect(),
            field_sets: description
                .field_sets
                .into_iter()
                .map(|set| wit::FieldSet { name: set.name, kind: kind(set.kind), paths: set.paths })
                .collect(),
            http: description.http,
            credentials: description.credentials,
            renderers: description.renderers,
            finalizes: description.finalizes,
        }
    }

    fn reconcile(call: wit::Request) -> Result<wit::Outcome, wit::Failure> {
        log_panics();
        request(call).and_then(|request| R::reconcile(&request)?.checked()).map(outcome).map_err(failure)
    }

    fn finalize(call: wit::Request) -> Result<wit::Outcome, wit::Failure> {
        log_panics();
        request(call).and_then(|request| R::finalize(&request)?.checked()).map(outcome).map_err(failure)
    }
}

/// Logs a panic before it traps: the host adds the last error line to its report of a trap.
/// Otherwise all that is known of a panic is `unreachable`.
fn log_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("without a message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            log::write(Level::Error, &format!("panicked at {place}: {message}"), &[]);
        }));
    });
}

fn request<S: serde::de::DeserializeOwned, C: serde::de::DeserializeOwned>(
    call: wit::Request,
) -> Result<Request<S, C>, Failure> {
    let predecessors = call.predecessors.into_iter().map(|predecessor| Predecessor {
        name: predecessor.name,
        readiness: match predecessor.readiness {
            wit::Readiness::Ready => Readiness::Ready,
            wit::Readiness::Progressing(why) => Readiness::Progressing(why),
            wit::Readiness::Warning(why) => Readiness::Warning(why),
            wit::Readiness::Failed(why) => Readiness::Failed(why),
        },
    });
    Request::parse(&call.subject, &call.config, predecessors.collect())
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    wit::Outcome {
        readiness: match outcome.readiness {
            Readiness::Ready => wit::Readiness::Ready,
            Readiness::Progressing(why) => wit::Readiness::Progressing(why),
            Readiness::Warning(why) => wit::Readiness::Warning(why),
            Readiness::Failed(why) => wit::Readiness::Failed(why),
        },
        desired: outcome.desired.map(|objects| {
            let documents = objects.iter().map(ToString::to_string).collect();
            if outcome.so_far { wit::Wanted::SoFar(documents) } else { wit::Wanted::All(documents) }
        }),
        patches: outcome
            .patches
            .into_iter()
            .map(|patch| wit::Patch {
                object: object_ref(patch.object),
                fragment: patch.fragment.to_string(),
                pace: patch.pace,
                reason: patch.reason,
            })
            .collect(),
        deletions: outcome
            .deletions
            .into_iter()
            .map(|deletion| wit::Deletion {
                object: object_ref(deletion.object),
                uid: deletion.uid,
                pace: deletion.pace,
                reason: deletion.reason,
            })
            .collect(),
        status: outcome.status.map(|status| status.to_string()),
        conditions: outcome
            .conditions
            .into_iter()
            .map(|condition| wit::Condition {
                type_: condition.kind,
                status: condition.status,
                reason: condition.reason,
                message: condition.message,
            })
            .collect(),
        events: outcome
            .events
            .into_iter()
            .map(|event| wit::Event {
                regarding: event.regarding.map(object_ref),
                severity: match event.severity {
                    Severity::Normal => wit::Severity::Normal,
                    Severity::Warning => wit::Severity::Warning,
                },
                reason: event.reason,
                message: event.message,
            })
            .collect(),
        requeue_after: outcome.requeue_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
    }
}

fn failure(failure: Failure) -> wit::Failure {
    match failure {
        Failure::Invalid(why) => wit::Failure::Invalid(why),
        Failure::Retry(why) => wit::Failure::Retry(why),
    }
}

fn kind(kind: Kind) -> types::Kind {
    types::Kind { api_version: kind.api_version, name: kind.name }
}

fn object_ref(object: ObjectRef) -> types::ObjectRef {
    types::ObjectRef { kind: kind(object.kind), namespace: object.namespace, name: object.name }
}
