//! Whether a delivery comes from MLflow, is fresh, and has not been seen before.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

const SIGNATURE: &str = "x-mlflow-signature";
const DELIVERY_ID: &str = "x-mlflow-delivery-id";
const TIMESTAMP: &str = "x-mlflow-timestamp";

/// The only scheme there is: `v1,` and the base64 of an HMAC-SHA256.
const SCHEME: &str = "v1,";

/// How far a delivery's time may lie from ours. MLflow signs once and may then try again for a
/// minute or two.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// Deliveries remembered. MLflow sends few a second at most; past this many within the window the
/// oldest is forgotten, and all that a replay of it does is to be judged again.
const REMEMBERED: usize = 16_384;

/// MLflow's ids have 36 characters.
const LONGEST_ID: usize = 128;

/// Fewer could be guessed.
const SHORTEST_SECRET: usize = 16;

/// What MLflow and the gateway share. Its `Debug` form does not show it.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A secret that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecret {
    /// The file could not be read.
    #[error("the webhook secret `{path}` cannot be read: {error}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is too short.
    #[error(
        "the webhook secret has fewer than {SHORTEST_SECRET} bytes; make one with `openssl rand -hex 32`"
    )]
    Short,
}

impl Secret {
    /// A secret from its text, without the line end that a file may have.
    ///
    /// # Errors
    /// Text that is too short to be one.
    pub fn new(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim_end_matches(['\n', '\r']);
        if text.len() < SHORTEST_SECRET {
            return Err(InvalidSecret::Short);
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    /// A secret from a file.
    ///
    /// # Errors
    /// A file that cannot be read, or holds too little.
    pub fn read(path: &Path) -> Result<Self, InvalidSecret> {
        let text = std::fs::read_to_string(path).map_err(|error| InvalidSecret::Unreadable {
            path: path.display().to_string(),
            error,
        })?;
        Self::new(&text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// A header is missing, doubled or not of its form.
    Headers,
    /// It is not signed with our secret.
    Signature,
    /// It was signed too long ago, or is from the future.
    Time,
    /// It has been taken already.
    Duplicate,
}

impl Rejected {
    /// Label of the metric.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Signature => "signature",
            Self::Time => "time",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Lets each delivery through once.
#[derive(Debug)]
pub(super) struct Doorman {
    secret: Secret,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<String>,
    /// In the order in which they came.
    order: VecDeque<String>,
}

impl Doorman {
    pub(super) fn new(secret: Secret) -> Self {
        Self { secret, seen: Mutex::default() }
    }

    /// Whether to take a delivery, at `now` seconds since the Unix epoch.
    pub(super) fn admit(&self, headers: &HeaderMap, body: &[u8], now: u64) -> Result<(), Rejected> {
        let id = one(headers, DELIVERY_ID)?;
        let timestamp = one(headers, TIMESTAMP)?;
        let signature = one(headers, SIGNATURE)?;
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(Rejected::Headers);
        }
        let signature = signature.strip_prefix(SCHEME).ok_or(Rejected::Headers)?;
        let signature = STANDARD.decode(signature).map_err(|_| Rejected::Headers)?;
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret.0);
        // A key may have any length.
        let mut mac = mac.map_err(|_| Rejected::Signature)?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        // In constant time.
        mac.verify_slice(&signature).map_err(|_| Rejected::Signature)?;
        let signed_at: u64 = timestamp.parse().map_err(|_| Rejected::Headers)?;
        if signed_at.abs_diff(now) > WINDOW.as_secs() {
            return Err(Rejected::Time);
        }
        self.remember(id)
    }

    /// Forgets a delivery that could not be dealt with, so that MLflow may send it again.
    pub(super) fn forget(&self, headers: &HeaderMap) {
        if let Ok(id) = one(headers, DELIVERY_ID) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.ids.remove(id) {
                seen.order.retain(|other| other != id);
            }
        }
    }

    fn remember(&self, id: &str) -> Result<(), Rejected> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.ids.insert(id.to_owned()) {
            return Err(Rejected::Duplicate);
        }
        seen.order.push_back(id.to_owned());
        if seen.order.len() > REMEMBERED
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.ids.remove(&oldest);
        }
        Ok(())
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Rejected> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Rejected::Headers),
        _ => Err(Rejected::Headers),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// A delivery that MLflow 3.17 made with the secret `a secret for a test`.
    const ID: &str = "1f4e7a2e-8f0f-4d7c-9f5e-0d6f4b1f6c11";
    const NOW: u64 = 1_795_414_668;
    const BODY: &[u8] = br#"{"entity": "model_version_alias", "action": "created"}"#;
    const SIGNED: &str = "v1,G24wLKx9pAxF5dXY5ChhcLJQi4qXMmpUZ7gauGa4Wvo=";

