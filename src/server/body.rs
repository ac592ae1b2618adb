//! Bodies: bounded in size and time, and read strictly.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// How much of bodies is taken, and for how long they are waited for.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// Bytes of one.
    pub bytes: usize,
    /// Until the last byte of one.
    pub time: Duration,
    /// Bytes of all.
    pub room: Room,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes: 16 << 20, time: Duration::from_secs(30), room: Room::default() }
    }
}

/// Bytes that bodies may have all together while they come and are judged, so that many at a time
/// do not take more memory than there is. Clones share it.
#[derive(Clone, Debug)]
pub struct Room(Arc<Space>);

#[derive(Debug)]
struct Space {
    bytes: usize,
    left: AtomicUsize,
}

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(Space { bytes, left: AtomicUsize::new(bytes) }))
    }

    /// How much of it is taken.
    pub(super) fn taken(&self) -> usize {
        self.0.bytes.saturating_sub(self.0.left.load(Ordering::Relaxed))
    }

    fn share(&self) -> Share {
        Share { of: Arc::clone(&self.0), bytes: 0 }
    }
}

impl Default for Room {
    /// A quarter of what the manifests of `deploy` give to the server.
    fn default() -> Self {
        Self::of(256 << 20)
    }
}

/// What one body takes of the room; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Arc<Space>,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, bytes: usize) -> Result<(), Ungathered> {
        let less = |left: usize| left.checked_sub(bytes);
        let taken = self.of.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map_err(|_| Ungathered::NoRoom)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// A whole body, with its share of the room.
#[derive(Debug)]
pub(crate) struct Gathered {
    bytes: Bytes,
    share: Share,
}

impl Deref for Gathered {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Gathered {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Why a body was not gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ungathered {
    /// It is larger than it may be.
    TooLarge,
    /// It was not there in time.
    Late,
    /// The client broke off.
    Broken,
    /// Others take all the room there is.
    NoRoom,
}

/// What an allocation for a body begins with at most, whatever its length is said to be.
const FIRST_ALLOCATION: usize = 64 << 10;

impl BodyLimits {
    /// Gathers a body of at most `most` bytes.
    pub(crate) async fn gather(
        &self,
        headers: &HeaderMap,
        body: Body,
        most: usize,
    ) -> Result<Gathered, Ungathered> {
        let length = announced(headers);
        if length.is_some_and(|length| length > most) {
            return Err(Ungathered::TooLarge);
        }
        tokio::time::timeout(self.time, self.collect(body, length.unwrap_or(0), most))
            .await
            .unwrap_or(Err(Ungathered::Late))
    }

    async fn collect(
        &self,
        mut body: Body,
        length: usize,
        most: usize,
    ) -> Result<Gathered, Ungathered> {
        let mut share = self.room.share();
        let mut whole: Option<BytesMut> = None;
        let mut first: Option<Bytes> = None;
        let mut total = 0_usize;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Ungathered::Broken)?;
            let Ok(part) = frame.into_data() else { continue };
            total = total.saturating_add(part.len());
            if total > most {
                return Err(Ungathered::TooLarge);
            }
            // As it comes, for what is merely announced takes nothing.
            share.grow(part.len())?;
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
        let bytes = whole.map(BytesMut::freeze).or(first).unwrap_or_default();
        Ok(Gathered { bytes, share })
    }

    /// Reads the whole body of a request, of at most `most` bytes and no more than any may have.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        most: usize,
    ) -> Result<Gathered, Problem> {
        let most = most.min(self.bytes);
        self.gather(headers, body, most).await.map_err(|ungathered| match ungathered {
            Ungathered::TooLarge => {
                let detail = format!("the body may have {most} bytes");
                Problem::new(Code::BodyTooLarge).detail(detail)
            }
            Ungathered::Late => {
                let seconds = self.time.as_secs();
                let detail = format!("the body was not there after {seconds} s");
                Problem::new(Code::RequestTimeout).detail(detail)
            }
            Ungathered::Broken => Problem::invalid("the body ended early"),
            Ungathered::NoRoom => Problem::new(Code::Overloaded)
                .detail("the bodies of other requests take all the room there is; ask again in 1 s")
                .retry_after(Duration::from_secs(1))
                .undecided(),
        })
    }

    /// Reads a JSON body: of the JSON media type, without a coding, and nothing but what `T` has.
    /// What was read has its share of the room.
    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(T, Share), Problem> {
        require_json(headers)?;
        let body = self.read(headers, body, self.bytes).await?;
        Ok((parse(&body)?, body.share))
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    fn limits(room: usize) -> BodyLimits {
        BodyLimits { bytes: 100, time: Duration::from_secs(60), room: Room::of(room) }
    }

    async fn gather(limits: &BodyLimits, parts: &[&'static str]) -> Result<Gathered, Ungathered> {
        let parts: Vec<_> =
            parts.iter().map(|part| Ok::<_, Infallible>(Bytes::from(*part))).collect();
        limits.gather(&HeaderMap::new(), Body::from_stream(stream::iter(parts)), 100).await
    }

    #[tokio::test]
    async fn bodies_share_the_room_for_as_long_as_they_are_held() {
        let limits = limits(10);
        let first = gather(&limits, &["abc", "def"]).await.unwrap();
        assert_eq!((&*first, limits.room.taken()), (&b"abcdef"[..], 6));
        // Its first part fits, and is given back with it.
        assert_eq!(gather(&limits, &["abc", "def"]).await.unwrap_err(), Ungathered::NoRoom);
        assert_eq!(limits.room.taken(), 6);
        let second = gather(&limits.clone(), &["abcd"]).await.unwrap();
        assert_eq!(limits.room.taken(), 10);
        drop(first);
        assert!(gather(&limits, &["abc", "def"]).await.is_ok());
        drop(second);
        assert_eq!(limits.room.taken(), 0);
    }

    #[tokio::test]
    async fn what_is_read_of_a_body_keeps_its_share() {
        let limits = limits(10);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        let read = limits.read_json::<Vec<u8>>(&headers, Body::from("[1, 2, 3]")).await;
        let (read, share) = read.unwrap();
        assert_eq!((read, limits.room.taken()), (vec![1, 2, 3], 9));
        drop(share);
        assert_eq!(limits.room.taken(), 0);
    }

    #[tokio::test]
    async fn a_body_that_is_not_taken_takes_no_room() {
        let limits = BodyLimits { time: Duration::from_millis(1), ..limits(1000) };
        let long: &'static str = "x".repeat(60).leak();
        assert_eq!(gather(&limits, &[long, long]).await.unwrap_err(), Ungathered::TooLarge);
        let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let late = limits.gather(&HeaderMap::new(), never, 100).await.unwrap_err();
        assert_eq!(late, Ungathered::Late);
        let broken = stream::iter([Ok(Bytes::from("abc")), Err(std::io::Error::other("gone"))]);
        let broken = limits.gather(&HeaderMap::new(), Body::from_stream(broken), 100).await;
        assert_eq!(broken.unwrap_err(), Ungathered::Broken);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from_static("101"));
        let announced = limits.gather(&headers, Body::from("abc"), 100).await;
        assert_eq!(announced.unwrap_err(), Ungathered::TooLarge);
        assert_eq!(limits.room.taken(), 0);
    }
}
