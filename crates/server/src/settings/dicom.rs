use super::within;
use crate::service::Bell;
use crate::{ServerError, tls};
use boneage_dicom::UidRoot;
use boneage_report::DicomKind;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::ClientConfig;

/// `[dicom]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dicom {
    /// Address and port of the node; left out, there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// The node's application entity title.
    pub aet: String,
    /// Titles of those who may call; empty: on localhost anybody.
    pub allow: Vec<String>,
    /// Associations at a time.
    pub associations: u32,
    /// Connections are encrypted, with the certificate of `[tls]`.
    pub tls: bool,
    /// What new UIDs begin with.
    pub uid_root: String,
    /// How long results are tried to be sent.
    pub give_up_hours: u32,
    /// Where results are sent.
    pub destinations: Vec<DicomDestination>,
}

/// `[[dicom.destinations]]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DicomDestination {
    /// The application entity title; each destination has another.
    pub aet: String,
    /// `host:port`.
    pub address: String,
    /// What is sent: `sr` (Structured Report), `sc` (Secondary Capture), `pdf` (Encapsulated PDF).
    #[serde(default = "everything")]
    pub send: Vec<String>,
    /// Titles of those whose films are meant; empty: everybody's.
    #[serde(default)]
    pub from: Vec<String>,
    /// The connection is encrypted.
    #[serde(default)]
    pub tls: bool,
    /// PEM file of whoever vouches for the destination's certificate; belongs to `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// PEM file of our own certificate, where the destination asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

fn everything() -> Vec<String> {
    DicomKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec()
}

impl Default for Dicom {
    fn default() -> Self {
        Dicom {
            listen: None,
            aet: "BONEAGE".to_owned(),
            allow: Vec::new(),
            associations: 16,
            tls: false,
            uid_root: UidRoot::default().to_string(),
            give_up_hours: 72,
            destinations: Vec::new(),
        }
    }
}

/// The DICOM node's settings, checked.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// `None`: there is no node.
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) aet: String,
    /// Empty: anybody.
    pub(crate) allow: Vec<String>,
    pub(crate) associations: usize,
    pub(crate) tls: bool,
    pub(crate) give_up: Duration,
    pub(crate) destinations: Vec<Arc<Destination>>,
}

/// Where results are sent.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) aet: String,
    pub(crate) address: String,
    pub(crate) send: Vec<DicomKind>,
    from: Vec<String>,
    /// How the connection is encrypted; `None`: it is not.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Wakes whoever sends there.
    pub(crate) bell: Bell,
}

impl Destination {
    /// Whether the results of a film from this sender go here.
    pub(crate) fn wants(&self, sender: &str) -> bool {
        self.from.is_empty() || self.from.iter().any(|from| from == sender)
    }

    /// Its name without the port, which its certificate must be for.
    pub(crate) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl Dicom {
    pub(super) fn root(&self) -> Result<UidRoot, ServerError> {
        self.uid_root.parse().map_err(|error: boneage_dicom::ParseRootError| ServerError::Setting {
            key: "dicom.uid_root",
            reason: error.to_string(),
        })
    }

    pub(super) fn check(self, certificate: bool, deidentify: bool) -> Result<Node, ServerError> {
        let wrong = |key, reason: &str| Err(ServerError::Setting { key, reason: reason.to_owned() });
        within("dicom.associations", self.associations.into(), 1, 256)?;
        within("dicom.give_up_hours", self.give_up_hours.into(), 1, 24 * 365)?;
        title("dicom.aet", &self.aet)?;
        for aet in &self.allow {
            title("dicom.allow", aet)?;
        }
        if self.tls && !certificate {
            return wrong("dicom.tls", "it needs a certificate; hint: set certificate and key under [tls]");
        }
        if self.listen.is_some_and(|listen| !listen.ip().is_loopback()) && self.allow.is_empty() {
            return wrong(
                "dicom.allow",
                "other machines can reach the node, so it must say which may call; hint: allow = [\"PACS\"]",
            );
        }
        if deidentify && !self.destinations.is_empty() {
            return wrong(
                "dicom.destinations",
                "results as DICOM carry the patient, whom a de-identified store does not keep; hint: deidentify = false",
            );
        }
        let mut destinations: Vec<Arc<Destination>> = Vec::new();
        for destination in self.destinations {
            let tls = destination.encryption()?;
            let DicomDestination { aet, address, send, from, .. } = destination;
            title("dicom.destinations", &aet)?;
            if destinations.iter().any(|other| other.aet == aet) {
                return wrong("dicom.destinations", &format!("{aet} is there twice"));
            }
            let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            if port.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
                return wrong("dicom.destinations", &format!("{address:?} is no address; hint: host:port"));
            }
            let kind = |word: &String| DicomKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            let Some(send) =
                send.iter().map(kind).collect::<Option<Vec<_>>>().filter(|send| !send.is_empty())
            else {
                return wrong("dicom.destinations", "send lists sr, sc and pdf");
            };
            destinations.push(Arc::new(Destination { aet, address, send, from, tls, bell: Bell::default() }));
        }
        Ok(Node {
            listen: self.listen,
            aet: self.aet,
            allow: self.allow,
            associations: self.associations as usize,
            tls: self.tls,
            give_up: Duration::from_secs(u64::from(self.give_up_hours) * 3600),
            destinations,
        })
    }
}

