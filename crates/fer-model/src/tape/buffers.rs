/// Buffers that are lent and come back.
#[derive(Default)]
pub(super) struct Buffers(Vec<Vec<f32>>);

impl Buffers {
    /// A buffer of `len` numbers of unspecified value: the smallest that is large enough, or else
    /// the largest, grown.
    pub(super) fn take(&mut self, len: usize) -> Vec<f32> {
        let best = (0..self.0.len()).min_by_key(|&number| {
            let room = self.0[number].capacity();
            (room < len, room.abs_diff(len))
        });
        let mut buffer = best.map_or_else(Vec::new, |number| self.0.swap_remove(number));
        buffer.resize(len, 0.0);
        buffer
    }

    pub(super) fn give(&mut self, buffer: Vec<f32>) {
        if buffer.capacity() > 0 {
            self.0.push(buffer);
        }
    }
}

/// Sets a buffer's length; what the numbers are afterwards is unspecified.
pub(super) fn fit<T: Clone + Default>(buffer: &mut Vec<T>, len: usize) {
    buffer.resize(len, T::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_that_fits_best_is_lent_again() {
        let mut buffers = Buffers::default();
        let (small, large) = (buffers.take(10), buffers.take(1000));
        let place = small.as_ptr();
        buffers.give(large);
        buffers.give(small);
        let again = buffers.take(9);
        assert_eq!((again.as_ptr(), again.len()), (place, 9));
    }
}
