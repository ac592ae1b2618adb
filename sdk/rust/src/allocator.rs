//! The allocator of policies built for WebAssembly.
//!
//! Every text that the host hands over is an allocation of its own, and most of what a short policy
//! does. talc takes half the time of the standard library's allocator for them. Growing memory is a
//! system call on the host's side, and another when the instance ends, both of which interrupt the
//! host's other processors; so the heap begins in memory that an instance has from its start, and
//! grows only when that is full.

use core::alloc::Layout;
use core::arch::wasm32::memory_grow;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<OwnThenGrown, WasmBinning> =
    TalcSyncCell::new_wasm(OwnThenGrown { own_is_taken: false, end: None });

/// More than a policy needs for some thousand metrics or findings. Pages that are never written to
/// take no memory, and zeroes take no room in the component.
const OWN: usize = 1 << 20;

static mut HEAP: [MaybeUninit<u8>; OWN] = [MaybeUninit::uninit(); OWN];

/// Bytes of a page of WebAssembly.
const PAGE: usize = 64 << 10;

/// Memory that is there from the start, then whole pages as they are needed.
#[derive(Debug)]
struct OwnThenGrown {
    own_is_taken: bool,
    /// Where the pages that were grown end.
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing itself and never reaches for the allocator that it serves.
#[expect(unsafe_code, reason = "talc asks for it")]
unsafe impl Source for OwnThenGrown {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !talc.source.own_is_taken {
            talc.source.own_is_taken = true;
            // SAFETY: nobody else names `HEAP`, and it is taken once.
            return unsafe { talc.claim((&raw mut HEAP).cast(), OWN) }.map(drop).ok_or(());
        }
        // The allocation with its padding, and what talc keeps at both ends of a heap.
        let bytes = layout.size().saturating_add(layout.align()).saturating_add(256);
        let pages = bytes.div_ceil(PAGE);
        let start = match memory_grow::<0>(pages) {
            usize::MAX => return Err(()),
            before => (before * PAGE) as *mut u8,
        };
        talc.source.end = match talc.source.end.take() {
            // SAFETY: pages that were just made are known to nobody, and follow the heap's own.
            Some(end) if end.as_ptr() == start => {
                Some(unsafe { talc.extend(end, start.wrapping_add(pages * PAGE)) })
            }
            // SAFETY: as above.
            Some(_) | None => unsafe { talc.claim(start, pages * PAGE) },
        };
        Ok(())
    }
}
