//! Who asks MLflow, as far as the request says.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// No user has a longer name; a decision keeps it.
const LONGEST: usize = 256;

/// The name in the header that a proxy before the gateway sets, or else the user of basic
/// authentication. MLflow checks the latter; what no MLflow checks is a claim.
pub(super) fn asker(headers: &HeaderMap, user_header: Option<&HeaderName>) -> Option<String> {
    let name = match user_header {
        Some(header) => {
            let mut values = headers.get_all(header).iter();
            let name = values.next()?.to_str().ok()?.trim().to_owned();
            values.next().is_none().then_some(name)?
        }
        None => {
            let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
            let (scheme, encoded) = value.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("basic") {
                return None;
            }
            let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
            decoded.split_once(':')?.0.to_owned()
        }
    };
    let plain = !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control);
    plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const HEADER: HeaderName = HeaderName::from_static("x-user");

    fn named(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))])
    }

    #[test]
    fn is_the_user_of_basic_authentication() {
        // `ann:s3:cret`
        assert_eq!(asker(&named("Basic YW5uOnMzOmNyZXQ="), None).as_deref(), Some("ann"));
        assert_eq!(asker(&named("basic YW5uOnMzOmNyZXQ="), None).as_deref(), Some("ann"));
        for value in ["Bearer YW5uOnMzOmNyZXQ=", "Basic", "Basic !", "Basic OnMzOmNyZXQ=", ""] {
            assert_eq!(asker(&named(value), None), None, "{value}");
        }
    }

    #[test]
    fn is_what_the_configured_header_says_and_nothing_else() {
        let mut headers = named("Basic YW5uOnMzOmNyZXQ=");
        assert_eq!(asker(&headers, Some(&HEADER)), None);
        headers.append(HEADER, HeaderValue::from_static("bob"));
        assert_eq!(asker(&headers, Some(&HEADER)).as_deref(), Some("bob"));
        headers.append(HEADER, HeaderValue::from_static("eve"));
        assert_eq!(asker(&headers, Some(&HEADER)), None);
    }
}
