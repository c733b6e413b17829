//! Password authentication of connections.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use datafusion_postgres::pgwire::{
    api::{
        ConnectionManager,
        auth::{
            AuthSource, DefaultServerParameterProvider, LoginInfo, Password,
            sasl::{
                SASLAuthStartupHandler,
                scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password},
            },
        },
    },
    error::PgWireResult,
};
use uuid::Uuid;

/// One password for everybody. Only its salted hash is kept.
#[derive(Clone)]
pub(super) struct PasswordAuth {
    salt: Vec<u8>,
    /// `None` for an empty password, which is never accepted.
    salted: Option<Vec<u8>>,
}

impl PasswordAuth {
    pub fn new(password: &str) -> Self {
        let salt = Uuid::new_v4().as_bytes().to_vec();
        let salted =
            (!password.is_empty()).then(|| gen_salted_password(password, &salt, SCRAM_ITERATIONS));
        Self { salt, salted }
    }

    pub fn is_empty(&self) -> bool {
        self.salted.is_none()
    }

    /// Returns the startup handler of a connection.
    pub fn handler(
        self,
        connections: Arc<ConnectionManager>,
    ) -> SASLAuthStartupHandler<DefaultServerParameterProvider> {
        let mut scram = ScramAuth::new(Arc::new(self));
        scram.set_iterations(SCRAM_ITERATIONS);
        SASLAuthStartupHandler::new(Arc::new(DefaultServerParameterProvider::default()))
            .with_scram(scram)
            .with_connection_manager(connections)
    }
}

#[async_trait]
impl AuthSource for PasswordAuth {
    async fn get_password(&self, _: &LoginInfo) -> PgWireResult<Password> {
        // The builder refuses an empty password. A random hash accepts no password.
        let salted = self.salted.clone();
        let salted = salted.unwrap_or_else(|| Uuid::new_v4().as_bytes().to_vec());
        Ok(Password::new(Some(self.salt.clone()), salted))
    }
}

impl fmt::Debug for PasswordAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
