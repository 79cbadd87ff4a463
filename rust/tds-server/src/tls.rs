//! The certificate of a simulated server, and the TLS settings that follow from it.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, version};

use crate::error::Result;

/// A certificate with its key, made when the lab starts, as SQL Server makes one
/// for itself when none is configured.
pub struct TlsIdentity {
    pem: String,
    der: Vec<u8>,
    wrapped: Arc<rustls::ServerConfig>,
    strict: Arc<rustls::ServerConfig>,
}

impl TlsIdentity {
    /// Makes a self-signed certificate for these DNS names or addresses.
    ///
    /// # Errors
    /// [`Error::Certificate`](crate::Error::Certificate) for a name that cannot stand in a certificate.
    pub fn self_signed(names: &[&str]) -> Result<Self> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names)?;
        let der = made.cert.der().to_vec();
        let key = made.signing_key.serialize_der();
        Ok(Self {
            pem: made.cert.pem(),
            wrapped: settings(&der, &key, Transport::InsideTds)?,
            strict: settings(&der, &key, Transport::Strict)?,
            der,
        })
    }

    /// The certificate for clients that verify.
    pub fn certificate_pem(&self) -> String {
        self.pem.clone()
    }

    /// SHA-1 of the certificate as hexadecimal capitals: the thumbprint Windows shows.
    pub fn thumbprint_sha1(&self) -> String {
        hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref())
    }

    /// SHA-256 of the certificate as hexadecimal capitals.
    pub fn thumbprint_sha256(&self) -> String {
        hex(ring::digest::digest(&ring::digest::SHA256, &self.der).as_ref())
    }

    /// For handshakes inside TDS packets: TLS 1.2 only, because the tickets of
    /// TLS 1.3 arrive after the handshake and break clients that unwrap by then.
    pub(crate) fn wrapped(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.wrapped)
    }

    /// For TDS 8.0, where TLS comes first.
    pub(crate) fn strict(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.strict)
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("thumbprint_sha1", &self.thumbprint_sha1()).finish_non_exhaustive()
    }
}

enum Transport {
    InsideTds,
    Strict,
}

fn settings(certificate: &[u8], key: &[u8], transport: Transport) -> Result<Arc<rustls::ServerConfig>> {
    let versions: &[&rustls::SupportedProtocolVersion] = match transport {
        Transport::InsideTds => &[&version::TLS12],
        Transport::Strict => &[&version::TLS13, &version::TLS12],
    };
    let certificate = CertificateDer::from(certificate.to_vec());
    let key = PrivateKeyDer::Pkcs8(key.to_vec().into());
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    if let Transport::Strict = transport {
        config.alpn_protocols = vec![b"tds/8.0".to_vec()];
    }
    Ok(Arc::new(config))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
