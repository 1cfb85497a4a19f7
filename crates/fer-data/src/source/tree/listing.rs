use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use crate::source::paths::Paths;

/// What a folder's listing says of an entry.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, a pipe, a device, or what the listing does not tell.
    Other,
}

/// The names in one folder.
pub(super) struct Listing {
    names: Paths,
    kinds: Vec<Kind>,
    /// The numbers of the names in the order of their bytes.
    order: Vec<u32>,
}

impl Listing {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut names = Paths::default();
        let mut kinds = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            names.push(0, &entry.file_name());
            kinds.push(match entry.file_type() {
                Ok(kind) if kind.is_file() => Kind::File,
                Ok(kind) if kind.is_dir() => Kind::Folder,
                _ => Kind::Other,
            });
        }
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        let bytes = |number: u32| names.name(number as usize).as_encoded_bytes();
        order.sort_unstable_by(|&one, &other| bytes(one).cmp(bytes(other)));
        Ok(Listing {
            names,
            kinds,
            order,
        })
    }

    /// The entries in the order of the bytes of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OsStr, Kind)> {
        let numbers = self.order.iter().map(|&number| number as usize);
        numbers.map(|number| (self.names.name(number), self.kinds[number]))
    }

    /// Pairs of names that differ in letter case only.
    pub(super) fn case_twins(&self) -> Vec<(&OsStr, &OsStr)> {
        let name = |place: u32| self.names.name(self.order[place as usize] as usize);
        let lower = |place| name(place).to_string_lossy().to_lowercase();
        // Equal hashes are looked at again; holding each name in lower case would take its memory twice.
        let mut hashes: Vec<(u64, u32)> = (0..self.order.len() as u32)
            .map(|place| {
                let mut hasher = DefaultHasher::new();
                lower(place).hash(&mut hasher);
                (hasher.finish(), place)
            })
            .collect();
        hashes.sort_unstable();
        let mut twins = Vec::new();
        for alike in hashes.chunk_by(|one, other| one.0 == other.0) {
            for (at, &(_, place)) in alike.iter().enumerate().skip(1) {
                let before = alike[..at].iter().rev().map(|&(_, before)| before);
                let mut before = before.filter(|&before| lower(before) == lower(place));
                if let Some(twin) = before.next().filter(|_| name(place).to_str().is_some()) {
                    twins.push((place, twin));
                }
            }
        }
        twins.sort_unstable();
        let twins = twins.into_iter();
        twins
            .map(|(place, twin)| (name(twin), name(place)))
            .collect()
    }
}
