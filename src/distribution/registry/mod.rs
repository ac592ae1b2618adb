//! One repository of a registry, by the OCI distribution specification.
//!
//! The client libraries there are read manifests and tokens whole whatever their size, and go on
//! without credentials where they could not be had; so this is the part of the protocol that
//! policies need, on the HTTP stack that is here anyway.

mod credentials;
mod http;
mod login;
mod referrers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use serde_json::Value;

use super::artifact::{Descriptor, INDEX_TYPE, MANIFEST_BYTES, MANIFEST_TYPE};
use super::error::DistributionError;
use crate::model::Digest;
use crate::policy::OciRef;
use crate::text::plain;
pub use credentials::Credentials;
use http::{Answer, Ask, Http, Upload, location, same_origin, telling};
use login::Access;
pub(super) use referrers::stand_in;

/// How long to wait before a read is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];
/// Time in which credentials must be had; somebody may have to type a passphrase.
const CREDENTIALS: Duration = Duration::from_secs(60);
/// Is told how many bytes have been moved so far.
pub type Moved = Arc<dyn Fn(u64) + Send + Sync>;

/// Is told of a transfer: how many bytes of how many have been moved.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// How registries are asked.
#[derive(Clone, Default)]
pub struct Options {
    /// Over plain HTTP, also where the registry is not this machine.
    pub plain_http: bool,
    /// Who is told how far a transfer of a component has got.
    pub progress: Option<Progress>,
}

/// A repository of a registry.
pub struct Registry {
    http: Http,
    options: Options,
    /// The registry's name, as references have it.
    name: String,
    /// `https://HOST/v2/REPOSITORY`.
    base: String,
    repository: String,
    granted: Mutex<BTreeMap<Access, HeaderValue>>,
}

