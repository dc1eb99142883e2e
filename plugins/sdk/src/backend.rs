//! What serves a reconciler's reads: the host, in a component; YAML, in a test.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::host::{Cursor, count, get, list, log, now, render, renderers, send, serves};

#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::{Cursor, count, get, list, log, now, render, renderers, send, serves};

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::time::Duration;

    use crate::access::AccessError;
    use crate::bindings::mizzen::plugin::{
        clock, cluster, http as wit_http, log as lines, renderers as wit_renderers, types,
    };
    use crate::http::request::Request;
    use crate::http::response::Response;
    use crate::identity::{Kind, ObjectRef};
    use crate::log::level::Level;
    use crate::query::{Query, Text};
    use crate::renderers::renderer::{RenderError, Renderer};

    /// Objects per page: few calls of the host, without the whole of a long list in memory.
    const PAGE: u32 = 500;

    /// A position in a list.
    #[derive(Debug)]
    pub(crate) struct Cursor(cluster::Cursor);

    impl Cursor {
        /// The next objects; empty at the end.
        pub(crate) fn page(&mut self) -> Vec<String> {
            self.0.next(PAGE)
        }
    }

    pub(crate) fn get(object: &ObjectRef, fields: Option<&str>) -> Result<Option<String>, AccessError> {
        let ObjectRef { kind: k, namespace, name } = object;
        let object = types::ObjectRef { kind: kind(k), namespace: namespace.clone(), name: name.clone() };
        cluster::get(&object, fields).map_err(error)
    }

    pub(crate) fn list(query: &Query) -> Result<Cursor, AccessError> {
        cluster::list(&wit(query)).map(Cursor).map_err(error)
    }

    pub(crate) fn count(query: &Query) -> Result<u64, AccessError> {
        cluster::count(&wit(query)).map_err(error)
    }

    pub(crate) fn serves(k: &Kind) -> bool {
        cluster::serves(&kind(k))
    }

    pub(crate) fn now() -> Duration {
        Duration::from_millis(clock::now())
    }

    pub(crate) fn log(level: Level, message: &str, fields: &[(String, String)]) {
        let level = match level {
            Level::Debug => lines::Level::Debug,
            Level::Info => lines::Level::Info,
            Level::Warn => lines::Level::Warn,
            Level::Error => lines::Level::Error,
        };
        lines::write(level, message, fields);
    }

    pub(crate) fn renderers() -> Vec<Renderer> {
        let available = wit_renderers::available().into_iter();
        available.map(|own| Renderer { name: own.name, labels: own.labels.into_iter().collect() }).collect()
    }

    pub(crate) fn render(renderer: &str, document: &str) -> Result<Vec<String>, RenderError> {
        wit_renderers::render(renderer, document).map_err(|refused| match refused {
            wit_renderers::RenderError::Rejected(why) => RenderError::Rejected(why),
            wit_renderers::RenderError::Failed(why) => RenderError::Failed(why),
            wit_renderers::RenderError::Access(access) => RenderError::Access(error(access)),
        })
    }

    pub(crate) fn send(request: &Request) -> Result<Response, AccessError> {
        let sent = wit_http::send(&wit_http::Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            credential: request.credential.clone(),
            max_age: millis(request.max_age),
            timeout: millis(request.timeout),
        });
        let response = sent.map_err(error)?;
        let wit_http::Response { status, headers, body, age } = response;
        Ok(Response { status, headers, body, age: Duration::from_millis(age) })
    }

    fn millis(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }

    fn wit(query: &Query) -> cluster::Query {
        cluster::Query {
            kind: kind(&query.kind),
            namespace: query.namespace.clone(),
            labels: query.labels.clone(),
            namespace_labels: query.namespace_labels.clone(),
            values: query.values.as_ref().map(|values| values.iter().map(value).collect()),
            fields: query.fields.clone(),
        }
    }

    fn value((path, test): &(String, Text)) -> cluster::ValueSelector {
        let test = match test.clone() {
            Text::Equals(text) => cluster::TextTest::Equals(text),
            Text::StartsWith(text) => cluster::TextTest::StartsWith(text),
            Text::PrefixOf(text) => cluster::TextTest::PrefixOf(text),
        };
        cluster::ValueSelector { path: path.clone(), test }
    }

    fn kind(kind: &Kind) -> types::Kind {
        types::Kind { api_version: kind.api_version.clone(), name: kind.name.clone() }
    }

    fn error(error: types::AccessError) -> AccessError {
        match error {
            types::AccessError::Denied(why) => AccessError::Denied(why),
            types::AccessError::NotServed(why) => AccessError::NotServed(why),
            types::AccessError::Unavailable(why) => AccessError::Unavailable(why),
            types::AccessError::Invalid(why) => AccessError::Invalid(why),
        }
    }
}
