mod dicom;
mod watch;

use crate::ServerError;
use boneage_dicom::UidRoot;
use boneage_report::Reference;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use dicom::Dicom;
pub(crate) use dicom::{Destination, Node};
pub(crate) use watch::{Watch, Watched};

/// The settings as they are written in TOML; every key has a default, unknown keys are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFile {
    /// Address and port.
    pub listen: SocketAddr,
    /// Folder of the database, the uploads and the pictures; else the user's data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// What is taken.
    pub upload: Upload,
    /// How films are read.
    pub reading: ReadingPlan,
    /// What is kept.
    pub storage: Storage,
    /// Who may do what.
    pub access: Access,
    /// Encryption.
    pub tls: Tls,
    /// The DICOM node.
    pub dicom: Dicom,
    /// A folder that films are put into.
    pub watch: Watch,
}

/// `[upload]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upload {
    /// Largest file, in millions of bytes.
    pub max_megabytes: u64,
    /// Largest image, in millions of pixels.
    pub max_megapixels: u64,
}

/// `[reading]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadingPlan {
    /// How often a film is tried whose reading was interrupted or failed for a reason that may pass.
    pub attempts: u32,
    /// How long a film is reserved for the worker that reads it.
    pub lease_seconds: u32,
    /// Table of usual bone ages, with the columns sex,age,mean,sd in months; else the Brush Foundation's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<PathBuf>,
}

/// `[storage]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// File names are not kept, and the uploaded file is deleted as soon as it is read.
    pub deidentify: bool,
    /// Films are deleted this many days after they came; 0: never.
    pub keep_days: u32,
}

/// `[access]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// People must log in, programs must show a token.
    pub login: bool,
    /// Names by which the service may be called; empty: on localhost its own names, elsewhere any.
    pub hosts: Vec<String>,
    /// How long a login lasts.
    pub session_hours: u32,
}

/// `[tls]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file of the certificate and those that vouch for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// A proxy in front of the service encrypts instead.
    pub proxy: bool,
}

impl Default for SettingsFile {
    fn default() -> Self {
        SettingsFile {
            listen: SocketAddr::from(([127, 0, 0, 1], 8642)),
            data: None,
            upload: Upload::default(),
            reading: ReadingPlan::default(),
            storage: Storage::default(),
            access: Access::default(),
            tls: Tls::default(),
            dicom: Dicom::default(),
            watch: Watch::default(),
        }
    }
}

impl Default for Upload {
    fn default() -> Self {
        Upload { max_megabytes: 200, max_megapixels: 100 }
    }
}

impl Default for ReadingPlan {
    fn default() -> Self {
        ReadingPlan { attempts: 5, lease_seconds: 120, reference: None }
    }
}

impl Default for Access {
    fn default() -> Self {
        Access { login: false, hosts: Vec::new(), session_hours: 12 }
    }
}

impl SettingsFile {
    /// Settings from TOML.
    ///
    /// # Errors
    /// If the text is no TOML or holds an unknown key; the message shows the line.
    pub fn from_toml(text: &str) -> Result<Self, ServerError> {
        Ok(toml::from_str(text)?)
    }

    /// All settings as TOML, defaults included.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are plain tables")
    }
}

