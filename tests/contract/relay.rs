//! What stands between a client and a server: TLS with a certificate of an authority that nobody knows, and proxies.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// A TLS server for `localhost` that passes everything on to a plain one.
pub(crate) struct TlsRelay {
    /// The base URL of the server.
    pub url: String,
    /// The certificate of its authority, in PEM.
    pub authority: String,
}

impl TlsRelay {
    pub async fn start(server_url: &str) -> Self {
        let server: SocketAddr = server_url.trim_start_matches("http://").parse().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut stream, &mut server).await
                });
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            authority: pem,
        }
    }
}

/// What a proxy was told and what it passed on.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The destinations that clients named: `localhost:443` by name, `127.0.0.1:443` by address.
    pub destinations: Vec<String>,
    /// Everything that clients sent, to the proxy itself and through it.
    pub bytes: Vec<u8>,
}

/// A SOCKS5 proxy (RFC 1928, with user name and password by RFC 1929), or one of HTTP's CONNECT. It accepts the user
/// `ann` with the password `let-me-in` only.
pub(crate) struct Proxy {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// The password that the proxies ask for.
pub(crate) const PASSWORD: &str = "let-me-in";

impl Proxy {
    pub async fn socks5() -> Self {
        Self::start(true).await
    }

    pub async fn connect() -> Self {
        Self::start(false).await
    }

    async fn start(is_socks: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let record = Arc::clone(&record);
                tokio::spawn(async move {
                    match is_socks {
                        true => serve_socks(stream, &record).await,
                        false => serve_connect(stream, &record).await,
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// The destinations of the connections so far.
    pub fn destinations(&self) -> Vec<String> {
        self.seen.lock().unwrap().destinations.clone()
    }

    /// Whether a client sent these bytes, to the proxy or through it.
    pub fn saw(&self, text: &str) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.bytes
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    }
}

async fn serve_socks(mut stream: TcpStream, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await?;
    let mut methods = vec![0; head[1].into()];
    stream.read_exact(&mut methods).await?;
    if !methods.contains(&2) {
        // No acceptable method.
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, 2]).await?;
    let mut login = [0; 2];
    stream.read_exact(&mut login).await?;
    let mut user = vec![0; login[1].into()];
    stream.read_exact(&mut user).await?;
    let mut password = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut password).await?;
    let is_right = user == b"ann" && password == PASSWORD.as_bytes();
    stream.write_all(&[1, u8::from(!is_right)]).await?;
    if !is_right {
        return Ok(());
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        4 => std::net::Ipv6Addr::from(stream.read_u128().await?).to_string(),
        _ => {
            let mut name = vec![0; stream.read_u8().await?.into()];
            stream.read_exact(&mut name).await?;
            String::from_utf8(name).unwrap()
        }
    };
    let port = stream.read_u16().await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    pass_on(stream, &format!("{host}:{port}"), seen).await
}

async fn serve_connect(mut stream: TcpStream, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    seen.lock().unwrap().bytes.append(&mut head);
    // `ann:let-me-in`
    if !text
        .to_lowercase()
        .contains("proxy-authorization: basic yw5uomxldc1tzs1pbg==")
    {
        let denied = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        return stream.write_all(denied).await;
    }
    let destination = text.split(' ').nth(1).unwrap_or_default().to_owned();
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    pass_on(stream, &destination, seen).await
}

/// Connects to the destination on loopback and passes bytes on.
async fn pass_on(stream: TcpStream, to: &str, seen: &Mutex<Seen>) -> std::io::Result<()> {
    seen.lock().unwrap().destinations.push(to.to_owned());
    let port: u16 = to.rsplit(':').next().unwrap().parse().unwrap();
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = from_client.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        seen.lock()
            .unwrap()
            .bytes
            .extend_from_slice(&buffer[..count]);
        to_server.write_all(&buffer[..count]).await?;
    }
    drop(to_server);
    back.await.map(|_| ()).map_err(std::io::Error::other)
}
