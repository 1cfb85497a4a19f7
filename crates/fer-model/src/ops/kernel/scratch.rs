//! Workspaces: buffers aligned to cache lines that every thread keeps and uses again.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
const LINE: usize = 16;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A buffer of `f32` that starts on a cache line. Vectors that straddle two lines are read at half
/// the speed.
#[derive(Clone, Default)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line([0.0; LINE]); len.div_ceil(LINE)],
            len,
        }
    }

    /// Makes the length `len`; what the numbers are afterwards is unspecified.
    fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0.0; LINE]));
        }
        self.len = len;
    }

    /// The numbers.
    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: the lines are `len.div_ceil(16)` or more arrays of sixteen initialised numbers
        // without gaps (size and alignment of a line are 64 bytes), so `len` numbers lie there.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// The numbers, for writing.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`; the exclusive borrow of `self` makes this the only view.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

thread_local! {
    /// Buffers at rest. A buffer in use is out of the list, because a thread that waits for others
    /// may be given other work, which asks for buffers of its own.
    static REST: RefCell<Vec<Aligned>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that goes back to its thread when it is dropped.
pub(crate) struct Scratch(Aligned);

/// A buffer of `len` numbers of unspecified value.
pub(crate) fn take(len: usize) -> Scratch {
    let mut buffer = REST.with_borrow_mut(|rest| pick(rest, len));
    buffer.resize(len);
    Scratch(buffer)
}

/// Takes the smallest buffer that is large enough, or else the largest, out of the list.
fn pick(rest: &mut Vec<Aligned>, len: usize) -> Aligned {
    let lines = len.div_ceil(LINE);
    let best = (0..rest.len()).min_by_key(|number| {
        let room = rest[*number].lines.len();
        (room < lines, room.abs_diff(lines))
    });
    best.map_or_else(Aligned::default, |number| rest.swap_remove(number))
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.as_slice()
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.0.as_mut_slice()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // While a thread ends its list may be gone already; then the buffer is freed.
        let _ = REST.try_with(|rest| rest.borrow_mut().push(buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_start_on_a_cache_line_and_nest() {
        let mut outer = take(5);
        outer.fill(1.0);
        let mut inner = take(1000);
        inner.fill(2.0);
        assert_eq!(inner.as_ptr().addr() % 64, 0);
        assert_eq!(*outer, [1.0; 5]);
        assert_eq!(outer.as_ptr().addr() % 64, 0);
    }

    #[test]
    fn a_buffer_that_was_given_back_is_used_again() {
        let first = take(2000).as_ptr();
        assert_eq!(take(1999).as_ptr(), first);
    }

    #[test]
    fn an_aligned_buffer_holds_what_was_asked_for() {
        let mut buffer = Aligned::zeros(17);
        buffer.as_mut_slice()[16] = 3.0;
        assert_eq!(buffer.as_slice().len(), 17);
        assert_eq!(buffer.as_slice()[16], 3.0);
    }
}
