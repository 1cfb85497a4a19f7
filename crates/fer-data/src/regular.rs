//! Reading files that anybody may have made.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens the file at `path`, and gives its length in bytes as it is now. A pipe may keep its reader
/// waiting for ever, a device may never end, and some do something when they are opened: none of them
/// is opened, or kept open where it took a file's place a moment ago.
///
/// # Errors
/// What the system answers; `InvalidInput` for a folder, a pipe, a socket or a device.
pub fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    check(&fs::metadata(path)?)?;
    let file = options().open(path)?;
    let found = file.metadata()?;
    check(&found)?;
    Ok((file, found.len()))
}

/// The bytes of the file at `path`, as many as it has when it is opened, or fewer where it was cut short
/// while it was read.
///
/// # Errors
/// Those of [`open_regular`]; `FileTooLarge` for more than `most` bytes.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open_regular(path)?;
    if length > most {
        let reason = format!("it has {length} bytes, at most {most} are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let reason = "it is a folder, a pipe or a device, expected a file";
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

/// To open a pipe waits for who writes to it, unless it is asked not to.
#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_whole_up_to_a_bound_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read_regular(&path, 100).unwrap(), [7; 100]);
        let large = read_regular(&path, 99).unwrap_err();
        assert_eq!(large.kind(), io::ErrorKind::FileTooLarge);
        assert!(
            large.to_string().contains("100 bytes, at most 99"),
            "{large}"
        );
        let other = read_regular(folder.path(), 100).unwrap_err();
        assert!(other.to_string().contains("expected a file"), "{other}");
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_that_takes_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if !made.is_ok_and(|status| status.success()) {
            return;
        }
        assert!(open_regular(&pipe).is_err());
        let late = options().open(&pipe).unwrap();
        assert!(check(&late.metadata().unwrap()).is_err());
    }
}
