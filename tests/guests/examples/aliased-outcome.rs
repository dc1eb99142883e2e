//! Returns a gigabyte that it does not have: one mebibyte, a thousand times. Its own memory stays small.

#[cfg(target_arch = "wasm32")]
mod guest {
    use mizzen_sdk::bindings::exports::mizzen::plugin::reconciler as wit;
    use mizzen_sdk::bindings::mizzen::plugin::types::Kind;

    struct Guest;

    impl wit::Guest for Guest {
        fn describe() -> wit::Description {
            wit::Description {
                name: "aliased-outcome".into(),
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
                desired: Some(wit::Wanted::All(vec_of_the_same())),
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

    #[expect(unsafe_code, reason = "a hostile guest need not write its texts by Rust's rules")]
    fn vec_of_the_same() -> Vec<String> {
        let text = "x".repeat(1 << 20).leak();
        let (start, bytes) = (text.as_mut_ptr(), text.len());
        // SAFETY: none. The host traps this guest while it copies them, before they are freed a second time.
        (0..1024).map(|_| unsafe { String::from_raw_parts(start, bytes, bytes) }).collect()
    }

    mizzen_sdk::guest::export_guest!(Guest with_types_in mizzen_sdk::bindings);
}
