//! The paths of many files, packed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Paths that are packed together.
const BLOCK: usize = 1024;

/// Paths of files, each a folder and what stands after it: eight bytes, and those of the name. They are
/// numbered in the order in which they came.
#[derive(Default)]
pub(crate) struct Paths {
    folders: Vec<PathBuf>,
    /// [`BLOCK`] paths each, save the last, so that none is copied where more come.
    blocks: Vec<Block>,
    count: usize,
    /// Names that are not Unicode.
    strange: BTreeMap<usize, OsString>,
}

#[derive(Default)]
struct Block {
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    /// Which folder each is of.
    folders: Vec<u32>,
}

impl Paths {
    /// Makes a folder known and returns its number.
    pub(crate) fn folder(&mut self, path: PathBuf) -> u32 {
        self.folders.push(path);
        self.folders.len() as u32 - 1
    }

    /// Adds what is called `name` in `folder` and returns its number.
    pub(crate) fn push(&mut self, folder: u32, name: &OsStr) -> u32 {
        if self.count.is_multiple_of(BLOCK) {
            self.blocks.last_mut().into_iter().for_each(Block::shrink);
            self.blocks.push(Block::default());
        }
        let text = name.to_str();
        if text.is_none() {
            self.strange.insert(self.count, name.to_owned());
        }
        if let Some(block) = self.blocks.last_mut() {
            block.text += text.unwrap_or_default();
            block.ends.push(block.text.len() as u32);
            block.folders.push(folder);
        }
        self.count += 1;
        self.count as u32 - 1
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// What stands after the folder.
    pub(crate) fn name(&self, number: usize) -> &OsStr {
        if let Some(name) = self.strange.get(&number) {
            return name;
        }
        let (block, place) = (&self.blocks[number / BLOCK], number % BLOCK);
        let start = place.checked_sub(1).map_or(0, |before| block.ends[before]);
        OsStr::new(&block.text[start as usize..block.ends[place] as usize])
    }

    /// The whole path.
    pub(crate) fn path(&self, number: usize) -> PathBuf {
        let folder = self.blocks[number / BLOCK].folders[number % BLOCK];
        self.folders[folder as usize].join(self.name(number))
    }

    /// The whole path as people read it.
    pub(crate) fn display(&self, number: usize) -> String {
        self.path(number).display().to_string()
    }

    /// The name without its ending, where that is Unicode.
    pub(crate) fn stem(&self, number: usize) -> Option<&str> {
        Path::new(self.name(number)).file_stem()?.to_str()
    }
}

impl Block {
    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.folders.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_given_back_as_they_came() {
        let mut paths = Paths::default();
        let folders = ["faces/happy", "faces/sad", ""].map(|folder| paths.folder(folder.into()));
        let names = |number: usize| match number % 4 {
            0 => String::new(),
            1 => "é".repeat(number % 90),
            2 => format!("below/{number}.png"),
            _ => format!("{number}"),
        };
        for number in 0..3000 {
            let pushed = paths.push(folders[number % 3], OsStr::new(&names(number)));
            assert_eq!(pushed as usize, number);
        }
        assert_eq!(paths.len(), 3000);
        for number in 0..3000 {
            assert_eq!(paths.name(number), OsStr::new(&names(number)));
        }
        assert_eq!(paths.path(1023), Path::new("faces/happy/1023"));
        assert_eq!(paths.path(2), Path::new("below/2.png"));
        assert_eq!(paths.stem(2), Some("2"));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_unicode_stay_what_they_are() {
        use std::os::unix::ffi::OsStrExt;

        let mut paths = Paths::default();
        let folder = paths.folder("faces".into());
        let strange = OsStr::from_bytes(b"sad\xff.png");
        for name in [OsStr::new("a.png"), strange, OsStr::new("b.png")] {
            paths.push(folder, name);
        }
        assert_eq!(paths.path(1), Path::new("faces").join(strange));
        assert_eq!(
            (paths.stem(0), paths.stem(1), paths.stem(2)),
            (Some("a"), None, Some("b"))
        );
    }
}
