//! The client as a sandbox runs it: a WASI command without files, sockets, a real clock or randomness.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses what it needs")]

pub mod apis;
pub mod applications;
pub mod compare;
pub mod mesh;

use std::path::PathBuf;
use std::sync::Mutex;

use mizzen_go_build::Cache;
use serde_json::{Value, json};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_sync};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

/// More bytes than any rendering has.
const MOST_OUTPUT: usize = 64 << 20;

/// The client of a version, compiled.
pub struct Client {
    module: Module,
    linker: Linker<WasiP1Ctx>,
}

/// One output of the client.
pub struct Rendering {
    pub text: String,
    pub items: Vec<Value>,
    pub results: Vec<Value>,
}

impl Client {
    /// The client that `make istio-client` built. `None`, with a line on standard error, if it does
    /// not exist and `CI` is not set.
    pub fn for_test(version: &str) -> Option<Self> {
        let test = std::env::current_exe().unwrap();
        let built = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap();
        let file = built.parent().unwrap().join(format!("plugins/istio-client-{version}.wasm"));
        if file.is_file() {
            return Some(Self::compile(&file));
        }
        let hint = format!("{} does not exist: run `make istio-client ISTIO_VERSION={version}`", file.display());
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{hint}");
        eprintln!("SKIPPED: {hint}");
        None
    }

    /// Compiling takes a minute: the code is kept, under a name that covers what it depends on.
    fn compile(file: &std::path::Path) -> Self {
        // The tests of one file run at once, and compile once.
        static COMPILING: Mutex<()> = Mutex::new(());
        let _one = COMPILING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let engine = Engine::default();
        let wasm = std::fs::read(file).unwrap();
        let kept = kept(&engine, &wasm);
        let module = kept.is_file().then(|| map(&engine, &kept)).flatten().unwrap_or_else(|| {
            eprintln!("compiling {}: once, about a minute", file.display());
            let module = Module::new(&engine, &wasm).unwrap();
            let partial = kept.with_extension(std::process::id().to_string());
            std::fs::write(&partial, module.serialize().unwrap()).unwrap();
            std::fs::rename(&partial, &kept).unwrap();
            module
        });
        let mut linker = Linker::new(&engine);
        add_to_linker_sync(&mut linker, |wasi| wasi).unwrap();
        Self { module, linker }
    }

    /// Renders an `IstioOperator`.
    pub fn render(&self, operator: &Value) -> Rendering {
        let list = json!({
            "apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "functionConfig": operator, "items": [],
        });
        self.call(&list.to_string())
    }

    /// Calls it with this text. Its exit code must be 0 for any text.
    pub fn call(&self, input: &str) -> Rendering {
        let rendering = MemoryOutputPipe::new(MOST_OUTPUT);
        let errors = MemoryOutputPipe::new(MOST_OUTPUT);
        let wasi = WasiCtxBuilder::new()
            .arg("istio-client")
            .stdin(MemoryInputPipe::new(input.to_owned()))
            .stdout(rendering.clone())
            .stderr(errors.clone())
            .build_p1();
        let mut store = Store::new(self.module.engine(), wasi);
        let instance = self.linker.instantiate(&mut store, &self.module).unwrap();
        let ended = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap().call(&mut store, ());
        drop(store);
        if let Err(error) = ended {
            let code = error.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0);
            let errors_text = String::from_utf8_lossy(&errors.contents()).into_owned();
            assert_eq!(code, Some(0), "{error}: {errors_text}");
        }
        Rendering::read(String::from_utf8(rendering.contents().to_vec()).unwrap())
    }
}

impl Rendering {
    fn read(text: String) -> Self {
        let list: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!((&list["apiVersion"], &list["kind"]), (&json!("config.kubernetes.io/v1"), &json!("ResourceList")));
        let all = |name: &str| list[name].as_array().cloned().unwrap_or_default();
        Self { items: all("items"), results: all("results"), text }
    }

    /// The messages of one severity, each with the field that it names, or `-`.
    pub fn messages(&self, severity: &str) -> Vec<(String, String)> {
        let of = self.results.iter().filter(|result| result["severity"] == severity);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        of.map(|result| (text(&result["field"]["path"]), text(&result["message"]))).collect()
    }
}

fn kept(engine: &Engine, wasm: &[u8]) -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    wasm.hash(&mut hasher);
    let cache = Cache::open(&Cache::project().unwrap(), "compiled-for-tests").unwrap();
    cache.folder(&format!("{:016x}.cwasm", hasher.finish()))
}

#[expect(unsafe_code, reason = "the file was written by this very code, into the cache of the user who runs the tests")]
fn map(engine: &Engine, file: &std::path::Path) -> Option<Module> {
    // SAFETY: see the reason above; wasmtime itself checks version and settings.
    unsafe { Module::deserialize_file(engine, file) }.ok()
}