impl DicomDestination {
    /// How its connection is encrypted.
    fn encryption(&self) -> Result<Option<Arc<ClientConfig>>, ServerError> {
        let wrong = |reason: &str| {
            let reason = format!("{}: {reason}", self.aet);
            Err(ServerError::Setting { key: "dicom.destinations", reason })
        };
        let own = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((certificate.as_path(), key.as_path())),
            (None, None) => None,
            _ => return wrong("certificate and key belong together; hint: set both or none"),
        };
        match (self.tls, &self.authority) {
            (true, Some(authority)) => Ok(Some(Arc::new(tls::client(authority, own)?))),
            (true, None) => {
                wrong("tls needs an authority; hint: the PEM file of whoever signed its certificate")
            }
            // Who names a certificate means the connection to be encrypted, and must not be wrong about it.
            (false, None) if own.is_none() => Ok(None),
            (false, _) => wrong("a certificate is given and tls is not set; hint: tls = true"),
        }
    }
}

/// An application entity title (PS3.5, 6.2): 1 to 16 characters, no backslash, not spaces alone.
fn title(key: &'static str, word: &str) -> Result<(), ServerError> {
    let letters = word.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\');
    if (1..=16).contains(&word.len()) && letters && word.trim() == word {
        return Ok(());
    }
    let reason = format!("{word:?} is no AE title; hint: 1 to 16 characters, as BONEAGE");
    Err(ServerError::Setting { key, reason })
}

#[cfg(test)]
mod tests {
    use crate::{Settings, SettingsFile};

    fn fault(text: &str) -> String {
        Settings::check(SettingsFile::from_toml(text).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn a_node_says_whom_it_knows() {
        let open = "[dicom]\nlisten = \"0.0.0.0:11112\"\n";
        assert!(fault(open).contains("which may call"));
        let text = format!(
            "{open}allow = [\"PACS\"]\n[[dicom.destinations]]\naet = \"PACS\"\naddress = \"pacs:104\"\nfrom = [\"CR1\"]\n"
        );
        let node = Settings::check(SettingsFile::from_toml(&text).unwrap()).unwrap().node;
        let destination = &node.destinations[0];
        assert!(destination.wants("CR1") && !destination.wants("CR2") && destination.send.len() == 3);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        assert!(fault("[dicom]\naet = \"A TITLE THAT IS TOO LONG\"").contains("no AE title"));
        assert!(fault("[dicom]\ntls = true").contains("needs a certificate"));
        assert!(fault("[dicom]\nuid_root = \"abc\"").contains("no root of UIDs"));
        let to = |what: &str| format!("[[dicom.destinations]]\naet = \"PACS\"\n{what}");
        assert!(fault(&to("address = \"pacs\"")).contains("no address"));
        assert!(fault(&to("address = \"pacs:104\"\nsend = [\"txt\"]")).contains("sr, sc and pdf"));
        assert!(fault(&to("address = \"pacs:104\"\ntls = true")).contains("needs an authority"));
        assert!(fault(&to("address = \"pacs:104\"\nauthority = \"ca.pem\"")).contains("tls is not set"));
        assert!(fault(&to("address = \"pacs:104\"\nkey = \"k.pem\"")).contains("belong together"));
        let absent = "address = \"pacs:104\"\ntls = true\nauthority = \"absent.pem\"";
        assert!(fault(&to(absent)).contains("certificate absent.pem"));
        let identified = format!("[storage]\ndeidentify = true\n{}", to("address = \"pacs:104\""));
        assert!(fault(&identified).contains("carry the patient"));
    }
}
