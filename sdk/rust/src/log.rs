//! Lines for the policy's author. They never change a verdict; the host caps their number and
//! size. Natively they go to the standard error of the test.

#[cfg(target_arch = "wasm32")]
use crate::bindings::lockgate::policy::log::{Level, log};

/// A detail that only helps when looking for a mistake.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Something worth knowing.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Something that looks wrong and does not stop the policy.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

#[cfg(not(target_arch = "wasm32"))]
use native::{Level, log};

#[cfg(not(target_arch = "wasm32"))]
mod native {
    pub(super) use crate::bindings::lockgate::policy::log::Level;

    #[expect(clippy::print_stderr, reason = "the lines of a native test have no other reader")]
    pub(super) fn log(level: Level, message: &str) {
        eprintln!("{level:?}: {message}");
    }
}
