use super::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ubGVlIn0.c2lnbmF0dXJlLW9mLWl0";

fn redact(secret: &str, text: &str) -> String {
    let redactor = Redactor::default();
    redactor.register_secret(secret);
    redactor.redact(text).into_owned()
}

#[test]
fn a_secret_is_redacted_in_every_encoding() {
    let secret = "p+q/r=s t\"u&v";
    for encoded in [
        "p+q/r=s t\"u&v",
        "p%2Bq%2fr%3Ds+t%22u%26v",
        "p%2bq/r=s%20t%22u&v",
        "p+q\\/r\\u003ds t\\\"u\\u0026v",
        "p&#43;q&#x2F;r&#61;s t&#34;u&#38;v",
        "p&plus;q&sol;r&equals;s t&quot;u&amp;v",
        "p&#043;q&#x002f;r&EQUALS;s t&QUOT;u&amp;v",
        // One encoding applied several times.
        "p%252Bq%252fr%253Ds%2520t%2522u%2526v",
        "p%25252Bq%25252Fr%25253Ds%252520t%252522u%252526v",
        "p\\\\u002bq\\\\/r=s t\\\\\\\"u&v",
        "p&amp;#43;q&amp;sol;r&amp;equals;s t&amp;quot;u&amp;amp;v",
        // One encoding inside another.
        "p%26%2343%3Bq%26sol%3Br=s+t%26quot%3Bu%26amp%3Bv",
        "p%5Cu002bq%5C/r=s%20t%5C%22u&v",
        "p&bsol;u002bq/r=s t&#92;&quot;u&v",
        "p\\x2bq\\x2fr=s t\"u&v",
        // Broken into lines.
        "p+q/r\r\n =s t\"u\n&v",
        "p+q/r\\r\\n=s t\\\"u\\n&v",
    ] {
        let text = format!("<b>{encoded}</b> is wrong");
        assert_eq!(redact(secret, &text), "<b>[REDACTED]</b> is wrong");
    }
}

#[test]
fn a_jwt_is_redacted_whole_in_parts_and_truncated() {
    let parts: Vec<_> = JWT.split('.').collect();
    assert_eq!(redact(JWT, &format!("a {JWT} b")), "a [REDACTED] b");
    for part in &parts {
        assert_eq!(redact(JWT, &format!("{{\"{part}\"}}")), "{\"[REDACTED]\"}");
    }
    let cut = format!("{}...", &JWT[..30]);
    assert_eq!(redact(JWT, &cut), "[REDACTED]...");
}

#[test]
fn a_secret_is_redacted_in_base64_wherever_it_begins() {
    let secret = "correct?horse>battery~staple";
    for before in ["", "k", "ke", "key", "key:", "{\"secret\":\""] {
        for after in ["", "\"", "\"}", " and more"] {
            let text = BASE64_STANDARD.encode(format!("{before}{secret}{after}"));
            for text in [
                text.clone(),
                text.replace('+', "-").replace('/', "_"),
                text.replace('+', "%2B").replace('/', "%2F"),
                text.replace('/', "\\/"),
                format!("{}\r\n{}", &text[..20], &text[20..]),
            ] {
                let clean = redact(secret, &text);
                let (begin, end) = clean.split_once("[REDACTED]").expect(&clean);
                let rest = format!("{begin}{end}");
                // The characters that the secret shares with its neighbours remain.
                assert!(
                    rest.len() <= 4 * (before.len() + after.len()).div_ceil(3) + 8,
                    "{clean}"
                );
            }
        }
    }
}

#[test]
fn base64_of_base64_is_redacted() {
    let secret = "correct?horse>battery~staple";
    for before in ["", "k", "ke", "key:"] {
        for outer in ["", "Basic ", "{\"a\":\""] {
            let once = BASE64_STANDARD.encode(format!("{before}{secret}"));
            let twice = BASE64_STANDARD.encode(format!("{outer}{once}"));
            for text in [twice.clone(), twice.replace('+', "-").replace('/', "_")] {
                let clean = redact(secret, &text);
                let (begin, end) = clean.split_once("[REDACTED]").expect(&clean);
                let most = 2 * (outer.len() + before.len()) + 12;
                assert!(begin.len() + end.len() <= most, "{text} {clean}");
            }
        }
    }
}

#[test]
fn a_secret_that_looks_encoded_is_redacted() {
    for secret in [
        "a%25b&amp;c\\\\d%2541",
        "100%%41percent",
        "\\u0041\\\\u0041",
    ] {
        assert_eq!(redact(secret, &format!("<{secret}>")), "<[REDACTED]>");
    }
}

#[test]
fn text_without_secrets_is_unchanged() {
    let text = "the token of ann, 50 % é \\u00 &#; &#x; + p";
    assert_eq!(redact(JWT, text), text);
    assert_eq!(redact("", text), text);
}

#[test]
fn the_latest_secrets_are_redacted() {
    let redactor = Redactor::default();
    for number in 10..30 {
        redactor.register_secret(&format!("secret-{number}"));
        redactor.register_secret("the-same");
    }
    assert_eq!(
        redactor.redact("secret-29 the-same"),
        "[REDACTED] [REDACTED]"
    );
    assert_eq!(redactor.redact("secret-10"), "secret-10");
}
