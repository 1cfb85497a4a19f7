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
    replace_with(path, |file| file.write_all(bytes))
}

/// As [`replace`], with what `write` writes.
///
/// # Errors
/// What the system or `write` answered.
pub fn replace_with<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let partial = partial(path);
    let written = written(&partial, write).and_then(|value| {
        fs::rename(&partial, path)?;
        Ok(value)
    });
    if written.is_err() {
        // What is left of a file that did not fit would keep the disk full.
        let _ = fs::remove_file(&partial);
    }
    let value = written?;
    sync_directory(path)?;
    Ok(value)
}

/// Where [`replace`] writes before it renames: `.NAME.partial` in the same directory. One that is
/// found was left by a process that died.
pub fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

fn written<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let mut file = File::create(path)?;
    let value = write(&mut file)?;
    file.sync_all()?;
    Ok(value)
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
