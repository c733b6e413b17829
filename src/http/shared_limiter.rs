//! The limiters of a process: clients with one credential at one origin share the allowance that the server has for it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
    time::Duration,
};

#[cfg(feature = "shared-limits")]
use crate::http::SharedRateLimit;
use crate::http::{
    Authorization, ClientOptions, Endpoint, Rate, client::Service, limiter::Limiter,
};

/// What clients have in common that share a limiter. Clients with other limits of the caller's do not.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    origin: String,
    /// A hash of the credential, with a key of this process.
    credential: u64,
    published: Option<Rate>,
    fixed: Vec<Rate>,
    max_concurrency: usize,
    max_block: Duration,
    /// What names the state that other processes share.
    shared: Option<String>,
}

/// The limiters in use, by what their clients have in common.
pub(super) struct SharedLimiters {
    limiters: Mutex<HashMap<Key, Weak<Limiter>>>,
    hasher: RandomState,
}

static LIMITERS: LazyLock<SharedLimiters> = LazyLock::new(|| SharedLimiters {
    limiters: Mutex::default(),
    hasher: RandomState::new(),
});

impl SharedLimiters {
    /// The limiter of a client. A client whose credential changes has one of its own.
    pub fn get(
        service: &Service,
        endpoint: &Endpoint,
        authorization: &Authorization,
        options: &ClientOptions,
    ) -> Arc<Limiter> {
        let new = || {
            let limiter = Limiter::new(
                service.published_rate,
                &options.rates,
                options.max_concurrency,
                options.retry.max_delay,
            );
            #[cfg(feature = "shared-limits")]
            let limiter = limiter.shared_by(options.shared_rate_limit.clone());
            Arc::new(limiter)
        };
        let Authorization::Fixed(header, ..) = authorization else {
            return new();
        };
        let key = Key {
            origin: endpoint.origin(),
            credential: LIMITERS.hasher.hash_one(header.as_bytes()),
            published: service.published_rate,
            fixed: options.rates.clone(),
            max_concurrency: options.max_concurrency,
            max_block: options.retry.max_delay,
            #[cfg(feature = "shared-limits")]
            shared: options
                .shared_rate_limit
                .as_ref()
                .map(SharedRateLimit::location),
            #[cfg(not(feature = "shared-limits"))]
            shared: None,
        };
        let limiters = LIMITERS.limiters.lock();
        let mut limiters = limiters.unwrap_or_else(PoisonError::into_inner);
        if let Some(limiter) = limiters.get(&key).and_then(Weak::upgrade) {
            return limiter;
        }
        // Those that nobody has any more make room.
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        let limiter = new();
        limiters.insert(key, Arc::downgrade(&limiter));
        limiter
    }
}
