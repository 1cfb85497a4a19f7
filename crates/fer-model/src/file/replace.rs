use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Puts `bytes` at `path` in one step: whoever looks finds the old file or the new one, whole, and
/// so does who comes after a power cut. Where it fails the old file stands and nothing is left over.
///
/// They are written to [`partial`] beside it, synced, and renamed; then the directory is synced.
///
/// # Errors
/// What the system answered.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = partial(path);
    let written = write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What is left of a file that did not fit would keep the disk full.
        let _ = fs::remove_file(&partial);
    }
    written.and_then(|()| sync_directory(path))
}

/// Where [`replace`] writes before it renames: `.NAME.partial` in the same directory. One that is
/// found was left by a process that died.
pub fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Elsewhere a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
