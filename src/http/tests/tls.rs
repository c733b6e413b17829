//! Connections that TLS refuses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{connect_with, options};
use crate::http::{TransportError, TransportErrorKind};

/// A certificate for `localhost` that nobody trusts, and its key, made for this test.
const SELF_SIGNED: &[u8] = include_bytes!("self_signed.pem");

/// A server with that certificate: its port, and how often somebody connected.
async fn start() -> (u16, Arc<AtomicUsize>) {
    let certificate = CertificateDer::from_pem_slice(SELF_SIGNED).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SELF_SIGNED).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    (port, connections)
}

#[tokio::test]
async fn a_rejected_certificate_is_not_retried_and_names_the_host() {
    let (port, connections) = start().await;
    let mut options = options();
    options.timeout = Duration::from_secs(20);
    let client = connect_with(&format!("https://localhost:{port}/secret-path"), options);
    let error = client.create_thing(&json!({})).await.unwrap_err();
    let error = TransportError::find(&error).unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Certificate, "{error:?}");
    assert!(!error.may_have_executed());
    assert_eq!(
        (error.attempts(), connections.load(Ordering::Relaxed)),
        (1, 1)
    );
    let named = format!("the certificate of localhost:{port}");
    assert!(error.message().starts_with(&named), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret-path"));
}
