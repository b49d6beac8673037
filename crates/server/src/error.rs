use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the service cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The settings are no TOML, or hold a key that is not known.
    #[error("settings: {0}")]
    Toml(#[from] toml::de::Error),
    /// A setting has a value that cannot be used.
    #[error("setting {key}: {reason}")]
    Setting {
        /// The key, with its table.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Reachable from other machines, and open to everybody.
    #[error(
        "{listen} can be reached from other machines, so people must log in; hint: add a user with boneage users add, and set login = true under [access]"
    )]
    Open {
        /// The address of the settings.
        listen: SocketAddr,
    },
    /// Reachable from other machines, and passwords would travel as they are typed.
    #[error(
        "{listen} can be reached from other machines, so connections must be encrypted; hint: set certificate and key under [tls], or proxy = true where a proxy in front of boneage does it"
    )]
    Plain {
        /// The address of the settings.
        listen: SocketAddr,
    },
    /// People must log in, and there is nobody who could.
    #[error("login = true and there is no user yet; hint: boneage users add NAME --role admin")]
    Nobody,
    /// Another process serves the same data.
    #[error(
        "{folder} is served by another boneage already; hint: stop it, or give another folder with --data"
    )]
    Served {
        /// The data folder.
        folder: PathBuf,
    },
    /// Another process watches the same folder.
    #[error("{folder} is watched by another boneage already; hint: stop it, or watch another folder")]
    Watched {
        /// The watched folder.
        folder: PathBuf,
    },
    /// A file or a folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("could not listen on {listen}: {source}; hint: choose another with --listen")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A certificate or its key.
    #[error("certificate {path}: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The database.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database is of another version, or damaged.
    #[error("database: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// A user that is there already, or is not there, or has an unfit name or password.
    #[error("{0}")]
    User(String),
    /// The system gives no random numbers or no threads.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}