    fn doorman() -> Doorman {
        Doorman::new(Secret::new("a secret for a test\n").unwrap())
    }

    fn headers(id: &'static str, timestamp: &'static str, signature: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(DELIVERY_ID, HeaderValue::from_static(id));
        headers.insert(TIMESTAMP, HeaderValue::from_static(timestamp));
        headers.insert(SIGNATURE, HeaderValue::from_static(signature));
        headers
    }

    #[test]
    fn what_mlflow_signed_is_taken_once() {
        let (doorman, headers) = (doorman(), headers(ID, "1795414668", SIGNED));
        assert_eq!(doorman.admit(&headers, BODY, NOW), Ok(()));
        assert_eq!(doorman.admit(&headers, BODY, NOW), Err(Rejected::Duplicate));
        doorman.forget(&headers);
        assert_eq!(doorman.admit(&headers, BODY, NOW), Ok(()));
    }

    #[test]
    fn what_was_changed_after_signing_is_rejected() {
        let doorman = doorman();
        let rejected = |headers: &HeaderMap, body: &[u8]| doorman.admit(headers, body, NOW);
        let good = headers(ID, "1795414668", SIGNED);
        assert_eq!(rejected(&good, b"{}"), Err(Rejected::Signature));
        let other_id = headers("other", "1795414668", SIGNED);
        assert_eq!(rejected(&other_id, BODY), Err(Rejected::Signature));
        let later = headers(ID, "1795414669", SIGNED);
        assert_eq!(rejected(&later, BODY), Err(Rejected::Signature));
        let other_secret = Doorman::new(Secret::new("another secret of this length").unwrap());
        assert_eq!(other_secret.admit(&good, BODY, NOW), Err(Rejected::Signature));
    }

    #[test]
    fn what_is_too_old_or_from_the_future_is_rejected() {
        let (doorman, headers) = (doorman(), headers(ID, "1795414668", SIGNED));
        for now in [NOW + 301, NOW - 301] {
            assert_eq!(doorman.admit(&headers, BODY, now), Err(Rejected::Time));
        }
        assert_eq!(doorman.admit(&headers, BODY, NOW + 299), Ok(()));
    }

    #[test]
    fn headers_that_are_missing_doubled_or_of_another_scheme_are_rejected() {
        let doorman = doorman();
        for name in [DELIVERY_ID, TIMESTAMP, SIGNATURE] {
            let mut missing = headers(ID, "1795414668", SIGNED);
            missing.remove(name);
            assert_eq!(doorman.admit(&missing, BODY, NOW), Err(Rejected::Headers), "{name}");
            let mut doubled = headers(ID, "1795414668", SIGNED);
            doubled.append(name, HeaderValue::from_static("x"));
            assert_eq!(doorman.admit(&doubled, BODY, NOW), Err(Rejected::Headers), "{name}");
        }
        let other = headers(ID, "1795414668", "v2,AAAA");
        assert_eq!(doorman.admit(&other, BODY, NOW), Err(Rejected::Headers));
    }

    #[test]
    fn the_memory_is_bounded() {
        let doorman = doorman();
        for number in 0..=REMEMBERED {
            doorman.remember(&number.to_string()).unwrap();
        }
        assert_eq!(doorman.seen.lock().unwrap().ids.len(), REMEMBERED);
        assert_eq!(doorman.remember("0"), Ok(()));
        assert_eq!(doorman.remember("1"), Ok(()));
        assert_eq!(doorman.remember("9"), Err(Rejected::Duplicate));
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_shown() {
        assert!(Secret::new("short\n").is_err());
        assert_eq!(format!("{:?}", doorman().secret), "Secret(…)");
    }
}
