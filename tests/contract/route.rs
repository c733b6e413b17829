//! The way to the server: root certificates, proxies and time limits.

use base64::{Engine, prelude::BASE64_STANDARD};
use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, ListQuery, ProviderConfig, RetryPolicy,
};
use org_invitations_sandbox::Sandbox;

use crate::relay::{PASSWORD, Proxy, TlsRelay};

/// Both vendors' providers at `url`, without retries.
macro_rules! providers {
    ($sandbox:expr, $url:expr, |$builder:ident| $more:expr) => {{
        let credentials = $sandbox.credentials();
        let (key, other) = (&credentials.confluent, &credentials.clickhouse);
        let $builder = Confluent::builder()
            .api_key(&key.api_key, key.api_secret.as_str())
            .base_url($url)
            .retry(RetryPolicy::none());
        let confluent = $more.build();
        let $builder = ClickHouse::builder(&other.organization_id)
            .api_key(&other.api_key, other.api_secret.as_str())
            .base_url($url)
            .retry(RetryPolicy::none());
        let clickhouse = $more.build();
        (confluent, clickhouse)
    }};
}

#[tokio::test]
async fn root_certificates_open_a_private_server() {
    let sandbox = Sandbox::start().await.unwrap();
    let relay = TlsRelay::start(sandbox.url()).await;
    let url = relay.url.as_str();
    let (confluent, clickhouse) = providers!(sandbox, url, |builder| builder);
    let error = confluent.unwrap().list_page(&ListQuery::new(), None).await;
    let error = error.unwrap_err();
    assert!(
        error.message().contains("certificate of localhost"),
        "{error}"
    );
    clickhouse
        .unwrap()
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap_err();
    assert!(sandbox.ledger().requests.is_empty());

    let (confluent, clickhouse) = providers!(sandbox, url, |builder| builder
        .ca_certificates(&relay.authority));
    confluent
        .unwrap()
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();
    clickhouse
        .unwrap()
        .list_page(&ListQuery::new(), None)
        .await
        .unwrap();

    for wrong in [
        "no certificate",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
    ] {
        let (confluent, clickhouse) =
            providers!(sandbox, url, |builder| builder.ca_certificates(wrong));
        for error in [confluent.err().unwrap(), clickhouse.err().unwrap()] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert_eq!(error.target(), Some("root certificates"), "{error}");
        }
    }
}

#[tokio::test]
async fn proxies_carry_everything_and_see_no_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let relay = TlsRelay::start(sandbox.url()).await;
    let (url, port) = (relay.url.as_str(), relay.url.rsplit(':').next().unwrap());
    let credentials = sandbox.credentials().clone();
    for scheme in ["socks5", "socks5h", "http"] {
        let proxy = match scheme {
            "http" => Proxy::connect().await,
            _ => Proxy::socks5().await,
        };
        let address = proxy.address;
        let with_login = format!("{scheme}://ann:{PASSWORD}@{address}");
        let (confluent, clickhouse) = providers!(sandbox, url, |builder| {
            builder
                .ca_certificates(&relay.authority)
                .proxy(with_login.as_str())
        });
        let before = sandbox.ledger().requests.len();
        confluent
            .unwrap()
            .list_page(&ListQuery::new(), None)
            .await
            .unwrap();
        clickhouse
            .unwrap()
            .list_page(&ListQuery::new(), None)
            .await
            .unwrap();
        assert_eq!(sandbox.ledger().requests.len(), before + 2);
        let seen = proxy.destinations();
        // With socks5 this machine resolves the name.
        let host = if scheme == "socks5" {
            "127.0.0.1"
        } else {
            "localhost"
        };
        let all_named = seen.iter().all(|to| *to == format!("{host}:{port}"));
        assert!(seen.len() == 2 && all_named, "{scheme}: {seen:?}");
        for key in [
            &credentials.confluent.api_secret,
            &credentials.clickhouse.api_secret,
        ] {
            assert!(!proxy.saw(key), "{scheme}");
        }
        let (key, secret) = (
            &credentials.confluent.api_key,
            &credentials.confluent.api_secret,
        );
        let pair = BASE64_STANDARD.encode(format!("{key}:{secret}"));
        assert!(!proxy.saw(&pair), "{scheme}");

        // A proxy that refuses is named, and its password is not.
        let wrong = format!("{scheme}://ann:hush-hush@{address}");
        let (confluent, _) = providers!(sandbox, url, |builder| {
            builder
                .ca_certificates(&relay.authority)
                .proxy(wrong.as_str())
        });
        let confluent = confluent.unwrap();
        let error = confluent
            .list_page(&ListQuery::new(), None)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        let said = format!("{error} {error:?} {confluent:?}");
        assert!(
            said.contains(&format!("by the proxy {scheme}://{address}")),
            "{said}"
        );
        assert!(!said.contains("hush-hush"), "{said}");
        assert_eq!(sandbox.ledger().requests.len(), before + 2);
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_is_refused_unquoted() {
    let sandbox = Sandbox::start().await.unwrap();
    for (url, proxy, why) in [
        (
            "https://a.example",
            "ftp://ann:hush-hush@proxy.example",
            "must begin with",
        ),
        (
            "https://a.example",
            "ann:hush-hush@proxy.example:1",
            "must begin with",
        ),
        // Plain http is for this machine, where no proxy stands between.
        (
            sandbox.url(),
            "http://ann:hush-hush@proxy.example",
            "is for https",
        ),
    ] {
        let (confluent, clickhouse) = providers!(sandbox, url, |builder| builder.proxy(proxy));
        for error in [confluent.err().unwrap(), clickhouse.err().unwrap()] {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert_eq!(error.target(), Some("proxy"), "{error}");
            let said = format!("{error} {error:?}");
            assert!(said.contains(why) && !said.contains("hush"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_configuration_has_certificates_and_proxy() {
    let sandbox = Sandbox::start().await.unwrap();
    let relay = TlsRelay::start(sandbox.url()).await;
    let proxy = Proxy::socks5().await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("authority-{}.pem", std::process::id()));
    std::fs::write(&file, &relay.authority).unwrap();
    let key = &sandbox.credentials().confluent;
    let config = |file: &std::path::Path, proxy: String| {
        let config = serde_json::json!({
            "provider": "confluent", "api_key": key.api_key, "api_secret": key.api_secret,
            "base_url": relay.url,
            "connection": { "ca_file": file, "proxy": proxy, "retry": { "max_attempts": 1 } },
        });
        serde_json::from_value::<ProviderConfig>(config)
    };
    let url = format!("socks5h://ann:{PASSWORD}@{}", proxy.address);
    let good = config(&file, url.clone()).unwrap();
    let shown = format!("socks5h://{}", proxy.address);
    assert_eq!(good.proxy_in_use(), Some(shown));
    assert!(!format!("{good:?}").contains(PASSWORD), "{good:?}");
    let provider = good.clone().build().unwrap();
    provider.list_page(&ListQuery::new(), None).await.unwrap();
    let client = good.http_client().unwrap();
    client.get(&relay.url).send().await.unwrap();
    assert_eq!(proxy.destinations().len(), 2);

    let missing = config(&folder.join("nowhere.pem"), url).unwrap();
    let error = missing.build().err().unwrap();
    assert!(error.message().contains("nowhere.pem"), "{error}");
    let error = config(&file, "socks9://ann:hush-hush@p".to_owned())
        .err()
        .unwrap();
    assert!(!error.to_string().contains("hush"), "{error}");
}
