//! Services that repeat in their answers all that they were sent, as debugging ones do. No secret of it
//! gets into an error, a `Debug` or a trace.

use std::sync::{Arc, Mutex};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::join_all;
use org_invitations::{
    Confluent, ConfluentBuilder, Error, InvitationProvider, NewInvitation, StsCredentials,
    SubjectToken,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    capture::Capture,
    support::{has_sts, impatient, list, shown},
};

/// In every secret.
const MARK: &str = "canary-51d0";
const API_SECRET: &str = "canary-51d0/api+secret=";
const SUBJECT: &str =
    "canary-51d0-subject-head.canary-51d0-subject-claims.canary-51d0-subject-sign";
const ACCESS: &str = "canary-51d0-access-head.canary-51d0-access-claims.canary-51d0-access-sign";

/// Who repeats; the others do as they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    #[cfg(feature = "client-credentials")]
    IdentityProvider,
    TokenService,
    Api,
}

/// How what was sent is written in the answer.
#[derive(Clone, Copy, Debug)]
enum Form {
    Plain,
    Html,
    Failures,
    OAuth,
    Message,
    EscapedJson,
    OddSuccess,
    Headers,
}

const FORMS: [Form; 8] = [
    Form::Plain,
    Form::Html,
    Form::Failures,
    Form::OAuth,
    Form::Message,
    Form::EscapedJson,
    Form::OddSuccess,
    Form::Headers,
];

#[derive(Clone, Copy, Debug)]
struct Echo {
    role: Role,
    form: Form,
    status: u16,
}

/// All three services at one address.
struct Services {
    url: String,
    echo: Arc<Mutex<Option<Echo>>>,
}

impl Services {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let echo = Arc::<Mutex<Option<Echo>>>::default();
        let recorded = Arc::clone(&echo);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Some(echo) = *recorded.lock().unwrap() {
                    tokio::spawn(serve(stream, echo));
                }
            }
        });
        Self { url, echo }
    }

    fn set(&self, echo: Echo) {
        *self.echo.lock().unwrap() = Some(echo);
    }
}

