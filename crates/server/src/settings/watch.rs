use super::within;
use crate::ServerError;
use crate::results::Format;
use crate::service::Bell;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `[watch]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// The folder that films are put into; left out, none is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Folder of the results; else `results` in the watched one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// What is written of each film, by the names that the REST service has for it.
    pub write: Vec<String>,
    /// Results are sent to the destinations under `[dicom]`, as of films that came from the node's own title.
    pub send: bool,
    /// How long a file must not have changed before it is taken.
    pub settle_seconds: u32,
}

impl Default for Watch {
    fn default() -> Self {
        let write = [Format::Json, Format::Page].map(|format| format.name().to_owned()).to_vec();
        Watch { folder: None, out: None, write, send: false, settle_seconds: 5 }
    }
}

/// The folder that is watched, checked.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) folder: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) write: Vec<Format>,
    /// The title that its films count as sent from, if their results are sent.
    pub(crate) sender: Option<String>,
    pub(crate) settle: Duration,
    /// Wakes whoever watches.
    pub(crate) bell: Bell,
}

impl Watch {
    /// `aet` is the node's own title; `sends` whether there is anywhere to send to.
    pub(super) fn check(self, aet: &str, sends: bool) -> Result<Option<Arc<Watched>>, ServerError> {
        let wrong = |key, reason: String| Err(ServerError::Setting { key, reason });
        within("watch.settle_seconds", self.settle_seconds.into(), 0, 3600)?;
        let formats: Result<Vec<Format>, &String> =
            self.write.iter().map(|name| Format::of(name).ok_or(name)).collect();
        let write = match formats {
            Ok(formats) => formats,
            Err(name) => {
                let names = Format::ALL.map(Format::name).join(", ");
                return wrong("watch.write", format!("{name:?} is not known; hint: {names}"));
            }
        };
        if self.send && !sends {
            let reason = "there is no destination; hint: add [[dicom.destinations]]";
            return wrong("watch.send", reason.to_owned());
        }
        let Some(folder) = self.folder else { return Ok(None) };
        if write.is_empty() && !self.send {
            return wrong("watch.write", "nothing is written and nothing sent".to_owned());
        }
        let out = self.out.unwrap_or_else(|| folder.join("results"));
        if out == folder {
            return wrong("watch.out", "results among films would be taken for films".to_owned());
        }
        Ok(Some(Arc::new(Watched {
            folder,
            out,
            write,
            sender: self.send.then(|| aet.to_owned()),
            settle: Duration::from_secs(self.settle_seconds.into()),
            bell: Bell::default(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Settings, SettingsFile};

    #[test]
    fn what_cannot_be_meant_is_named() {
        let fault =
            |text: &str| Settings::check(SettingsFile::from_toml(text).unwrap()).unwrap_err().to_string();
        assert!(fault("[watch]\nwrite = [\"txt\"]").contains("reading.json"));
        assert!(fault("[watch]\nsend = true").contains("no destination"));
        assert!(fault("[watch]\nfolder = \"in\"\nwrite = []").contains("nothing is written"));
        assert!(fault("[watch]\nfolder = \"in\"\nout = \"in\"").contains("taken for films"));
        let watched = Settings::check(SettingsFile::from_toml("[watch]\nfolder = \"in\"").unwrap());
        assert!(watched.unwrap().watch.unwrap().out.ends_with("in/results"));
    }
}
