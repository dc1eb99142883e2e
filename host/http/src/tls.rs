//! The certificate authorities that TLS connections trust: the system's and the route's, or any, where a grant says so.

use std::sync::{Arc, OnceLock};

use mizzen_model::http::Route;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Why there is no configuration of TLS for a route.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] Error),
    #[error("a certificate authority is not valid PEM: {0}")]
    Pem(#[source] rustls::pki_types::pem::Error),
    #[error("a certificate authority is not a valid certificate: {0}")]
    Certificate(#[source] Error),
    #[error("there is no certificate among the certificate authorities: write them in PEM")]
    Missing,
}

/// Returns the configuration of TLS for a route.
pub(crate) fn config(route: &Route) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    if route.unverified {
        let unverified = Arc::new(Unverified(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(unverified).with_no_client_auth());
    }
    let mut roots = system().clone();
    for pem in &route.authorities {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate.map_err(TlsError::Pem)?).map_err(TlsError::Certificate)?;
            found = true;
        }
        if !found {
            return Err(TlsError::Missing);
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Returns the system's authorities, which are read once. A host without any trusts only those that grants name.
fn system() -> &'static RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            tracing::warn!("the system has no certificate authorities: only those that grants name are trusted");
        }
        roots
    })
}

/// Accepts any certificate, but checks that the server has its key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
