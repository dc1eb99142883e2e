//! Desires a text that is not JSON. The SDK does not allow that, so it uses the contract's bindings.

#[cfg(target_arch = "wasm32")]
mod guest {
    use mizzen_sdk::bindings::exports::mizzen::plugin::reconciler as wit;
    use mizzen_sdk::bindings::mizzen::plugin::types::Kind;

    struct Guest;

    impl wit::Guest for Guest {
        fn describe() -> wit::Description {
            wit::Description {
                name: "invalid-json".into(),
                version: "0.1.0".into(),
                summary: "Misbehaves".into(),
                subject: Kind { api_version: "v1".into(), name: "ConfigMap".into() },
                config_schema: "{}".into(),
                needs: Vec::new(),
                field_sets: Vec::new(),
                credentials: Vec::new(),
                http: Vec::new(),
                renderers: Vec::new(),
                finalizes: false,
            }
        }

        fn reconcile(_: wit::Request) -> Result<wit::Outcome, wit::Failure> {
            Ok(wit::Outcome {
                readiness: wit::Readiness::Ready,
                desired: Some(wit::Wanted::All(vec!["{\"apiVersion\": \"v1\", \"kind\": ".into()])),
                patches: Vec::new(),
                deletions: Vec::new(),
                status: None,
                conditions: Vec::new(),
                events: Vec::new(),
                requeue_after: None,
            })
        }

        fn finalize(request: wit::Request) -> Result<wit::Outcome, wit::Failure> {
            Self::reconcile(request)
        }
    }

    mizzen_sdk::guest::export_guest!(Guest with_types_in mizzen_sdk::bindings);
}
