//! Macros for every module: setters, and how the examples of the documentation begin.

/// Setters for fields of an options struct, which other crates cannot build otherwise.
macro_rules! setters {
    ($type:ident { $($field:ident: $kind:ty),+ $(,)? }) => {
        impl $type {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $kind) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}

/// How a type that wraps one `String` is shown, compares with text, and is looked up by it.
macro_rules! text_traits {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }
    };
}

/// Writes a word of a closed set as its `as_str` has it, and reads it.
macro_rules! word_traits {
    ($type:ident: $all:expr) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        /// The error is [`InvalidInput`](crate::ErrorKind::InvalidInput), and has the words that there are.
        impl std::str::FromStr for $type {
            type Err = crate::Error;

            fn from_str(word: &str) -> crate::Result<Self> {
                let all: &[Self] = $all;
                let found = all.iter().copied().find(|one| one.as_str() == word);
                found.ok_or_else(|| {
                    let words: Vec<&str> = all.iter().map(|one| one.as_str()).collect();
                    let message = format!("expected one of {}", words.join(", "));
                    let kind = crate::ErrorKind::InvalidInput;
                    crate::Error::new(kind, crate::Operation::Validate, message).with_target(word)
                })
            }
        }
    };
}

/// The hidden lines of an example: `main`, which the example closes, with a `sandbox` and a `provider` that is connected
/// to it. With `member`, `ann` is a member, if the documents have members and roles.
macro_rules! example {
    (confluent) => {
        concat!(
            example!(main),
            "# let key = &sandbox.credentials().confluent;\n",
            "# let builder = org_invitations::Confluent::builder();\n",
            example!(provider),
        )
    };
    (clickhouse) => {
        concat!(
            example!(main),
            "# let key = &sandbox.credentials().clickhouse;\n",
            "# let builder = org_invitations::ClickHouse::builder(&key.organization_id);\n",
            example!(provider),
        )
    };
    (member) => {
        concat!(
            example!(clickhouse),
            "\n# use org_invitations::{InvitationProvider, MemberProvider, MemberProviderExt};\n",
            "# use org_invitations::{NewInvitation, RoleGrant};\n",
            "# let capabilities = provider.capabilities();\n",
            "# if !capabilities.members || !capabilities.list_roles { return Ok(()); }\n",
            "# provider.create(NewInvitation::new(\"ann@example.com\").roles([\"Developer\"])).await?;\n",
            "# sandbox.accept(org_invitations_sandbox::Provider::ClickHouse, \"ann@example.com\")?;\n",
            "# let ann = provider.find_member(\"ann@example.com\").await?.ok_or(\"no member\")?;",
        )
    };
    (main) => {
        "# #[tokio::main(flavor = \"current_thread\")]\n\
         # async fn main() -> Result<(), Box<dyn std::error::Error>> {\n\
         # let sandbox = org_invitations_sandbox::Sandbox::start().await?;\n"
    };
    (provider) => {
        "# let builder = builder.api_key(&key.api_key, key.api_secret.as_str());\n\
         # let provider = builder.base_url(sandbox.url()).build()?;"
    };
}
