use std::path::PathBuf;

use crate::error::DataError;
use crate::source::parquet::rows::{Pictures, Rows};
use crate::source::parquet::store::{Group, Places};

/// Rows that are decoded together at most.
const MOST_ROWS: usize = 512;

/// Bytes of pictures' files that are enough to be decoded together.
const ENOUGH: usize = 8 << 20;

/// A row, and the bytes of its picture's file where it holds some.
pub(super) struct Taken {
    pub(super) row: usize,
    pub(super) bytes: Option<Vec<u8>>,
}

/// The pictures of all rows in order, of which a bounded number is held.
pub(super) struct Stream<'a> {
    files: &'a [PathBuf],
    groups: std::slice::Iter<'a, Group>,
    /// The file that is being read, by its position.
    open: Option<(usize, Rows)>,
    now: Option<Unread<'a>>,
}

/// What is left of a group.
struct Unread<'a> {
    group: &'a Group,
    pictures: Pictures,
    taken: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(files: &'a [PathBuf], places: &'a Places) -> Self {
        Stream {
            files,
            groups: places.0.iter(),
            open: None,
            now: None,
        }
    }

    /// The next rows: none at the end.
    pub(super) fn some(&mut self) -> Result<Vec<Taken>, DataError> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while some.len() < MOST_ROWS && bytes < ENOUGH {
            let Some(taken) = self.one()? else {
                break;
            };
            bytes += taken.bytes.as_ref().map_or(0, Vec::len);
            some.push(taken);
        }
        Ok(some)
    }

    fn one(&mut self) -> Result<Option<Taken>, DataError> {
        loop {
            let left = self.now.as_mut();
            if let Some(now) = left.filter(|now| now.taken < now.group.rows) {
                let row = now.group.first + now.taken;
                now.taken += 1;
                let bytes = now.pictures.next().unwrap_or_else(|| {
                    Err(DataError::Table {
                        path: self.files[now.group.file].clone(),
                        reason: "it has changed while it was read".into(),
                    })
                })?;
                return Ok(Some(Taken { row, bytes }));
            }
            let Some(group) = self.groups.next() else {
                return Ok(None);
            };
            self.now = Some(Unread {
                group,
                pictures: self.pictures(group)?,
                taken: 0,
            });
        }
    }

    fn pictures(&mut self, group: &Group) -> Result<Pictures, DataError> {
        let rows = match self.open.take() {
            Some((file, rows)) if file == group.file => rows,
            _ => Rows::open(&self.files[group.file])?,
        };
        let pictures = rows.pictures(group.group);
        self.open = Some((group.file, rows));
        pictures
    }
}
