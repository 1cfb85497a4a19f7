use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fer_data::printable_path;

use super::Config;

impl Config {
    /// Checks that it can be written as TOML, before anything long begins.
    ///
    /// # Errors
    /// A path that is not Unicode, by name.
    pub fn check_paths(&self) -> Result<()> {
        match self.paths().find(|path| path.to_str().is_none()) {
            None => Ok(()),
            Some(path) => bail!(
                "{} is not Unicode, and the run could not name it in its config.toml: rename it, or name a \
                 link to it",
                printable_path(path)
            ),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let data = &self.data;
        let data = [
            Some(&data.path),
            data.label_map.as_ref(),
            data.ferplus.as_ref(),
        ];
        let models = [
            self.init.as_ref().map(|init| &init.model),
            self.calibration.abstention.as_ref(),
        ];
        let teachers = self
            .distillation
            .iter()
            .flat_map(|settings| &settings.teachers);
        data.into_iter()
            .chain(models)
            .flatten()
            .chain(teachers)
            .map(PathBuf::as_path)
    }
}

#[cfg(test)]
#[cfg(unix)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_path_that_no_configuration_could_hold_is_named() {
        let mut config = Config::default();
        assert!(config.check_paths().is_ok());
        config.data.path = OsStr::from_bytes(b"caf\xe9").into();
        let said = config.check_paths().unwrap_err().to_string();
        assert!(said.starts_with("caf\u{fffd} is not Unicode"), "{said}");
        assert!(config.to_toml().is_err());
    }
}