impl Registry {
    /// The repository of a reference. Nothing is asked yet.
    ///
    /// # Errors
    /// This machine's certificates cannot be read.
    pub fn open(reference: &OciRef, options: &Options) -> Result<Self, DistributionError> {
        let plain = options.plain_http || reference.is_loopback();
        let host = match reference.registry() {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let (scheme, repository) = (if plain { "http" } else { "https" }, reference.repository());
        Ok(Self {
            http: Http::new(options.plain_http, !plain)?,
            options: options.clone(),
            name: reference.registry().to_owned(),
            base: format!("{scheme}://{host}/v2/{repository}"),
            repository: repository.to_owned(),
            granted: Mutex::default(),
        })
    }

    /// The manifest or index that a tag or a digest names; none where there is none.
    pub(super) async fn manifest(&self, tag: &str) -> Result<Option<Bytes>, DistributionError> {
        let what = format!("the manifest `{}:{tag}`", self.repository);
        let mut ask = Ask::get(self.uri(&format!("/manifests/{tag}"))?, MANIFEST_BYTES, what);
        let accepted = [MANIFEST_TYPE, INDEX_TYPE].map(HeaderValue::from_static);
        for media_type in accepted {
            ask.headers.append(ACCEPT, media_type);
        }
        let answer = self.read(ask.clone()).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(&ask, &answer)),
        }
    }

    /// The manifest of a digest, as it has to be.
    pub(super) async fn manifest_of(
        &self,
        digest: Digest,
    ) -> Result<Option<Bytes>, DistributionError> {
        let Some(bytes) = self.manifest(&digest.to_string()).await? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found == digest {
            return Ok(Some(bytes));
        }
        let what = format!("the manifest of `{}`", self.repository);
        Err(DistributionError::Altered { what, expected: digest, found })
    }

    /// A blob, of the size and digest that its descriptor says.
    pub(super) async fn blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, DistributionError> {
        let what = format!("the blob {} of `{}`", descriptor.digest, self.repository);
        if descriptor.size > limit {
            return Err(DistributionError::TooLarge { what, limit });
        }
        let uri = self.uri(&format!("/blobs/{}", descriptor.digest))?;
        let mut ask = Ask::get(uri, descriptor.size, what.clone());
        ask.moved = self.moved(descriptor.size);
        let answer = self.read(ask.clone()).await?;
        match answer.status {
            StatusCode::OK => {
                descriptor.check(&what, &answer.body)?;
                Ok(answer.body)
            }
            StatusCode::NOT_FOUND => Err(DistributionError::Missing(what)),
            _ => Err(self.refused(&ask, &answer)),
        }
    }

    /// Puts a blob into the repository, unless it is there.
    pub(super) async fn put_blob(&self, bytes: Bytes) -> Result<(), DistributionError> {
        let digest = Digest::of(&bytes);
        let what = format!("to take the blob {digest} into `{}`", self.repository);
        let mut ask = Ask::get(self.uri(&format!("/blobs/{digest}"))?, 0, what.clone());
        ask.method = Method::HEAD;
        if self.send(Access::Push, ask).await?.status == StatusCode::OK {
            return Ok(());
        }
        let start = self.uri("/blobs/uploads/")?;
        let mut ask = Ask::get(start.clone(), MANIFEST_BYTES, what.clone());
        ask.method = Method::POST;
        let answer = self.send(Access::Push, ask.clone()).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(self.refused(&ask, &answer));
        }
        let place = location(&start, &answer.headers).ok_or_else(|| {
            DistributionError::unusable(what.clone(), "the registry does not say where to put it")
        })?;
        let separator = if place.query().is_some() { '&' } else { '?' };
        let place: Uri = format!("{place}{separator}digest={digest}")
            .parse()
            .map_err(|error| DistributionError::unusable(what.clone(), error))?;
        let mut ask = Ask::get(place, MANIFEST_BYTES, what);
        ask.method = Method::PUT;
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        ask.body = Upload::of(bytes, self.moved(size));
        let answer = self.send(Access::Push, ask.clone()).await?;
        if answer.status == StatusCode::CREATED { Ok(()) } else { Err(self.refused(&ask, &answer)) }
    }

    /// Puts a manifest or an index under a tag or its digest; whether the registry lists it with
    /// what it refers to.
    pub(super) async fn put_manifest(
        &self,
        tag: &str,
        media_type: &'static str,
        bytes: Bytes,
    ) -> Result<bool, DistributionError> {
        let what = format!("to take the manifest `{}:{tag}`", self.repository);
        let mut ask = Ask::get(self.uri(&format!("/manifests/{tag}"))?, MANIFEST_BYTES, what);
        ask.method = Method::PUT;
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        ask.body = Upload::of(bytes, None);
        let answer = self.send(Access::Push, ask.clone()).await?;
        if answer.status != StatusCode::CREATED {
            return Err(self.refused(&ask, &answer));
        }
        Ok(answer.headers.contains_key("oci-subject"))
    }

    fn uri(&self, rest: &str) -> Result<Uri, DistributionError> {
        format!("{}{rest}", self.base)
            .parse()
            .map_err(|error| DistributionError::unusable(format!("`{}`", self.base), error))
    }

    fn moved(&self, size: u64) -> Option<Moved> {
        let progress = self.options.progress.clone()?;
        Some(telling(move |bytes| progress(bytes, size)))
    }

    /// A read, tried again where another try may fare better.
    async fn read(&self, ask: Ask) -> Result<Answer, DistributionError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.send(Access::Pull, ask.clone()).await;
            let may_pass = match &answer {
                Ok(answer) => matches!(answer.status.as_u16(), 429 | 502..=504),
                Err(error) => matches!(error, DistributionError::Unreachable { .. }),
            };
            match pauses.next() {
                Some(pause) if may_pass => tokio::time::sleep(pause).await,
                _ => return answer,
            }
        }
    }

    /// Asks with what the registry granted before, and once more with what it then asks for.
    async fn send(&self, access: Access, ask: Ask) -> Result<Answer, DistributionError> {
        let is_own = |uri: &Uri| self.base.parse().is_ok_and(|base| same_origin(&base, uri));
        let granted = self.granted(access).filter(|_| is_own(&ask.uri));
        let answer = self.http.send(ask.clone(), granted.as_ref()).await?;
        // Whoever a redirect leads to has nothing to ask for.
        if answer.status != StatusCode::UNAUTHORIZED || !is_own(&answer.uri) {
            return Ok(answer);
        }
        let credentials = self.credentials().await?;
        let (http, repository) = (&self.http, &self.repository);
        let header = login::answer(http, &answer.headers, &credentials, repository, access).await?;
        let answer = match &header {
            Some(header) => self.http.send(ask.clone(), Some(header)).await?,
            None => answer,
        };
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(DistributionError::Unauthorized {
                registry: self.name.clone(),
                who: credentials.who(),
                what: format!("have {}", ask.what),
                hint: format!("log in with `docker login {}`", self.name),
            });
        }
        if let Some(header) = header {
            let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
            granted.insert(access, header);
        }
        Ok(answer)
    }

    fn granted(&self, access: Access) -> Option<HeaderValue> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).get(&access).cloned()
    }

    /// Looked up no sooner than a registry asks, as a helper may ask somebody else in turn.
    async fn credentials(&self) -> Result<Credentials, DistributionError> {
        let name = self.name.clone();
        let found = tokio::task::spawn_blocking(move || Credentials::find(&name));
        let failed = |detail: &str| DistributionError::Credentials {
            registry: self.name.clone(),
            detail: detail.to_owned(),
        };
        match tokio::time::timeout(CREDENTIALS, found).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(failed("reading them ended abnormally")),
            Err(_) => Err(failed("the credential helper does not answer")),
        }
    }

    fn refused(&self, ask: &Ask, answer: &Answer) -> DistributionError {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = said.pointer("/errors/0/message").and_then(Value::as_str);
        let message = plain(message.unwrap_or_default());
        DistributionError::Refused {
            registry: self.name.clone(),
            what: ask.what.clone(),
            status: answer.status.as_u16(),
            message,
        }
    }
}
