//! Bodies: bounded in size and time, and read strictly.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// How much of a body is taken, and for how long it is waited for.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes.
    pub bytes: usize,
    /// Until its last byte.
    pub time: Duration,
}

/// What an allocation for a body begins with at most, whatever its length is said to be.
const FIRST_ALLOCATION: usize = 64 << 10;

impl BodyLimits {
    /// Reads the whole body of a request.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
        let length = announced(headers);
        if length.is_some_and(|length| length > self.bytes) {
            return Err(self.too_large());
        }
        tokio::time::timeout(self.time, self.collect(body, length.unwrap_or(0)))
            .await
            .unwrap_or_else(|_| {
                let seconds = self.time.as_secs();
                let detail = format!("the body was not there after {seconds} s");
                Err(Problem::new(Code::RequestTimeout).detail(detail))
            })
    }

    async fn collect(&self, mut body: Body, length: usize) -> Result<Bytes, Problem> {
        let broken = |_| Problem::invalid("the body ended early");
        let mut whole: Option<BytesMut> = None;
        let mut first: Option<Bytes> = None;
        let mut total = 0_usize;
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(broken)?.into_data() else { continue };
            total = total.saturating_add(part.len());
            if total > self.bytes {
                return Err(self.too_large());
            }
            // A body that came in one piece, as most do, is not copied.
            match (&mut whole, first.take()) {
                (Some(whole), _) => whole.extend_from_slice(&part),
                (None, None) => first = Some(part),
                (None, Some(start)) => {
                    let capacity = length.clamp(total, total.max(FIRST_ALLOCATION));
                    let mut joined = BytesMut::with_capacity(capacity);
                    joined.extend_from_slice(&start);
                    joined.extend_from_slice(&part);
                    whole = Some(joined);
                }
            }
        }
        Ok(whole.map(BytesMut::freeze).or(first).unwrap_or_default())
    }

    fn too_large(&self) -> Problem {
        let detail = format!("the body may have {} bytes", self.bytes);
        Problem::new(Code::BodyTooLarge).detail(detail)
    }

    /// Reads a JSON body: of the JSON media type, without a coding, and nothing but what `T` has.
    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<T, Problem> {
        require_json(headers)?;
        let bytes = self.read(headers, body).await?;
        parse(&bytes)
    }
}

/// Parses JSON that came from a caller; what is wrong is told to the caller.
pub(crate) fn parse<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Its words may quote a piece of the body, which may hold line breaks.
        let words: Vec<String> = error.to_string().split_whitespace().map(str::to_owned).collect();
        let text: String = words.join(" ").chars().take(300).collect();
        Problem::invalid(format!("the body is not as expected: {text}"))
    })
}

/// Refuses a body that is not said to be JSON, so that no web page can send one unasked.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |detail: &str| Problem::new(Code::UnsupportedMediaType).detail(detail);
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else {
        return Err(unsupported("send one `content-type: application/json`"));
    };
    let kind = kind.to_str().unwrap_or_default();
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let parameters = parameters.trim();
    let utf8 = parameters.is_empty()
        || ["charset=utf-8", "charset=\"utf-8\""]
            .iter()
            .any(|known| parameters.eq_ignore_ascii_case(known));
    if !essence.trim().eq_ignore_ascii_case("application/json") || !utf8 {
        return Err(unsupported("send `content-type: application/json`, in UTF-8"));
    }
    if headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(unsupported("send the body without a content coding"));
    }
    Ok(())
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
