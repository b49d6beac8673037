use crate::ServerError;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// TLS 1.2 and 1.3 with the certificate and the key of two PEM files.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ServerError> {
    let (chain, secret) = (certificates(certificate)?, secret(key)?);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| fault(certificate, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// TLS 1.2 and 1.3 towards one whose certificate an authority of this PEM file vouches for, and no other; with a
/// certificate and a key of one's own where the other side asks for them.
pub(crate) fn client(authority: &Path, own: Option<(&Path, &Path)>) -> Result<ClientConfig, ServerError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(|error| fault(authority, error))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(authority, error))?
        .with_root_certificates(roots);
    match own {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => builder
            .with_client_auth_cert(certificates(certificate)?, secret(key)?)
            .map_err(|error| fault(certificate, error)),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(|error| fault(path, error))?;
    if chain.is_empty() {
        return Err(fault(path, "the file holds no certificate; hint: give one in PEM form"));
    }
    Ok(chain)
}

fn secret(path: &Path) -> Result<PrivateKeyDer<'static>, ServerError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| fault(path, error))
}

fn fault(path: &Path, reason: impl ToString) -> ServerError {
    ServerError::Certificate { path: path.to_owned(), reason: reason.to_string() }
}
