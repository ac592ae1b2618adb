//! What refers to a manifest, by the OCI distribution specification: a list that the registry keeps,
//! or where it keeps none, an index that clients keep under a tag.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use super::Registry;
use super::http::{Ask, location, same_origin};
use crate::distribution::DistributionError;
use crate::distribution::artifact::{EMPTY_TYPE, INDEX_TYPE, MANIFEST_BYTES};
use crate::model::Digest;

/// Artifacts that refer to one other of which each is looked at.
const REFERRERS: usize = 256;
/// Parts of a list of them that are read.
const PAGES: usize = 16;

/// Those of the artifacts that refer to a manifest which are looked at.
///
/// Whoever may write to a repository may list there what they want, so nothing of a list is an
/// error: what cannot be read is passed over, and of too many the first are taken.
#[derive(Debug, Default)]
pub(in crate::distribution) struct Referrers {
    /// Digests of their manifests.
    pub(in crate::distribution) found: Vec<Digest>,
    /// Whether there are more.
    pub(in crate::distribution) more: bool,
}

impl Referrers {
    /// Takes what is wanted of a part of the list. Once it is more than is looked at, nothing of
    /// the rest matters.
    fn take(&mut self, entries: &[Value], artifact_type: &str) {
        for entry in entries {
            let digest = entry.get("digest").and_then(Value::as_str);
            let Some(digest) = digest.and_then(|digest| digest.parse().ok()) else { continue };
            // Indexes that clients keep themselves are not all careful with the type of what they
            // list.
            let kind = entry.get("artifactType").and_then(Value::as_str);
            if kind.is_some_and(|kind| kind != artifact_type && kind != EMPTY_TYPE) {
                continue;
            }
            if self.found.len() == REFERRERS {
                self.more = true;
                return;
            }
            self.found.push(digest);
        }
    }
}

impl Registry {
    /// The artifacts of one type that are about a manifest: from the registry's list, or where it
    /// keeps none, from the index under the tag that stands in for it.
    pub(in crate::distribution) async fn referrers(
        &self,
        digest: Digest,
        artifact_type: &str,
    ) -> Result<Referrers, DistributionError> {
        if let Some(found) = self.listed(digest, artifact_type).await? {
            return Ok(found);
        }
        let mut found = Referrers::default();
        match self.tagged_index(digest).await {
            Ok(entries) => found.take(&entries, artifact_type),
            Err(DistributionError::TooLarge { .. }) => found.more = true,
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    async fn listed(
        &self,
        digest: Digest,
        artifact_type: &str,
    ) -> Result<Option<Referrers>, DistributionError> {
        let kind = artifact_type.replace('/', "%2F").replace('+', "%2B");
        let mut uri = self.uri(&format!("/referrers/{digest}?artifactType={kind}"))?;
        let mut found = Referrers::default();
        for _ in 0..PAGES {
            let what = format!("for what refers to {digest}");
            let ask = Ask::get(uri.clone(), MANIFEST_BYTES, what);
            let answer = match self.read(ask.clone()).await {
                Err(DistributionError::TooLarge { .. }) => break,
                answer => answer?,
            };
            let media_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let is_list = media_type.is_some_and(|value| value.starts_with(INDEX_TYPE));
            match answer.status {
                StatusCode::OK if is_list => found.take(&entries(&answer.body), artifact_type),
                // Registries that know nothing of this answer in many ways.
                StatusCode::OK
                | StatusCode::NOT_FOUND
                | StatusCode::BAD_REQUEST
                | StatusCode::METHOD_NOT_ALLOWED => return Ok(None),
                _ => return Err(self.refused(&ask, &answer)),
            }
            let next = answer.headers.get("link").and_then(|value| value.to_str().ok());
            let Some(next) = next.and_then(next_page).filter(|_| !found.more) else {
                return Ok(Some(found));
            };
            let next = [(hyper::header::LOCATION, next)].into_iter().collect();
            uri =
                location(&uri, &next).filter(|next| same_origin(next, &uri)).ok_or_else(|| {
                    DistributionError::unusable(ask.what, "its next part is elsewhere")
                })?;
        }
        found.more = true;
        Ok(Some(found))
    }

    /// The entries of the index under the tag that stands in for a list of referrers, as they are
    /// written there.
    pub(in crate::distribution) async fn tagged_index(
        &self,
        digest: Digest,
    ) -> Result<Vec<Value>, DistributionError> {
        let bytes = self.manifest(&stand_in(digest)).await?;
        Ok(bytes.map(|bytes| entries(&bytes)).unwrap_or_default())
    }
}

/// The tag under which an index stands in for the list of what refers to a manifest.
pub(in crate::distribution) fn stand_in(digest: Digest) -> String {
    format!("sha256-{}", digest.hex())
}

/// The entries of an index; what is none lists nothing.
fn entries(bytes: &[u8]) -> Vec<Value> {
    let index: Value = serde_json::from_slice(bytes).unwrap_or_default();
    index.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The address in `<ADDRESS>; rel="next"`.
fn next_page(link: &str) -> Option<HeaderValue> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| HeaderValue::from_str(address).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_a_list_goes_on() {
        assert_eq!(next_page("</v2/p?n=2>; rel=\"next\"").unwrap(), "/v2/p?n=2");
        for link in ["", "<x>", "<x>; rel=\"prev\"", "x; rel=\"next\""] {
            assert_eq!(next_page(link), None, "{link}");
        }
    }
}
