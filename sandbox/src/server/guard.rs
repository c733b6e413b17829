//! Which requests to `/_sandbox/` are answered: a web page elsewhere must not drive a sandbox on this machine.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::AppState;
use super::admin::AdminError;

/// Headers of every answer under `/_sandbox/`: nothing from outside is loaded, and no other page embeds or reads it.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Answers 403 to a request that a page of another origin makes, or that names a host which anyone could point here.
pub(super) async fn check(
    State(app): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    let authority = request.uri().authority().map(ToString::to_string);
    let host = authority.or_else(|| text(request.headers(), &header::HOST).map(str::to_owned));
    let refused = refusal(
        request.method(),
        request.headers(),
        host.as_deref(),
        &app.allowed_hosts,
    );
    let mut response = match refused {
        Some(message) => AdminError(StatusCode::FORBIDDEN, message).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is refused; `None` if it is not.
fn refusal(
    method: &Method,
    headers: &HeaderMap,
    host: Option<&str>,
    allowed: &[String],
) -> Option<String> {
    // A browser always sends the host; a client without one is none.
    let name = host.map(host_name);
    if let Some(name) = name.filter(|name| !is_local_name(name) && !is_listed(name, allowed)) {
        return Some(format!(
            "the host {name:?} is neither an address nor a local name: use the address of the sandbox, or start it \
             with this host allowed"
        ));
    }
    if let Some(origin) = text(headers, &header::ORIGIN) {
        let of_origin = origin.split_once("://").map(|(_, authority)| authority);
        if of_origin.is_none() || of_origin != host {
            return Some(format!(
                "the request comes from a page of another origin, {origin:?}"
            ));
        }
    }
    // Following a link to the page is the one request from elsewhere that is of use.
    let is_link = method == Method::GET && text(headers, &SEC_FETCH_MODE) == Some("navigate");
    match text(headers, &SEC_FETCH_SITE) {
        Some("cross-site" | "same-site") if !is_link => {
            Some("the request comes from a page of another origin".to_owned())
        }
        _ => None,
    }
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // What cannot be read is compared all the same, and equals nothing.
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("(not text)"))
}

/// The host without its port.
fn host_name(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// Whether no page of the internet can have this host: an address, `localhost`, or a name without a dot, as those of
/// machines in one network are.
fn is_local_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok() || name.ends_with(".localhost") || !name.contains('.')
}

fn is_listed(name: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|it| it.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal_of(host: &str, headers: &[(&str, &'static str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            map.insert(name, HeaderValue::from_static(value));
        }
        let allowed = ["sandbox.corp.example".to_owned()];
        refusal(&Method::GET, &map, Some(host), &allowed)
    }

    #[test]
    fn a_name_that_anyone_could_point_here_is_refused() {
        for host in [
            "127.0.0.1:8787",
            "[::1]:8787",
            "192.0.2.7",
            "localhost:8787",
            "LOCALHOST",
            "my.localhost:1",
            "buildbox:8787",
            "Sandbox.corp.example:8787",
        ] {
            assert_eq!(refusal_of(host, &[]), None, "{host}");
        }
        for host in [
            "attacker.example:8787",
            "127.0.0.1.attacker.example",
            "localhost.attacker.example",
            "other.corp.example",
        ] {
            assert!(refusal_of(host, &[]).is_some(), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let host = "127.0.0.1:8787";
        for headers in [
            &[("origin", "http://127.0.0.1:8787")][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
        ] {
            assert_eq!(refusal_of(host, headers), None, "{headers:?}");
        }
        for headers in [
            &[("origin", "http://127.0.0.1:3000")][..],
            &[("origin", "http://localhost:8787")],
            &[("origin", "https://attacker.example")],
            &[("origin", "null")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors"),
            ],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert!(refusal_of(host, headers).is_some(), "{headers:?}");
        }
    }
}