async fn serve(mut stream: TcpStream, echo: Echo) {
    let request = read(&mut stream).await;
    let role = match request.split_whitespace().nth(1).unwrap_or_default() {
        #[cfg(feature = "client-credentials")]
        path if path.starts_with("/token") => Role::IdentityProvider,
        path if path.starts_with("/sts/") => Role::TokenService,
        _ => Role::Api,
    };
    let (status, headers, body) = if role == echo.role {
        repeat(&request, echo)
    } else {
        let token = if role == Role::TokenService {
            ACCESS
        } else {
            SUBJECT
        };
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 900 });
        (200, String::new(), body.to_string())
    };
    let answer = format!(
        "HTTP/1.1 {status} Repeated\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    // Whoever asked may be gone.
    stream.write_all(answer.as_bytes()).await.ok();
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                break;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What was sent: the header, what it encodes, and the body as it is and decoded.
fn sent(request: &str) -> String {
    let mut all = Vec::new();
    let header = request
        .lines()
        .find(|line| line.to_lowercase().starts_with("authorization"));
    if let Some((_, credential)) = header.and_then(|header| header.rsplit_once(' ')) {
        all.push(credential.to_owned());
        let pair = BASE64_STANDARD.decode(credential).unwrap_or_default();
        all.push(String::from_utf8_lossy(&pair).into_owned());
    }
    let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
    all.push(body.to_owned());
    let fields = url::form_urlencoded::parse(body.as_bytes());
    all.extend(fields.map(|(_, value)| value.into_owned()));
    all.join(" ")
}

fn repeat(request: &str, echo: Echo) -> (u16, String, String) {
    let sent = sent(request);
    let one = |body: Value| {
        (
            "content-type: application/json\r\n".to_owned(),
            body.to_string(),
        )
    };
    let (headers, body) = match echo.form {
        Form::Plain => (String::new(), sent),
        Form::Html => {
            let escaped = sent.replace('/', "&#x2F;").replace('+', "&#43;");
            let headers = "content-type: text/html\r\n".to_owned();
            (headers, format!("<pre>{escaped}</pre>"))
        }
        Form::Failures => one(json!({ "errors": [{
            "id": sent, "code": sent, "title": sent, "detail": sent, "source": { "pointer": sent },
        }] })),
        Form::OAuth => one(json!({ "error": sent, "error_description": sent })),
        Form::Message => one(json!({ "message": sent })),
        Form::EscapedJson => {
            let (headers, body) = one(json!({ "errors": [{ "detail": sent }], "error": sent }));
            (headers, body.replace('/', "\\/").replace('-', "\\u002D"))
        }
        Form::OddSuccess => one(json!({ "access_token": [sent], "data": sent, "email": [sent] })),
        Form::Headers => {
            let sent = sent.replace(' ', ",");
            let headers = format!(
                "www-authenticate: Bearer error=\"{sent}\"\r\nlocation: /signin?{sent}\r\n\
                 content-type: {sent}\r\n"
            );
            (headers, String::new())
        }
    };
    (echo.status, headers, body)
}

fn sts(subject_token: SubjectToken) -> ConfluentBuilder {
    Confluent::builder().sts(StsCredentials::new("pool-1", subject_token))
}

fn build(services: &Services, builder: ConfluentBuilder) -> Confluent {
    let retry = impatient().max_attempts(2);
    let builder = builder.base_url(services.url.as_str());
    builder.retry(retry).build().unwrap()
}

fn fixed() -> SubjectToken {
    SubjectToken::Fixed(SUBJECT.into())
}

/// A provider for every way in which an API is authenticated to.
fn at_api(services: &Services) -> Vec<Confluent> {
    let mut builders = vec![
        Confluent::builder().api_key("KEY1", API_SECRET),
        Confluent::builder().access_token(ACCESS),
    ];
    builders.extend(has_sts().then(|| sts(fixed())));
    let builders = builders.into_iter();
    builders.map(|builder| build(services, builder)).collect()
}

/// And for every way to a token; new ones each time, because a failure is remembered.
fn at_tokens(services: &Services) -> Vec<(Role, Confluent)> {
    if !has_sts() {
        return Vec::new();
    }
    vec![
        (Role::TokenService, build(services, sts(fixed()))),
        #[cfg(feature = "client-credentials")]
        (Role::IdentityProvider, {
            let url = format!("{}/token", services.url);
            let client = org_invitations::ClientCredentials::new(url, "client-1", API_SECRET);
            build(services, sts(SubjectToken::ClientCredentials(client)))
        }),
    ]
}

async fn failures(provider: &Confluent) -> Vec<Error> {
    let id = "i-1".parse().unwrap();
    let new = NewInvitation::new("ann@example.com");
    let mut errors = Vec::new();
    errors.extend(list(provider).await.err());
    errors.extend(provider.get(&id).await.err());
    errors.extend(provider.create(new).await.err());
    errors.extend(provider.delete(&id).await.err());
    errors
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for encoded in ["KEY1", "client-1"].map(|id| BASE64_STANDARD.encode(format!("{id}:{MARK}"))) {
        // Without its end, which what follows changes.
        let telling = &encoded[..encoded.len() - 4];
        assert!(!text.contains(telling), "{what} shows a credential: {text}");
    }
    assert!(!text.contains(MARK), "{what} shows a secret: {text}");
}

/// How many errors there were, and how many of them show that something was taken out.
async fn counts(form: Form) -> (usize, usize) {
    let (mut failed, mut redacted) = (0, 0);
    let services = Services::start().await;
    let at_api = at_api(&services);
    // The last one makes providers wait.
    for status in [200, 302, 400, 401, 500, 429] {
        let at_api = at_api.iter().map(|provider| (Role::Api, provider.clone()));
        for (role, provider) in at_tokens(&services).into_iter().chain(at_api) {
            let echo = Echo { role, form, status };
            services.set(echo);
            for error in failures(&provider).await {
                let shown = shown(&error);
                assert_clean(&format!("{echo:?}: an error"), &shown);
                failed += 1;
                redacted += usize::from(shown.contains("[REDACTED]"));
            }
            assert_clean("Debug", &format!("{provider:#?}"));
        }
    }
    (failed, redacted)
}

#[tokio::test]
async fn no_secret_that_a_service_repeats_gets_out() {
    let capture = Capture::start();
    let (mut failed, mut redacted, mut traced) = (0, 0, 0);
    for counted in join_all(FORMS.map(counts)).await {
        failed += counted.0;
        redacted += counted.1;
    }
    for record in capture.all() {
        assert_clean("a trace", &format!("{record:?}"));
        traced += 1;
    }
    let seen = (failed, redacted, traced);
    let (least_failed, least_redacted) = if has_sts() { (500, 250) } else { (300, 150) };
    assert!(
        failed > least_failed && redacted > least_redacted && traced > 1_000,
        "{seen:?}"
    );
}
