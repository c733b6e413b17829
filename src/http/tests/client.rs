//! A client with the parts and the sequence of what progenitor generates.

use progenitor_client::{ClientHooks, OperationInfo, encode_path};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) use progenitor_client::{ClientInfo, Error, ResponseValue};

use crate::http::{OperationSpec, Transport, client_hooks};

const OPERATIONS: &[OperationSpec] = &[
    operation("create_thing", "POST", "/things"),
    operation("get_thing", "GET", "/things/{id}"),
    operation("replace_thing", "PUT", "/things/{id}"),
    operation("delete_thing", "DELETE", "/things/{id}"),
    OperationSpec {
        is_raw: true,
        ..operation("export_things", "GET", "/export")
    },
    operation("import_things", "POST", "/import"),
];

const fn operation(name: &'static str, method: &'static str, path: &'static str) -> OperationSpec {
    OperationSpec {
        name,
        method,
        path,
        offered: true,
        summary: "",
        is_raw: false,
        queries: &[],
        absent_queries: &[],
        absent_properties: &["secret"],
    }
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(crate) baseurl: String,
    pub(crate) client: reqwest::Client,
    pub(crate) inner: Transport,
}

client_hooks!(Client);

#[derive(Debug, Deserialize)]
pub(super) struct Thing {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    pub message: String,
}

pub(super) type Outcome<T> = Result<ResponseValue<T>, Error<Failure>>;

impl ClientInfo<Transport> for Client {
    fn api_version() -> &'static str {
        "1"
    }

    fn baseurl(&self) -> &str {
        &self.baseurl
    }

    fn client(&self) -> &reqwest::Client {
        &self.client
    }

    fn inner(&self) -> &Transport {
        &self.inner
    }
}

impl Client {
    pub fn new_with_client(baseurl: &str, client: reqwest::Client, inner: Transport) -> Self {
        Self {
            baseurl: baseurl.to_owned(),
            client,
            inner,
        }
    }

    pub async fn get_thing(&self, id: &str) -> Outcome<Thing> {
        let request = self.client.get(self.item(id));
        decode(self.send("get_thing", request).await?).await
    }

    pub async fn create_thing(&self, body: &Value) -> Outcome<Thing> {
        let request = self.client.post(format!("{}/things", self.baseurl));
        decode(self.send("create_thing", request.json(body)).await?).await
    }

    pub async fn replace_thing(&self, id: &str, body: &Value) -> Outcome<Thing> {
        let request = self.client.put(self.item(id)).json(body);
        decode(self.send("replace_thing", request).await?).await
    }

    /// Documents no body for its success.
    pub async fn delete_thing(&self, id: &str) -> Outcome<()> {
        let request = self.client.delete(self.item(id));
        let response = self.send("delete_thing", request).await?;
        match response.status().as_u16() {
            200..=299 => Ok(ResponseValue::empty(response)),
            _ => Err(failure(response).await),
        }
    }

    /// Documents a success that is no JSON, so the generated code asks for nothing.
    pub async fn export_things(&self) -> Outcome<progenitor_client::ByteStream> {
        let request = self.client.get(format!("{}/export", self.baseurl));
        let response = self.send_asking("export_things", request).await?;
        match response.status().as_u16() {
            200..=299 => Ok(ResponseValue::stream(response)),
            _ => Err(failure(response).await),
        }
    }

    /// Sends a body that cannot be copied.
    pub async fn import_things(&self, body: reqwest::Body) -> Outcome<Thing> {
        let request = self.client.post(format!("{}/import", self.baseurl));
        decode(self.send("import_things", request.body(body)).await?).await
    }

    fn item(&self, id: &str) -> String {
        format!("{}/things/{}", self.baseurl, encode_path(id))
    }

    async fn send(
        &self,
        operation_id: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Error<Failure>> {
        let request = request.header("accept", "application/json");
        self.send_asking(operation_id, request).await
    }

    async fn send_asking(
        &self,
        operation_id: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Error<Failure>> {
        let mut request = request.header("api-version", "1").build()?;
        let info = OperationInfo { operation_id };
        self.pre(&mut request, &info).await?;
        let result = self.exec(request, &info).await;
        self.post(&result, &info).await?;
        Ok(result?)
    }
}

async fn decode<T: DeserializeOwned>(response: reqwest::Response) -> Outcome<T> {
    match response.status().as_u16() {
        200..=299 => ResponseValue::from_response(response).await,
        _ => Err(failure(response).await),
    }
}

/// The documented failures are those from 400 on.
async fn failure(response: reqwest::Response) -> Error<Failure> {
    match response.status().as_u16() {
        400..=599 => match ResponseValue::from_response(response).await {
            Ok(failure) => Error::ErrorResponse(failure),
            Err(error) => error,
        },
        _ => Error::UnexpectedResponse(response),
    }
}