/// Settings that were checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) max_bytes: u64,
    pub(crate) max_pixels: u64,
    pub(crate) attempts: u32,
    pub(crate) lease: Duration,
    pub(crate) reference: Reference,
    pub(crate) uid_root: UidRoot,
    /// The DICOM node; its listener and its destinations.
    pub(crate) node: Node,
    /// The folder that is watched.
    pub(crate) watch: Option<Arc<Watched>>,
    pub(crate) deidentify: bool,
    /// `None`: films are kept for ever.
    pub(crate) keep: Option<Duration>,
    pub(crate) login: bool,
    /// Empty: any.
    pub(crate) hosts: Vec<String>,
    pub(crate) session: Duration,
    /// Certificate and key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Browsers reach the service by https, from here or from a proxy.
    pub(crate) https: bool,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Settings {
    /// Settings that can be served.
    ///
    /// # Errors
    /// If a value is out of its range, or if the service would stand open to other machines: there people must log
    /// in and connections must be encrypted.
    pub fn check(file: SettingsFile) -> Result<Self, ServerError> {
        let SettingsFile { listen, data, upload, reading, storage, access, tls, dicom, watch } = file;
        within("upload.max_megabytes", upload.max_megabytes, 1, 10_000)?;
        within("upload.max_megapixels", upload.max_megapixels, 1, 10_000)?;
        within("reading.attempts", reading.attempts.into(), 1, 100)?;
        within("reading.lease_seconds", reading.lease_seconds.into(), 10, 3600)?;
        within("storage.keep_days", storage.keep_days.into(), 0, 36_500)?;
        within("access.session_hours", access.session_hours.into(), 1, 24 * 30)?;
        let local = listen.ip().is_loopback();
        let pair = match (tls.certificate, tls.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                let reason = "certificate and key belong together; hint: set both or none".into();
                return Err(ServerError::Setting { key: "tls", reason });
            }
        };
        if !local && !access.login {
            return Err(ServerError::Open { listen });
        }
        if !local && pair.is_none() && !tls.proxy {
            return Err(ServerError::Plain { listen });
        }
        let mut hosts = access.hosts;
        if local && hosts.is_empty() {
            hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
            hosts.push(match listen.ip() {
                std::net::IpAddr::V4(ip) => ip.to_string(),
                std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        let uid_root = dicom.root()?;
        let node = dicom.check(pair.is_some(), storage.deidentify)?;
        let watch = watch.check(&node.aet, !node.destinations.is_empty())?;
        Ok(Settings {
            listen,
            data: data.or_else(data_folder).ok_or(ServerError::Setting {
                key: "data",
                reason: "there is no home folder; hint: give a folder with --data".into(),
            })?,
            max_bytes: upload.max_megabytes * 1_000_000,
            max_pixels: upload.max_megapixels * 1_000_000,
            attempts: reading.attempts,
            lease: Duration::from_secs(reading.lease_seconds.into()),
            reference: reference(reading.reference.as_deref())?,
            uid_root,
            node,
            watch,
            deidentify: storage.deidentify,
            keep: (storage.keep_days > 0).then(|| DAY * storage.keep_days),
            login: access.login,
            hosts,
            session: Duration::from_secs(u64::from(access.session_hours) * 3600),
            https: pair.is_some() || tls.proxy,
            tls: pair,
        })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }
}

/// A table of one's own, called by the name of its file, or the one that is built in.
fn reference(path: Option<&Path>) -> Result<Reference, ServerError> {
    let Some(path) = path else { return Ok(Reference::brush_foundation()) };
    Reference::read(path).map_err(|error| {
        let reason = format!("{}: {error}", path.display());
        ServerError::Setting { key: "reading.reference", reason }
    })
}

pub(super) fn within(key: &'static str, value: u64, least: u64, most: u64) -> Result<(), ServerError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ServerError::Setting { key, reason: format!("{value} is not within {least} to {most}") })
}

/// `$XDG_DATA_HOME/boneage`, else `~/.local/share/boneage`.
fn data_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(base.join("boneage"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Settings, String> {
        let file = SettingsFile::from_toml(text).map_err(|error| error.to_string())?;
        Settings::check(file).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_at_all_is_enough_and_stays_on_this_machine() {
        let settings = checked("").unwrap();
        assert!(settings.listen.ip().is_loopback() && !settings.login && settings.tls.is_none());
        let again = SettingsFile::from_toml(&SettingsFile::default().to_toml()).unwrap();
        assert_eq!(again.to_toml(), SettingsFile::default().to_toml());
    }

    #[test]
    fn other_machines_come_in_by_login_and_encrypted_only() {
        let open = "listen = \"0.0.0.0:80\"\n";
        assert!(checked(open).unwrap_err().contains("must log in"));
        let plain = format!("{open}[access]\nlogin = true\n");
        assert!(checked(&plain).unwrap_err().contains("must be encrypted"));
        checked(&format!("{plain}[tls]\nproxy = true\n")).unwrap();
        assert!(
            checked(&format!("{plain}[tls]\nkey = \"k.pem\"\n")).unwrap_err().contains("belong together")
        );
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_named() {
        assert!(checked("lsiten = \"127.0.0.1:1\"").unwrap_err().contains("lsiten"));
        assert!(checked("[upload]\nmax_megabytes = 0").unwrap_err().contains("upload.max_megabytes"));
    }
}
