//! Conversions into the URL types, with this crate's error.

use std::str::FromStr;

#[cfg(feature = "client-credentials")]
use crate::http::TokenUrl;
use crate::{
    error::Error,
    http::{BaseUrl, ProxyUrl},
};

/// Implements the conversions from text. The error is [`ErrorKind::Config`](crate::ErrorKind::Config).
macro_rules! from_text {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Ok(Self::parse(text)?)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = Error;

            fn try_from(text: &String) -> Result<Self, Error> {
                text.parse()
            }
        }
    };
}

from_text!(BaseUrl);
from_text!(ProxyUrl);

#[cfg(feature = "client-credentials")]
from_text!(TokenUrl);
