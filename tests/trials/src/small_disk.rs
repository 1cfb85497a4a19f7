use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// A small disk in memory, gone with the value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it in a new folder, with a size such as `size=34m`; `None` where that is not allowed, as to anybody but the
    /// superuser.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn mount(path: PathBuf, size: &str) -> Result<Option<Self>> {
        fs::create_dir(&path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", size, "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        Ok(mounted
            .is_ok_and(|status| status.success())
            .then_some(SmallDisk(path)))
    }

    /// Makes it larger or smaller.
    ///
    /// # Errors
    /// A size that it cannot have.
    pub fn resize(&self, size: &str) -> Result<()> {
        let options = format!("remount,{size}");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status()?;
        ensure!(status.success(), "the small disk cannot grow");
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
