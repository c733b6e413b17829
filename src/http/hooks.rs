//! The hooks that connect a generated client with its [`Transport`](crate::http::Transport).

pub(crate) use super::response::undecodable;

/// Implements the hooks of a generated client whose `Inner` is [`Transport`](crate::http::Transport), in the module
/// that has the client and its `OPERATIONS`, the [`OperationSpec`](crate::http::OperationSpec) of each.
macro_rules! client_hooks {
    ($client:ident) => {
        impl ::progenitor_client::ClientHooks<$crate::http::Transport> for $client {
            async fn pre<E>(
                &self,
                request: &mut ::reqwest::Request,
                info: &::progenitor_client::OperationInfo,
            ) -> ::std::result::Result<(), ::progenitor_client::Error<E>> {
                self.inner
                    .prepare(request, info.operation_id, OPERATIONS)
                    .map_err(::progenitor_client::Error::InvalidRequest)
            }

            fn exec(
                &self,
                request: ::reqwest::Request,
                info: &::progenitor_client::OperationInfo,
            ) -> impl Future<Output = ::reqwest::Result<::reqwest::Response>> {
                self.inner.execute(request, info.operation_id)
            }

            /// A response that the generated code could not decode keeps its status and headers. Within a call, which
            /// has the reply, there is nothing left for the generated code to decode.
            async fn post<E>(
                &self,
                result: &::reqwest::Result<::reqwest::Response>,
                _: &::progenitor_client::OperationInfo,
            ) -> ::std::result::Result<(), ::progenitor_client::Error<E>> {
                if result.is_ok() && self.inner.keeps_replies() {
                    return Err(::progenitor_client::Error::Custom(
                        ::std::string::String::new(),
                    ));
                }
                match $crate::http::undecodable(result) {
                    Some(response) => Err(::progenitor_client::Error::UnexpectedResponse(response)),
                    None => Ok(()),
                }
            }
        }

        impl $client {
            /// The client of this service, over the transport of `client`.
            #[allow(dead_code)] // Not every client has a provider.
            pub(crate) fn over(client: ::std::sync::Arc<$crate::http::HttpClient>) -> Self {
                let base = client.endpoint.as_base().to_owned();
                let http = client.reqwest_client().clone();
                Self::new_with_client(&base, http, $crate::http::Transport::new(client))
            }

            /// The same client, for requests that are part of `call`, which gets the replies: a request ends with
            /// [`Custom`](::progenitor_client::Error::Custom) then, and its reply is yet to be decoded.
            #[allow(dead_code)]
            pub(crate) fn within(&self, call: &::std::sync::Arc<$crate::http::CallState>) -> Self {
                Self {
                    baseurl: self.baseurl.clone(),
                    client: self.client.clone(),
                    inner: self.inner.within(call),
                }
            }
        }
    };
}
pub(crate) use client_hooks;
