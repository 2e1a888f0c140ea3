//! The server's configuration file: four lines at most. Everything else is in the package or in the data folder.

use exam_protocol::{DEFAULT_PORT, time::minutes};
use exam_room::rules::numbers::ENROL_CODE_VALID_MS;
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Largest configuration file looked at, in bytes.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// Longest life of an enrolment code, minutes: a week.
const CODE_VALID_MINUTES_MAX: u64 = 7 * 24 * 60;

/// What can be set. Unknown keys are refused: a misspelt one would silently do nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and UDP port to listen on.
    pub listen: SocketAddr,
    /// `error`, `warn`, `info` or `debug`.
    pub log_level: LogLevel,
    /// How long an enrolment code is good for, minutes.
    pub enrol_code_valid_minutes: u64,
    /// Folder of the backup that is brought up to date every minute, best on another disk.
    pub backup_dir: Option<PathBuf>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, DEFAULT_PORT)),
            log_level: LogLevel::Info,
            enrol_code_valid_minutes: ENROL_CODE_VALID_MS / minutes(1),
            backup_dir: None,
        }
    }
}

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("the configuration file {path} cannot be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be; the text names line and key.
    #[error("the configuration file {path} is not valid:\n{source}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Line, key and remedy.
        source: toml::de::Error,
    },
    /// A code valid for no time at all, or for longer than any exam.
    #[error(
        "the configuration file {path}: enrol_code_valid_minutes is {found}: it must be 1 to {CODE_VALID_MINUTES_MAX}"
    )]
    CodeValid {
        /// Which file.
        path: PathBuf,
        /// What it says.
        found: u64,
    },
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Names the file, the line and the key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = |source| ConfigError::File { path: path.to_owned(), source };
        let bytes = exam_link::private_file::read_limited(path, CONFIG_BYTES_MAX).map_err(file)?;
        let text =
            String::from_utf8(bytes).map_err(|e| file(std::io::Error::new(std::io::ErrorKind::InvalidData, e)))?;
        let config: Self = toml::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(&text))
            .map_err(|source| ConfigError::Invalid { path: path.to_owned(), source })?;
        if !(1..=CODE_VALID_MINUTES_MAX).contains(&config.enrol_code_valid_minutes) {
            return Err(ConfigError::CodeValid { path: path.to_owned(), found: config.enrol_code_valid_minutes });
        }
        Ok(config)
    }

    /// The level in the words of the log library.
    pub fn level(&self) -> tracing::Level {
        match self.log_level {
            LogLevel::Error => tracing::Level::ERROR,
            LogLevel::Warn => tracing::Level::WARN,
            LogLevel::Info => tracing::Level::INFO,
            LogLevel::Debug => tracing::Level::DEBUG,
        }
    }
}

/// Where the data folder is unless told otherwise.
pub fn default_data_dir() -> PathBuf {
    if cfg!(windows) {
        PathBuf::from(std::env::var_os("ProgramData").unwrap_or_else(|| "C:\\ProgramData".into())).join("exam-server")
    } else {
        PathBuf::from("/var/lib/exam-server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn a_code_is_valid_for_a_minute_to_a_week() {
        for (minutes, good) in
            [("0", false), ("1", true), ("10080", true), ("10081", false), ("9999999999999999", false)]
        {
            assert_eq!(read(&format!("enrol_code_valid_minutes = {minutes}")).is_ok(), good, "{minutes}");
        }
    }

    #[test]
    fn a_file_saved_with_a_bom_is_read_and_a_misspelt_key_refused() {
        assert_eq!(read("\u{FEFF}listen = \"127.0.0.1:5\"").unwrap().listen.port(), 5);
        assert!(matches!(read("lisen = \"127.0.0.1:5\""), Err(ConfigError::Invalid { .. })));
    }
}
