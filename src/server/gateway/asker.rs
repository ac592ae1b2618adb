//! Who asks MLflow, as far as the request says.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refusal::Refusal;

/// No user has a longer name; a decision keeps it.
const LONGEST: usize = 256;

/// The name in the header that a proxy before the gateway sets, or else the user of basic
/// authentication; none where nobody is named. MLflow checks the latter; what no MLflow checks is a
/// claim.
///
/// # Errors
/// What names somebody and cannot be read without doubt: MLflow would read a name where this reads
/// none, as Python decodes base64 with anything in it.
pub(super) fn asker(
    headers: &HeaderMap,
    user_header: Option<&HeaderName>,
) -> Result<Option<String>, Refusal> {
    let (header, name) = match user_header {
        Some(header) => (header, headers.get(header).map(in_plain)),
        None => (&AUTHORIZATION, headers.get(AUTHORIZATION).and_then(in_credentials)),
    };
    match name {
        None => Ok(None),
        Some(Some(name)) if is_name(&name) => Ok(Some(name)),
        Some(_) => Err(Refusal::malformed(format!(
            "the header `{header}` cannot be read without doubt; send a name in it as the standard of HTTP has it"
        ))),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control)
}

/// The name that a header consists of; none when it is no plain text.
fn in_plain(value: &HeaderValue) -> Option<String> {
    value.to_str().ok().map(|name| name.trim().to_owned())
}

/// The user of basic authentication, none when it is another one; none for the user when that cannot
/// be read.
fn in_credentials(value: &HeaderValue) -> Option<Option<String>> {
    let Ok(text) = value.to_str() else { return Some(None) };
    let text = text.trim();
    let (scheme, encoded) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case("basic").then(|| {
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        decoded.split_once(':').map(|(user, _)| user.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: HeaderName = HeaderName::from_static("x-user");

    fn named(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))])
    }

    #[test]
    fn is_the_user_of_basic_authentication() {
        let user = |value| asker(&named(value), None).unwrap();
        // `ann:s3:cret`
        assert_eq!(user("Basic YW5uOnMzOmNyZXQ=").as_deref(), Some("ann"));
        assert_eq!(user("basic  YW5uOnMzOmNyZXQ=").as_deref(), Some("ann"));
        for value in ["Bearer YW5uOnMzOmNyZXQ=", "Bearer", "BasicYW5uOnMzOmNyZXQ=", ""] {
            assert_eq!(user(value), None, "{value}");
        }
        assert_eq!(asker(&HeaderMap::new(), None), Ok(None));
    }

    #[test]
    fn is_nobody_by_what_others_could_read_as_a_name() {
        for value in [
            "Basic",
            "Basic !",
            "Basic OnMzOmNyZXQ=",
            // `eve:pw` to Python: bits after the last letter, characters of no base64, no end.
            "Basic ZXZlOnB3MR==",
            "Basic ZX!ZlOnB3",
            "basic\tZXZl Onb3",
            "Basic ZXZlOnB3MQ",
            "Basic ZXZl",
        ] {
            assert!(asker(&named(value), None).is_err(), "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(b"Basic\xa0ZXZlOnB3").unwrap());
        assert!(asker(&headers, None).is_err());
    }

    #[test]
    fn is_what_the_configured_header_says_and_nothing_else() {
        let mut headers = named("Basic YW5uOnMzOmNyZXQ=");
        assert_eq!(asker(&headers, Some(&HEADER)), Ok(None));
        headers.append(HEADER, HeaderValue::from_static("bob"));
        assert_eq!(asker(&headers, Some(&HEADER)), Ok(Some("bob".to_owned())));
        for unread in ["", " ", "b\u{f6}b"] {
            headers.insert(HEADER, HeaderValue::from_bytes(unread.as_bytes()).unwrap());
            assert!(asker(&headers, Some(&HEADER)).is_err(), "{unread}");
        }
    }
}
