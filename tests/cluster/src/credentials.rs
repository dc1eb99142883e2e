//! Credentials: a certificate authority, the server's certificate, tokens, kubeconfig files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::ByteString;
use kube::Config;
use kube::client::ClientBuilder;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;

/// The administrator.
pub(crate) const ADMIN: &str = "admin";

/// Names of the files in the folder of a control plane.
pub(crate) const CA: &str = "ca.crt";
pub(crate) const SERVER_CERTIFICATE: &str = "apiserver.crt";
pub(crate) const SERVER_KEY: &str = "apiserver.key";
pub(crate) const ACCOUNT_KEY: &str = "accounts.key";
pub(crate) const ACCOUNT_PUBLIC_KEY: &str = "accounts.pub";
pub(crate) const TOKENS: &str = "tokens.csv";

/// The name of the cluster, context and user in each kubeconfig.
pub(crate) const CONTEXT: &str = "mizzen-testcluster";

/// The credentials of a control plane. The files are in its folder, which only its owner can read.
#[derive(Debug)]
pub(crate) struct Credentials {
    folder: PathBuf,
    url: http::Uri,
    ca: CertificateAuthority,
    /// By user.
    tokens: BTreeMap<String, String>,
}

#[derive(Debug)]
struct CertificateAuthority {
    pem: String,
    der: Vec<u8>,
}

/// Why credentials are not available.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A key or certificate can't be created.
    #[error("can't create keys and certificates")]
    Certificates(#[from] rcgen::Error),
    /// A file can't be written.
    #[error("can't write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A kubeconfig can't be serialised.
    #[error("can't write a kubeconfig: {0}")]
    Kubeconfig(String),
    /// A client can't be created.
    #[error("can't create a client for {url}")]
    Client {
        /// The API server.
        url: http::Uri,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The user was not named when the control plane was built.
    #[error("no user {user}: name it with `Builder::user`")]
    NoSuchUser {
        /// The name.
        user: String,
    },
}

// === impl Credentials ===

impl Credentials {
    /// Creates keys, certificates and a token for the administrator and each of `users` (by name, with their
    /// groups), and writes the files.
    pub(crate) fn create(
        folder: &Path,
        url: http::Uri,
        users: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, CredentialsError> {
        let write = |name: &str, text: &str| write(&folder.join(name), text);

        let accounts = KeyPair::generate()?;
        write(ACCOUNT_KEY, &accounts.serialize_pem())?;
        write(ACCOUNT_PUBLIC_KEY, &accounts.public_key_pem())?;

        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, CONTEXT);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key)?;
        write(CA, &authority.pem())?;

        let server_key = KeyPair::generate()?;
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let server = CertificateParams::new(names)?.signed_by(&server_key, &Issuer::new(params, authority_key))?;
        write(SERVER_CERTIFICATE, &server.pem())?;
        write(SERVER_KEY, &server_key.serialize_pem())?;

        // The key is new and secret, so tokens that are derived from it can't be guessed.
        let token = |user: &str| {
            let secret = blake3::derive_key("mizzen-testcluster token", &server_key.serialize_der());
            blake3::keyed_hash(&secret, user.as_bytes()).to_hex().to_string()
        };
        let admin = (ADMIN.to_owned(), vec!["system:masters".to_owned()]);
        let users: Vec<_> = users.iter().map(|(user, groups)| (user.clone(), groups.clone())).chain([admin]).collect();
        let lines =
            users.iter().map(|(user, groups)| format!("{},{user},{user},\"{}\"\n", token(user), groups.join(",")));
        write(TOKENS, &lines.collect::<String>())?;

        let tokens = users.iter().map(|(user, _)| (user.clone(), token(user))).collect();
        let ca = CertificateAuthority { pem: authority.pem(), der: authority.der().to_vec() };
        let credentials = Self { folder: folder.to_owned(), url, ca, tokens };
        for user in credentials.tokens.keys() {
            write(&kubeconfig_name(user), &credentials.kubeconfig(credentials.token(user)?, "default")?)?;
        }
        Ok(credentials)
    }

    /// The URL of the API server.
    pub(crate) fn url(&self) -> &http::Uri {
        &self.url
    }

    /// A user's token.
    pub(crate) fn token(&self, user: &str) -> Result<&str, CredentialsError> {
        let token = self.tokens.get(user).map(String::as_str);
        token.ok_or_else(|| CredentialsError::NoSuchUser { user: user.to_owned() })
    }

    /// The file of a user's kubeconfig.
    pub(crate) fn kubeconfig_path(&self, user: &str) -> PathBuf {
        self.folder.join(kubeconfig_name(user))
    }

    /// Writes a kubeconfig for the token of a service account, with its namespace, and returns its path.
    pub(crate) fn write_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
        token: &str,
    ) -> Result<PathBuf, CredentialsError> {
        let path = self.kubeconfig_path(&format!("account-{namespace}-{name}"));
        write(&path, &self.kubeconfig(token, namespace)?)?;
        Ok(path)
    }

    /// Creates a client with a user's token. It belongs to the runtime in which it is created.
    pub(crate) fn client(&self, user: &str) -> Result<kube::Client, CredentialsError> {
        let mut config = Config::new(self.url.clone());
        config.root_cert = Some(vec![self.ca.der.clone()]);
        config.auth_info.token = Some(self.token(user)?.to_owned().into());
        let failed = |source| CredentialsError::Client { url: self.url.clone(), source: Box::new(source) };
        Ok(ClientBuilder::try_from(config).map_err(failed)?.build())
    }

    /// The text of a kubeconfig that needs no other file.
    fn kubeconfig(&self, token: &str, namespace: &str) -> Result<String, CredentialsError> {
        let document = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {
                "server": self.url.to_string().trim_end_matches('/'),
                "certificate-authority-data": ByteString(self.ca.pem.clone().into_bytes()),
            }}],
            "users": [{"name": CONTEXT, "user": {"token": token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}}],
            "current-context": CONTEXT,
        });
        serde_saphyr::to_string(&document).map_err(|error| CredentialsError::Kubeconfig(error.to_string()))
    }
}

fn kubeconfig_name(user: &str) -> String {
    format!("{}.kubeconfig", user.replace(['/', ':'], "-"))
}

fn write(path: &Path, text: &str) -> Result<(), CredentialsError> {
    fs::write(path, text).map_err(|source| CredentialsError::Write { path: path.to_owned(), source })
}
