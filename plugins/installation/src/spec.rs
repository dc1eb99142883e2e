//! Validates the custom resource's spec: what the API server's schema can't check, and what it
//! checks, too, for resources from elsewhere. The error names the first invalid field.

use std::collections::BTreeSet;

use mizzen_istio_api::{Authorizer, Config, Spec};
use regex_syntax::ast::parse::Parser;
use serde_json::Value;

/// Why a spec is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`spec.{field}`: {why}")]
pub(crate) struct Invalid {
    field: String,
    why: String,
}

/// Returns the spec if it is valid.
pub(crate) fn validate(spec: &Value) -> Result<Spec, Invalid> {
    let spec: Spec = serde_path_to_error::deserialize(spec)
        .map_err(|error| Invalid { field: error.path().to_string(), why: error.inner().to_string() })?;
    if let Some(config) = &spec.config {
        validate_config(config)?;
    }
    Ok(spec)
}

fn validate_config(config: &Config) -> Result<(), Invalid> {
    if let Some(domain) = &config.trust_domain
        && !(1..=255).contains(&domain.chars().count())
    {
        return Err(invalid("config.trustDomain", "it must have 1 to 255 characters"));
    }
    let regexps = config.proxy_stats_matcher.iter().flat_map(|matcher| &matcher.inclusion_regexps);
    for (at, regexp) in regexps.enumerate() {
        if let Err(error) = Parser::new().parse(regexp) {
            let why = format!("`{regexp}` is not a valid regular expression: {}", error.kind());
            return Err(invalid(format!("config.proxyStatsMatcher.inclusionRegexps[{at}]"), why));
        }
    }
    let mut names = BTreeSet::new();
    for (at, Authorizer { name, port, .. }) in config.authorizers.iter().enumerate() {
        let field = |own: &str| format!("config.authorizers[{at}].{own}");
        if name.is_empty() {
            return Err(invalid(field("name"), "it is empty"));
        }
        if !names.insert(name) {
            return Err(invalid(
                field("name"),
                format!("`{name}` is the name of another authorizer: each name must be unique"),
            ));
        }
        if !(1..=65_535).contains(port) {
            return Err(invalid(field("port"), format!("{port} is not a valid port: write a number from 1 to 65535")));
        }
    }
    Ok(())
}

fn invalid(field: impl Into<String>, why: impl Into<String>) -> Invalid {
    Invalid { field: field.into(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(config: &Value) -> String {
        validate(&json!({"config": config})).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_invalid_field() {
        let authorizer = |name: &str, port: u32| json!({"name": name, "service": "s", "port": port});
        for (config, field, why) in [
            (json!({"forwardClientCertDetails": "FORWARD"}), "forwardClientCertDetails", "unknown variant `FORWARD`"),
            (json!({"gatewayExternalTrafficPolicy": "local"}), "gatewayExternalTrafficPolicy", "`Local`"),
            (json!({"numTrustedProxies": "2"}), "numTrustedProxies", "invalid type: string"),
            (json!({"numTrustedProxies": -1}), "numTrustedProxies", "-1"),
            (json!({"numTrustedProxies": 4_294_967_296_u64}), "numTrustedProxies", "4294967296"),
            (json!({"enableDNSProxying": "yes"}), "enableDNSProxying", "a boolean"),
            (json!({"telemetry": {"metrics": {"prometheusMerge": 1}}}), "telemetry.metrics.prometheusMerge", "boolean"),
            (json!({"trustDomain": ""}), "trustDomain", "1 to 255"),
            (json!({"trustDomain": "x".repeat(256)}), "trustDomain", "1 to 255"),
            (
                json!({"proxyStatsMatcher": {"inclusionRegexps": [".*", "a("]}}),
                "proxyStatsMatcher.inclusionRegexps[1]",
                "`a(` is not a valid regular expression: unclosed group",
            ),
            (json!({"authorizers": [authorizer("a", 1), authorizer("a", 2)]}), "authorizers[1].name", "another"),
            (json!({"authorizers": [authorizer("", 1)]}), "authorizers[0].name", "empty"),
            (json!({"authorizers": [authorizer("a", 0)]}), "authorizers[0].port", "65535"),
            (json!({"authorizers": [{"name": "a"}]}), "authorizers[0]", "`port`"),
        ] {
            let message = wrong(&config);
            assert!(
                message.starts_with(&format!("`spec.config.{field}`: ")) && message.contains(why),
                "{config}: {message}"
            );
        }
    }

    #[test]
    fn valid_specs_are_accepted() {
        let regexps = ["", ".*", r"^cluster\.(a|b)\.[^.]+$", r"\d{2,}\pL(?i:x)"];
        for config in [
            json!({"numTrustedProxies": 0}),
            json!({"numTrustedProxies": 4_294_967_295_u32, "trustDomain": "é".repeat(255)}),
            json!({"proxyStatsMatcher": {"inclusionRegexps": regexps}}),
        ] {
            assert_eq!(validate(&json!({"config": config})).map(|_| ()), Ok(()), "{config}");
        }
        assert!(validate(&json!({})).is_ok());
    }
}
