//! How much memory all threads together may take to decode pictures.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::picture::MOST_MEMORY;

/// For the pixels of pictures that are being decoded, whatever the number of threads: a folder of huge
/// pictures takes no more memory on many cores than on two.
pub(crate) static ROOM: Room = Room::new(2 * MOST_MEMORY);

/// Bytes that are shared out.
pub(crate) struct Room {
    free: Mutex<u64>,
    all: u64,
    freed: Condvar,
}

impl Room {
    pub(crate) const fn new(bytes: u64) -> Self {
        Room {
            free: Mutex::new(bytes),
            all: bytes,
            freed: Condvar::new(),
        }
    }

    /// Waits until `bytes` are free, at most all that there are, and takes them. Who has them must wait
    /// for no other thread.
    pub(crate) fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Taken { room: self, bytes }
    }
}

/// Bytes that are given back when it is dropped.
pub(crate) struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut free = self
            .room
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *free += self.bytes;
        drop(free);
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_is_out_than_there_is_and_all_get_their_turn() {
        let room = Room::new(100);
        let (out, most, turns) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for bytes in [30, 70, 100, 1000, 60, 1, 40, 99] {
                let (room, out, most, turns) = (&room, &out, &most, &turns);
                scope.spawn(move || {
                    let taken = room.take(bytes);
                    let now = out.fetch_add(taken.bytes, Ordering::SeqCst) + taken.bytes;
                    most.fetch_max(now, Ordering::SeqCst);
                    thread::yield_now();
                    out.fetch_sub(taken.bytes, Ordering::SeqCst);
                    turns.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(turns.into_inner(), 8);
    }
}
