//! The files below `lockgate/` of a run.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::caller::Caller;
use super::client::Client;
use super::collect::Progress;
use super::refusal::quoted;
use crate::evidence::limits::{
    MAX_DIRECTORY_DEPTH, MAX_ENTRIES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_TOTAL_BYTES,
};
use crate::evidence::{Assigned, Assignment};
use crate::model::Undecided;

/// The folder of a run's artifacts that holds evidence.
const FOLDER: &str = "lockgate";

/// Pages of one folder's list; a thousand files are on one.
const PAGES: usize = 50;

/// Files that are fetched at a time. Of as many the size may only show once they are there, and each
/// may be as large as a file may be.
const AT_ONCE: usize = 4;

pub(super) struct Artifacts<'a> {
    client: &'a Client,
    caller: &'a Caller,
    run: &'a str,
    assignments: &'a [Assignment],
}

/// An entry of a folder.
#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(default)]
    is_dir: bool,
    /// Some artifact stores give none.
    #[serde(default)]
    file_size: Option<u64>,
}

impl<'a> Artifacts<'a> {
    pub(super) const fn new(
        client: &'a Client,
        caller: &'a Caller,
        run: &'a str,
        assignments: &'a [Assignment],
    ) -> Self {
        Self { client, caller, run, assignments }
    }

    /// Every file, by its path in the run, in the order of the paths. Some are fetched at a time;
    /// which of them comes first makes no difference, to what is wrong neither.
    pub(super) async fn read(
        &self,
        progress: Progress<'_>,
    ) -> Result<Vec<(String, Bytes)>, Undecided> {
        let paths = self.paths().await?;
        let fetched = stream::iter(paths).map(|path| self.fetch(path, progress));
        let mut fetched = pin!(fetched.buffered(AT_ONCE));
        let mut files = Vec::new();
        let mut total = 0_u64;
        while let Some((path, bytes)) = fetched.try_next().await? {
            total = total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if total > MAX_TOTAL_BYTES {
                return Err(too_much(&path));
            }
            files.push((path, bytes));
        }
        Ok(files)
    }

    async fn fetch(
        &self,
        path: String,
        progress: Progress<'_>,
    ) -> Result<(String, Bytes), Undecided> {
        progress(&quoted(&path));
        let query = [("run_id", self.run), ("path", &path)];
        let answer = self.client.get(self.caller, "/get-artifact", &query, MAX_FILE_BYTES).await;
        match answer {
            Ok(bytes) => Ok((path, bytes)),
            Err(error) => Err(unreadable(&path, error.to_string())),
        }
    }

    async fn paths(&self) -> Result<Vec<String>, Undecided> {
        let mut paths = Vec::new();
        let mut folders = vec![(FOLDER.to_owned(), 0)];
        let (mut entries, mut total) = (0_usize, 0_u64);
        while let Some((folder, depth)) = folders.pop() {
            for entry in self.list(&folder).await? {
                entries += 1;
                if entries > MAX_ENTRIES {
                    let text =
                        format!("holds more than {MAX_ENTRIES} files and folders; remove some");
                    return Err(unreadable(FOLDER, text));
                }
                let path = within(&folder, entry.path)?;
                if self.ignores(&path) {
                    continue;
                }
                if entry.is_dir && depth == MAX_DIRECTORY_DEPTH {
                    let text = format!("lies more than {MAX_DIRECTORY_DEPTH} folders deep");
                    return Err(unreadable(&path, text));
                }
                if entry.is_dir {
                    folders.push((path, depth + 1));
                    continue;
                }
                let size = entry.file_size.unwrap_or(0);
                if size > MAX_FILE_BYTES {
                    let text = format!(
                        "is larger than {MAX_FILE_BYTES} bytes; keep what is no evidence elsewhere"
                    );
                    return Err(unreadable(&path, text));
                }
                total = total.saturating_add(size);
                if total > MAX_TOTAL_BYTES {
                    return Err(too_much(&path));
                }
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Undecided> {
        let mut entries = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut query = vec![("run_id", self.run), ("path", folder)];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.client.get_json(self.caller, "artifacts/list", &query).await;
            let answer = answer.map_err(|error| unreadable(folder, error.to_string()))?;
            // A folder that is empty or not there is a list without files.
            if answer.value.get("files").is_some() {
                let listed: Result<Vec<Entry>, _> = answer.member("files");
                entries.extend(listed.map_err(|error| unreadable(folder, error.to_string()))?);
            }
            match answer.value.get("next_page_token").and_then(serde_json::Value::as_str) {
                Some(next) if !next.is_empty() => token = next.to_owned(),
                _ => return Ok(entries),
            }
        }
        Err(unreadable(folder, "its list does not end".to_owned()))
    }

    /// As the gate file says of files: the first pattern that matches counts.
    fn ignores(&self, path: &str) -> bool {
        let first = self.assignments.iter().find(|assignment| assignment.glob.is_match(path));
        first.is_some_and(|assignment| assignment.assigned == Assigned::Ignore)
    }
}

/// The path of an entry, which must be right below the folder that was listed.
fn within(folder: &str, path: String) -> Result<String, Undecided> {
    let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    let plain = |name: &&str| {
        !matches!(*name, "" | "." | "..")
            && !name.contains(['/', '\\'])
            && !name.chars().any(char::is_control)
    };
    if name.filter(plain).is_some() && path.len() <= MAX_NAME_BYTES {
        return Ok(path);
    }
    let text = format!("lists {}, which is no file right below it", quoted(&path));
    Err(unreadable(folder, text))
}

fn too_much(path: &str) -> Undecided {
    unreadable(
        path,
        format!(
            "brings the evidence to more than {MAX_TOTAL_BYTES} bytes; keep fewer or smaller files there"
        ),
    )
}

fn unreadable(path: &str, detail: String) -> Undecided {
    Undecided::EvidenceUnreadable { source_name: path.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_what_is_right_below_the_folder() {
        for path in ["lockgate/a.json", "lockgate/sub dir", "lockgate/..a"] {
            assert!(within("lockgate", path.to_owned()).is_ok(), "{path}");
        }
        for path in [
            "",
            "lockgate",
            "lockgate/",
            "lockgate/..",
            "lockgate/../x",
            "/etc/passwd",
            "other/a",
            "lockgate/a/b",
            "lockgate/a\\b",
            "lockgate/a\nb",
            "lockgate2/a",
        ] {
            assert!(within("lockgate", path.to_owned()).is_err(), "{path}");
        }
        assert!(within("lockgate", format!("lockgate/{}", "a".repeat(5000))).is_err());
    }
}
