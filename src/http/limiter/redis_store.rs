//! A limiter's state in Redis, changed by comparing and setting.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;

use super::shared::BoxError;

/// How long a change may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Nothing of the state matters for longer than a day, the longest window.
const EXPIRY_SECONDS: u64 = 2 * 86_400;

/// The time of the server, and the state.
const READ: &str =
    "local t = redis.call('TIME') return {t[1], t[2], redis.call('GET', KEYS[1]) or ''}";

/// Replaces the state if it is what it was when it was read.
const REPLACE: &str = "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end \
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1";

pub(super) struct RedisStore {
    client: redis::Client,
    key: String,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl RedisStore {
    /// `None` if the URL is invalid; the error may quote it, and it may hold a password.
    pub fn new(url: &str, key: String) -> Option<Self> {
        Some(Self {
            client: redis::Client::open(url).ok()?,
            key,
            connection: Mutex::default(),
        })
    }

    pub fn location(&self) -> String {
        let address = self.client.get_connection_info().addr().to_string();
        format!("redis {address} {}", self.key)
    }

    /// Replaces the value by what `apply` makes of it and of the server's time.
    pub async fn update<T>(
        &self,
        apply: impl Fn(&[u8], u64) -> (T, Vec<u8>),
    ) -> Result<T, BoxError> {
        let updated = tokio::time::timeout(TIMEOUT, self.compare_and_set(apply)).await;
        let updated = updated
            .map_err(BoxError::from)
            .and_then(|updated| updated.map_err(Into::into));
        if updated.is_err() {
            // The next change connects anew.
            self.connection.lock().await.take();
        }
        updated
    }

    async fn compare_and_set<T>(
        &self,
        apply: impl Fn(&[u8], u64) -> (T, Vec<u8>),
    ) -> redis::RedisResult<T> {
        let mut connection = self.connected().await?;
        loop {
            let mut read = redis::cmd("EVAL");
            read.arg(READ).arg(1).arg(&self.key);
            let (seconds, micros, stored): (u64, u64, Vec<u8>) =
                read.query_async(&mut connection).await?;
            let (result, new) = apply(&stored, seconds * 1_000_000 + micros);
            let mut replace = redis::cmd("EVAL");
            replace.arg(REPLACE).arg(1).arg(&self.key);
            replace.arg(&stored).arg(&new).arg(EXPIRY_SECONDS);
            let is_replaced: bool = replace.query_async(&mut connection).await?;
            if is_replaced {
                return Ok(result);
            }
        }
    }

    async fn connected(&self) -> redis::RedisResult<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let new = self.client.get_multiplexed_async_connection().await?;
        Ok(connection.insert(new).clone())
    }
}
