//! `mizzen rbac`: prints the least rights that a configuration needs, as roles and bindings.

use std::process::ExitCode;

use mizzen_cluster::memory::Memory;
use mizzen_config::Configuration;
use mizzen_model::Kind;
use mizzen_model::yaml::Document;
use serde_json::{Value, json};

use crate::args::{Manifests, Rbac};
use crate::components::Components;
use crate::report::Errors;
use crate::rights::{Rights, Rules};
use crate::terminal::yaml;
use crate::{assemble, terminal};

pub(crate) async fn rbac(args: Rbac) -> anyhow::Result<ExitCode> {
    let documents = assemble::documents(&args.source.files)?;
    let configuration = assemble::configuration_among(&documents, &args.source.files)?;
    let definitions: Vec<_> = documents.into_iter().filter(is_definition).collect();
    let definitions = Memory::from_documents(&definitions).map_err(Errors::of)?;
    // Renderers have no access to the cluster, so they need no rights.
    let configuration = Configuration { renderers: Vec::new(), ..configuration };
    let loaded = Components::new(&args.source.sandbox, args.source.plugins.clone())?.refresh(&configuration).await;
    Errors::check(loaded.problems())?;
    let mut rights = Rights::of_host(&args.service_account.namespace);
    for entry in &loaded.entries {
        if let Some(invoke) = &entry.invoke {
            rights.add(&entry.reconciler, invoke.description(), &definitions).await;
        }
    }
    for note in &rights.notes {
        terminal::note("note", note);
    }
    match args.output {
        Manifests::Yaml => terminal::text(&text(&args, &rights))?,
        Manifests::Json => {
            let items: Vec<_> = roles(&args, &rights)
                .into_iter()
                .flat_map(|(mut role, rules, binding)| {
                    role["rules"] = rules.value();
                    [role, binding]
                })
                .collect();
            terminal::line(format_args!("{:#}", json!({"apiVersion": "v1", "kind": "List", "items": items})))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn is_definition(document: &Document) -> bool {
    let of = |field: &str| document.value[field].as_str().unwrap_or_default();
    Kind::new(of("apiVersion"), of("kind")) == Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition")
}

/// Returns each role without its rules, its rules, and its binding.
fn roles<'a>(args: &Rbac, rights: &'a Rights) -> Vec<(Value, &'a Rules, Value)> {
    let scopes = [(None, &rights.cluster)].into_iter();
    let scopes = scopes.chain(rights.namespaces.iter().map(|(namespace, rules)| (Some(namespace), rules)));
    let document = |kind: &str, namespace: Option<&String>| {
        let mut document = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                                  "metadata": {"name": args.name, "labels": {"app.kubernetes.io/name": "mizzen"}}});
        if let Some(namespace) = namespace {
            document["metadata"]["namespace"] = json!(namespace);
        }
        document
    };
    let role = |(namespace, rules): (Option<&String>, &'a Rules)| {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        let mut binding = document(&format!("{kind}Binding"), namespace);
        binding["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": args.name});
        let account = &args.service_account;
        binding["subjects"] = json!([{"kind": "ServiceAccount", "namespace": account.namespace, "name": account.name}]);
        (document(kind, namespace), rules, binding)
    };
    scopes.map(role).collect()
}

fn text(args: &Rbac, rights: &Rights) -> String {
    let role = |(role, rules, binding): (Value, &Rules, Value)| {
        format!("---\n{}rules:\n{}---\n{}", yaml(&role), rules.yaml(), yaml(&binding))
    };
    let roles: String = roles(args, rights).into_iter().map(role).collect();
    format!("# The least rights that the host needs for its configuration. Written by `mizzen rbac`.\n{roles}")
}
