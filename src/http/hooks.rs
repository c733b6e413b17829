//! The hooks that connect a generated client with its [`Transport`](crate::http::Transport).

use std::sync::Arc;

use reqwest::{Request, Response};

pub use super::response::undecodable;
pub use crate::http::Transport;
use crate::http::{CallState, HttpClient, OperationSpec};

/// Completes and checks a generated request; see `Transport::prepare`.
///
/// # Errors
///
/// A value leads out of the operation's path, or the document lacks a part of the request.
pub fn prepare(
    transport: &Transport,
    request: &mut Request,
    operation: &str,
    operations: &[OperationSpec],
) -> Result<(), String> {
    transport.prepare(request, operation, operations)
}

/// Sends a request, with retries, and returns its complete response; see `Transport::execute`.
pub fn execute(
    transport: &Transport,
    request: Request,
    operation: &'static str,
) -> impl Future<Output = reqwest::Result<Response>> + Send {
    transport.execute(request, operation)
}

/// Whether replies are stored in a call.
pub fn keeps_replies(transport: &Transport) -> bool {
    transport.keeps_replies()
}

/// The parts of a generated client: base URL, HTTP client and transport.
pub fn connect(client: Arc<HttpClient>) -> (String, reqwest::Client, Transport) {
    let base = client.endpoint.as_base().to_owned();
    let http = client.reqwest_client().clone();
    (base, http, Transport::new(client))
}

/// The same transport, for requests that are part of `call`.
pub fn within(transport: &Transport, call: &Arc<CallState>) -> Transport {
    transport.within(call)
}

/// Implements the hooks of a generated client whose `Inner` is [`Transport`](crate::http::Transport), in the module
/// that has the client and its `OPERATIONS`, the [`OperationSpec`](crate::http::OperationSpec) of each.
///
/// `$hooks` is the path of a module with the functions of this one, whose `connect` takes a `$connection`, and whose
/// `within` takes a `&$call`. Exported for `kit::bindings`.
#[cfg_attr(feature = "provider-kit", macro_export)]
#[doc(hidden)]
macro_rules! client_hooks {
    ($client:ident, [$($hooks:tt)+], $connection:ty, $call:ty) => {
        impl ::progenitor_client::ClientHooks<$($hooks)+::Transport> for $client {
            async fn pre<E>(
                &self,
                request: &mut ::reqwest::Request,
                info: &::progenitor_client::OperationInfo,
            ) -> ::std::result::Result<(), ::progenitor_client::Error<E>> {
                $($hooks)+::prepare(&self.inner, request, info.operation_id, OPERATIONS)
                    .map_err(::progenitor_client::Error::InvalidRequest)
            }

            fn exec(
                &self,
                request: ::reqwest::Request,
                info: &::progenitor_client::OperationInfo,
            ) -> impl ::std::future::Future<Output = ::reqwest::Result<::reqwest::Response>> {
                $($hooks)+::execute(&self.inner, request, info.operation_id)
            }

            /// A response that the generated code could not decode keeps its status and headers. Within a call, which
            /// has the reply, there is nothing left for the generated code to decode.
            async fn post<E>(
                &self,
                result: &::reqwest::Result<::reqwest::Response>,
                _: &::progenitor_client::OperationInfo,
            ) -> ::std::result::Result<(), ::progenitor_client::Error<E>> {
                if result.is_ok() && $($hooks)+::keeps_replies(&self.inner) {
                    return Err(::progenitor_client::Error::Custom(
                        ::std::string::String::new(),
                    ));
                }
                match $($hooks)+::undecodable(result) {
                    Some(response) => Err(::progenitor_client::Error::UnexpectedResponse(response)),
                    None => Ok(()),
                }
            }
        }

        impl $client {
            /// The client of this service, over the transport of a connection.
            #[allow(dead_code)] // Not every client has a provider.
            pub(crate) fn over(connection: $connection) -> Self {
                let (base, http, transport) = $($hooks)+::connect(connection);
                Self::new_with_client(&base, http, transport)
            }

            /// The same client, for requests that are part of `call`, which gets the replies: a request ends with
            /// [`Custom`](::progenitor_client::Error::Custom) then, and its reply is yet to be decoded.
            #[allow(dead_code)]
            pub(crate) fn within(&self, call: &$call) -> Self {
                Self {
                    baseurl: self.baseurl.clone(),
                    client: self.client.clone(),
                    inner: $($hooks)+::within(&self.inner, call),
                }
            }
        }
    };
    // A client inside of this crate.
    ($client:ident) => {
        $crate::http::client_hooks!(
            $client,
            [$crate::http::hooks],
            ::std::sync::Arc<$crate::http::HttpClient>,
            ::std::sync::Arc<$crate::http::CallState>
        );
    };
}
pub(crate) use client_hooks;
