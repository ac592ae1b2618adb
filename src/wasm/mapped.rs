//! Mapping compiled code into the process: the one unsafe operation of lockgate.

use std::fs::File;

use wasmtime::component::Component;

use super::engine::SandboxEngine;

/// Maps code that [`Cache`](super::cache::Cache) has verified.
///
/// The engine checks that the code was made by the same version of itself with the same
/// settings, and trusts the rest, as machine code cannot be checked. It is sound to let it:
///
/// 1. `file` was opened through the cache's directory handle, and the cache has made sure that
///    the directory belongs to this user and that nobody else can write in it. Whoever could
///    still put a file there can already run code as this user.
/// 2. The cache has hashed all of `file` (BLAKE3) and found the hash that was written down when
///    this engine serialised the component; the entry that holds it is named by a digest of the
///    component and the engine's settings, and is itself hashed with its name. A torn, damaged or
///    foreign file does not get here. It was hashed now, or earlier in this boot of the machine and
///    has the same inode, size and times still: the kernel sets the time of the last change at
///    every write, and gives no call to set it otherwise.
/// 3. What is mapped is what was hashed: it is reached through the same open file, not through
///    its name. Entries are written once, under a temporary name and without write permission,
///    and never changed, so the pages stay what they were.
#[expect(unsafe_code, reason = "argued above")]
pub(super) fn map(engine: &SandboxEngine, file: &File) -> wasmtime::Result<Component> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: as argued above.
        unsafe { Component::deserialize_file(engine.wasmtime(), path) }
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::io::{Read, Seek};
        let mut reader = file;
        let mut bytes = Vec::new();
        reader.rewind()?;
        reader.read_to_end(&mut bytes)?;
        // SAFETY: as argued above; these are bytes of the same open file.
        unsafe { Component::deserialize(engine.wasmtime(), bytes) }
    }
}
