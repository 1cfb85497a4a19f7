use super::{Group, GroupError};

/// The group of one.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn all_gather(
        &self,
        own: &[u8],
        _lengths: &[usize],
        into: &mut [u8],
    ) -> Result<(), GroupError> {
        into.copy_from_slice(own);
        Ok(())
    }

    fn all_to_all(
        &self,
        own: &[u8],
        _lengths: &[usize],
        into: &mut [u8],
    ) -> Result<(), GroupError> {
        into.copy_from_slice(own);
        Ok(())
    }
}
