//! What the kernel says of a file's content without the file being read.

use std::fs::File;

use serde::{Deserialize, Serialize};

/// A file's identity, and when the kernel last saw it change.
///
/// Two equal stamps mean the same content: nobody but the kernel sets the time of the last change,
/// and it sets it at every write, rename, truncation or change of the other times. The stamp names
/// the boot too, so that nothing is taken for granted of a disk that was elsewhere in between, or
/// that lost power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::wasm) struct Stamp {
    boot: String,
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Seconds within which a later change may bear the time of an earlier one. The coarsest clocks
/// that file systems keep have two.
#[cfg(target_os = "linux")]
const COARSEST_CLOCK: i64 = 2;

impl Stamp {
    /// The stamp of an open file, taken before its content is read. None where the file changed
    /// so recently that one more change would not show, and where the system gives no stamps.
    #[cfg(target_os = "linux")]
    pub(in crate::wasm) fn of(file: &File) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        use std::sync::OnceLock;
        use std::time::{SystemTime, UNIX_EPOCH};

        static BOOT: OnceLock<Option<String>> = OnceLock::new();
        let boot = BOOT.get_or_init(|| {
            let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            Some(id.trim().to_owned())
        });
        let metadata = file.metadata().ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let latest = metadata.ctime().max(metadata.mtime());
        let settled = latest.checked_add(COARSEST_CLOCK)? < i64::try_from(now).ok()?;
        settled.then_some(Self {
            boot: boot.clone()?,
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// The stamp of an open file: none, as this system is not known to keep them honest.
    #[cfg(not(target_os = "linux"))]
    pub(in crate::wasm) fn of(_file: &File) -> Option<Self> {
        None
    }

    /// Which of 256 places a note on this file is kept in. So many are enough for the policies
    /// that one user works with, and checkouts without end do not fill the cache.
    pub(super) fn place(&self) -> u8 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.device.to_le_bytes()).update(&self.inode.to_le_bytes());
        let [place, ..] = *hasher.finalize().as_bytes();
        place
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_file_that_changed_just_now_has_no_stamp() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(Stamp::of(&file), None);
        // Whatever time is given to its content, the kernel knows when that was.
        file.set_modified(SystemTime::now() - Duration::from_secs(1_000)).unwrap();
        assert_eq!(Stamp::of(&file), None);
    }

    #[test]
    fn a_settled_file_keeps_its_stamp() {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let again = File::open(std::env::current_exe().unwrap()).unwrap();
        // Built a moment ago, it may not have settled yet; then both have none.
        assert_eq!(Stamp::of(&file), Stamp::of(&again));
    }
}
