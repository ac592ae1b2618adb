//! What a registry wants to see before it answers: a password, or a token that another server
//! gives for one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_auth::ChallengeRef;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Uri};
use serde::Deserialize;

use super::credentials::Credentials;
use super::http::{Ask, Http, Upload, origin};
use crate::distribution::DistributionError;

/// Bytes of the answer with a token.
const TOKEN_BYTES: u64 = 256 << 10;

/// What is to be done with a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    Pull,
    Push,
}

impl Access {
    const fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// What a registry asks for in the answer to a request without credentials, or with old ones.
struct Challenge {
    basic: bool,
    bearer: Option<Bearer>,
}

struct Bearer {
    realm: String,
    service: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The header that answers a registry's challenge; none where it makes none, or where there are no
/// credentials for one that needs some.
pub(super) async fn answer(
    http: &Http,
    headers: &HeaderMap,
    credentials: &Credentials,
    repository: &str,
    access: Access,
) -> Result<Option<HeaderValue>, DistributionError> {
    let challenge = Challenge::read(headers);
    if let Some(bearer) = challenge.bearer {
        return token(http, &bearer, credentials, repository, access).await.map(Some);
    }
    match credentials {
        Credentials::Password { name, secret } if challenge.basic => Ok(Some(basic(name, secret))),
        Credentials::Password { .. } | Credentials::Identity(_) | Credentials::Anonymous => {
            Ok(None)
        }
    }
}

impl Challenge {
    fn read(headers: &HeaderMap) -> Self {
        let mut this = Self { basic: false, bearer: None };
        let values = headers.get_all(WWW_AUTHENTICATE);
        for text in values.iter().filter_map(|value| value.to_str().ok()) {
            for challenge in http_auth::parse_challenges(text).unwrap_or_default() {
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    this.basic = true;
                } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    this.bearer = this.bearer.or_else(|| Bearer::read(&challenge));
                }
            }
        }
        this
    }
}

impl Bearer {
    fn read(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let param = |name: &str| {
            let mut params = challenge.params.iter();
            let found = params.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        Some(Self { realm: param("realm")?, service: param("service") })
    }
}

async fn token(
    http: &Http,
    bearer: &Bearer,
    credentials: &Credentials,
    repository: &str,
    access: Access,
) -> Result<HeaderValue, DistributionError> {
    let what = "a token";
    let unusable =
        |detail: &str| DistributionError::unusable("the registry's way to a token", detail);
    let realm: Uri = bearer.realm.parse().map_err(|_| unusable("its realm is no address"))?;
    let with_secret = realm.authority().is_none_or(|authority| authority.as_str().contains('@'));
    if with_secret || !matches!(realm.scheme_str(), Some("http" | "https")) {
        return Err(unusable("its realm is no address of a server"));
    }
    let scope = format!("repository:{repository}:{}", access.actions());
    let mut pairs = Vec::new();
    if let Some(service) = &bearer.service {
        pairs.push(("service", service.as_str()));
    }
    pairs.push(("scope", &scope));
    let mut authorization = None;
    let ask = match credentials {
        Credentials::Identity(token) => {
            pairs.push(("grant_type", "refresh_token"));
            pairs.push(("client_id", "lockgate"));
            pairs.push(("refresh_token", token));
            let mut ask = Ask::get(realm.clone(), TOKEN_BYTES, what);
            ask.method = Method::POST;
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            ask.headers.insert(CONTENT_TYPE, form);
            ask.body = Upload::of(Bytes::from(query(&pairs)), None);
            ask
        }
        Credentials::Password { name, secret } => {
            authorization = Some(basic(name, secret));
            Ask::get(with_query(&realm, &pairs)?, TOKEN_BYTES, what)
        }
        Credentials::Anonymous => Ask::get(with_query(&realm, &pairs)?, TOKEN_BYTES, what),
    };
    let answer = http.send(ask, authorization.as_ref()).await?;
    if !answer.status.is_success() {
        return Err(DistributionError::Unauthorized {
            registry: origin(&realm),
            who: credentials.who(),
            what: format!("have a token for `{repository}`"),
            hint: format!("it answers with {}; log in with `docker login`", answer.status.as_u16()),
        });
    }
    let token: Token = serde_json::from_slice(&answer.body)
        .map_err(|_| unusable("the answer is no JSON with a token"))?;
    let token = token.token.filter(|token| !token.is_empty()).or(token.access_token);
    let token = token.ok_or_else(|| unusable("the answer holds no token"))?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| unusable("the token cannot be sent in a header"))?;
    header.set_sensitive(true);
    Ok(header)
}

fn with_query(realm: &Uri, pairs: &[(&str, &str)]) -> Result<Uri, DistributionError> {
    let path = realm.path();
    let before = realm.query().map(|query| format!("{query}&")).unwrap_or_default();
    format!("{}{path}?{before}{}", origin(realm), query(pairs))
        .parse()
        .map_err(|error: hyper::http::uri::InvalidUri| DistributionError::Client(error.to_string()))
}

fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn basic(name: &str, secret: &str) -> HeaderValue {
    let encoded = STANDARD.encode(format!("{name}:{secret}"));
    // Base64 is made of what headers take.
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(texts: &[&str]) -> Challenge {
        let values = texts.iter().map(|text| (WWW_AUTHENTICATE, text.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        Challenge::read(&headers)
    }

    #[test]
    fn reads_what_registries_ask_for() {
        let asked = challenge(&[
            r#"Bearer realm="https://auth.example/token",service="r, x",scope="repository:a:pull""#,
        ]);
        let bearer = asked.bearer.unwrap();
        assert_eq!(bearer.realm, "https://auth.example/token");
        assert_eq!(bearer.service.unwrap(), "r, x");
        assert!(challenge(&["Basic realm=\"x\""]).basic);
        let both = challenge(&["Negotiate", "basic realm=x"]);
        assert!(both.basic && both.bearer.is_none());
        for nothing in ["", "Bearer", "Bearer realm", "\u{7f}", "Bearer realm=\"x"] {
            if let Ok(value) = HeaderValue::from_str(nothing) {
                let headers = [(WWW_AUTHENTICATE, value)].into_iter().collect();
                assert!(Challenge::read(&headers).bearer.is_none(), "{nothing}");
            }
        }
    }

    #[test]
    fn what_goes_into_an_address_is_encoded() {
        assert_eq!(query(&[("a", "b c&d=é"), ("e", "f")]), "a=b%20c%26d%3D%C3%A9&e=f");
        let realm = "https://h/t?x=1".parse().unwrap();
        let uri = with_query(&realm, &[("scope", "repository:a/b:pull,push")]).unwrap();
        assert_eq!(uri, "https://h/t?x=1&scope=repository%3Aa%2Fb%3Apull%2Cpush");
    }
}
