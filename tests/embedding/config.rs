//! Secrets that are elsewhere, keys of digits, and providers of one's own in configuration.

use std::{fs, sync::Arc};

use org_invitations::{
    Error, ErrorKind, InvitationProvider, ListQuery, Operation, ProviderConfig, ProviderRegistry,
    memory::InMemory,
};
use org_invitations_sandbox::Sandbox;
use serde::Deserialize;
use serde_json::{Value, json};

async fn lists(config: Value) -> org_invitations::Result<usize> {
    let config: ProviderConfig = serde_json::from_value(config).unwrap();
    let page = config.build()?.list_page(&ListQuery::new(), None).await?;
    Ok(page.items.len())
}

#[tokio::test]
async fn a_secret_comes_from_a_file_or_a_command() {
    let sandbox = Sandbox::start().await.unwrap();
    let key = &sandbox.credentials().confluent;
    let file =
        std::env::temp_dir().join(format!("secret-{}", sandbox.url().replace(['/', ':'], "-")));
    fs::write(&file, format!("  {}\r\nnot this line\n", key.api_secret)).unwrap();
    let mut sources = vec![json!({ "file": file })];
    if cfg!(unix) {
        sources.push(json!({ "command": ["cat", file] }));
    }
    for source in sources {
        let config = json!({
            "provider": "confluent", "api_key": key.api_key, "api_secret": source,
            "base_url": sandbox.url(),
        });
        assert_eq!(lists(config).await.unwrap(), 0, "{source}");
    }
    fs::remove_file(&file).unwrap();
}

#[test]
fn a_source_without_a_secret_is_named_and_not_quoted() {
    for (source, words) in [
        (json!({ "file": "/no/such/file" }), "the file /no/such/file"),
        (
            json!({ "variable": "ORG_INVITATIONS_UNSET" }),
            "the environment variable ORG_INVITATIONS_UNSET",
        ),
        (
            json!({ "command": ["/no/such/program", "s3cr3t"] }),
            "the command /no/such/program",
        ),
        (json!({ "command": [] }), "no program"),
    ] {
        let config = json!({
            "provider": "clickhouse", "organization_id": "o", "api_key": "KEY",
            "api_secret": source,
        });
        let config: ProviderConfig = serde_json::from_value(config).unwrap();
        let error = config.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.target(), Some("api_secret"));
        assert!(error.message().contains(words), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("s3cr3t"),
            "{error:?}"
        );
    }
    let odd = json!({ "provider": "confluent", "api_key": "K", "api_secret": { "fiel": "x" } });
    serde_json::from_value::<ProviderConfig>(odd).unwrap_err();
}

#[test]
fn keys_of_digits_are_text_in_yaml() {
    let yaml = "provider: confluent\napi_key: 1234567890123456\napi_secret: 42\n";
    let config: ProviderConfig = serde_norway::from_str(yaml).unwrap();
    match &config {
        ProviderConfig::Confluent(config) => {
            assert_eq!(config.api_key.as_deref(), Some("1234567890123456"));
        }
        other => panic!("{other:?}"),
    }
    config.build().unwrap();
    // Its digits are lost, so it is no key.
    let yaml = "provider: confluent\napi_key: 1234567E2\napi_secret: x\n";
    let error = serde_norway::from_str::<ProviderConfig>(yaml)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("quotes") && !error.contains("1234567"),
        "{error}"
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoryConfig {
    members: Vec<String>,
}

#[tokio::test]
async fn a_registered_provider_is_built_by_its_name() {
    let registry = ProviderRegistry::new().register("memory", |config: MemoryConfig| {
        let builder = config
            .members
            .iter()
            .fold(InMemory::builder(), |builder, email| {
                builder.member(email, ["Developer"])
            });
        Ok(Arc::new(builder.build()?))
    });
    assert_eq!(registry.names(), ["clickhouse", "confluent", "memory"]);
    let yaml = "provider: memory\nmembers: [ann@example.com]\n";
    let provider = registry
        .build(serde_norway::Deserializer::from_str(yaml))
        .unwrap();
    assert_eq!(provider.to_string(), "memory");
    let page = provider.list_members_page(None).await.unwrap();
    assert_eq!(page.items.len(), 1);

    let built_in = json!({ "provider": "confluent", "access_token": "abc" });
    assert_eq!(registry.build(built_in).unwrap().to_string(), "confluent");

    for (config, words) in [
        (json!({ "provider": "memory", "membres": [] }), "membres"),
        (
            json!({ "provider": "memory", "members": ["nobody"] }),
            "needs an `@`",
        ),
        (
            json!({ "provider": "acme" }),
            "clickhouse, confluent, memory",
        ),
        (json!({ "provider": "confluent", "bogus": 1 }), "bogus"),
        (json!({ "members": [] }), "`provider`"),
        (json!("memory"), "`provider`"),
    ] {
        let error: Error = registry.build(config).unwrap_err();
        assert!(error.message().contains(words), "{error}");
        assert!(
            matches!(error.kind(), ErrorKind::Config | ErrorKind::InvalidInput),
            "{error}"
        );
        assert_eq!(error.operation(), Operation::Configure, "{error}");
    }
}
