use std::ops::AddAssign;

use bytemuck::{Pod, cast_slice, cast_slice_mut};

/// Bytes up to which numbers to be added go to everybody whole: one exchange of theirs costs less than
/// two of parts.
const SMALL: usize = 64 * 1024;

/// Why a group could not work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// A member is gone.
    #[error("process {} of {size}, that is rank {rank}, is gone", rank + 1)]
    Lost {
        /// Its rank, from 0.
        rank: usize,
        /// How many there were.
        size: usize,
    },
    /// More than can be sent at once.
    #[error("{bytes} bytes are more than the 2,147,483,647 that MPI sends at once")]
    TooLarge {
        /// How many were to be sent.
        bytes: usize,
    },
}

/// Members that work together, each in a process or a thread of its own. All of them call the same
/// methods in the same order, each of which returns when all have called it.
pub trait Group: Send + Sync {
    /// The number of this member, from 0. Number 0 leads: it alone writes and tells.
    fn rank(&self) -> usize;

    /// How many members there are, at least 1.
    fn size(&self) -> usize;

    /// Writes the bytes of all the members to `into`, one after another in the order of the ranks; each
    /// gives as many as `lengths` says.
    ///
    /// # Errors
    /// A member that is gone, or more bytes than can be sent.
    fn all_gather(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError>;

    /// Sends each member its piece of `own`, which are one after another and as long as `lengths` says,
    /// and writes the pieces from all the members to `into` in the order of the ranks: as many as there
    /// are members, each as long as this one's.
    ///
    /// # Errors
    /// As `all_gather`.
    fn all_to_all(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError>;
}

/// How many of `count` things each of `size` members has: consecutive ones, as many as the others or
/// one more.
pub fn cut(count: usize, size: usize) -> Vec<usize> {
    let start = |rank| count * rank / size;
    (0..size)
        .map(|rank| start(rank + 1) - start(rank))
        .collect()
}

impl dyn Group + '_ {
    /// Whether this member leads.
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// The values of all the members in the order of the ranks, each of which has as many as `counts`
    /// says.
    ///
    /// # Errors
    /// As `all_gather`.
    pub fn gather<T: Pod>(&self, own: &[T], counts: &[usize]) -> Result<Vec<T>, GroupError> {
        if self.size() == 1 {
            return Ok(own.to_vec());
        }
        let mut all = vec![T::zeroed(); counts.iter().sum()];
        let lengths = in_bytes::<T>(counts);
        self.all_gather(cast_slice(own), &lengths, cast_slice_mut(&mut all))?;
        Ok(all)
    }

    /// The bytes of each member, of any length.
    ///
    /// # Errors
    /// As `all_gather`.
    pub fn gather_each(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, GroupError> {
        let ones = vec![1; self.size()];
        let lengths = self.gather(&[own.len() as u64], &ones)?;
        let lengths: Vec<usize> = lengths.into_iter().map(|length| length as usize).collect();
        let all = self.gather(own, &lengths)?;
        let mut rest = all.as_slice();
        let each = lengths.into_iter().map(|length| {
            let (first, others) = rest.split_at(length);
            rest = others;
            first.to_vec()
        });
        Ok(each.collect())
    }

    /// What the leader gives; what others give is not looked at.
    ///
    /// # Errors
    /// As `all_gather`.
    pub fn broadcast(&self, own: Vec<u8>) -> Result<Vec<u8>, GroupError> {
        let own = if self.leads() { own } else { Vec::new() };
        Ok(self.gather_each(&own)?.concat())
    }

    /// Every flag that any member has set.
    ///
    /// # Errors
    /// As `all_gather`.
    pub fn any(&self, flags: u8) -> Result<u8, GroupError> {
        let all = self.gather(&[flags], &vec![1; self.size()])?;
        Ok(all.into_iter().fold(0, |sum, flags| sum | flags))
    }

    /// Replaces each value by its sum over the members, added in the order of the ranks: the same bits
    /// for all.
    ///
    /// Many values are cut among the members: each gets its part from all, adds it up and sends the sums
    /// to all (a reduce-scatter and an all-gather), so that a member sends and receives twice the
    /// values, less its own part, however many members there are.
    ///
    /// # Errors
    /// As `all_gather`.
    pub fn sum<T: Pod + AddAssign>(&self, values: &mut [T]) -> Result<(), GroupError> {
        let size = self.size();
        if size == 1 || values.is_empty() {
            return Ok(());
        }
        if size_of_val(values) <= SMALL {
            let all = self.gather(values, &vec![values.len(); size])?;
            add_rows(&all, values);
            return Ok(());
        }
        let counts = cut(values.len(), size);
        let lengths = in_bytes::<T>(&counts);
        let mut sums = vec![T::zeroed(); counts[self.rank()]];
        let mut pieces = vec![T::zeroed(); sums.len() * size];
        self.all_to_all(cast_slice(values), &lengths, cast_slice_mut(&mut pieces))?;
        add_rows(&pieces, &mut sums);
        self.all_gather(cast_slice(&sums), &lengths, cast_slice_mut(values))
    }
}

fn in_bytes<T>(counts: &[usize]) -> Vec<usize> {
    counts.iter().map(|count| count * size_of::<T>()).collect()
}

/// The sum of rows of the length of `sum`, from the first to the last.
fn add_rows<T: Pod + AddAssign>(rows: &[T], sum: &mut [T]) {
    let mut rows = rows.chunks_exact(sum.len().max(1));
    if let Some(first) = rows.next() {
        sum.copy_from_slice(first);
    }
    for row in rows {
        for (sum, &value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
