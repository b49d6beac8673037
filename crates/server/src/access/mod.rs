//! Who may do what: roles, passwords, sessions, tokens, and what a browser may be led to do.

mod identify;
mod password;
mod request;
mod secret;
mod slowdown;
mod users;

pub(crate) use identify::{Person, SESSION_COOKIE, identify};
pub use password::MIN_PASSWORD;
pub(crate) use password::matches;
pub(crate) use request::{Peer, guard};
pub(crate) use secret::secret;
pub(crate) use slowdown::Slowdown;
pub use users::Users;

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a user may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees films and readings, and exports them.
    Viewer,
    /// Uploads films, accepts and overrules readings.
    Reader,
    /// Deletes films and sees the audit log.
    Admin,
}

impl Role {
    /// The lower-case word of every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Reader => "reader",
            Role::Admin => "admin",
        }
    }

    /// A role from the database, whose schema allows no other word.
    pub(crate) fn stored(word: String) -> Role {
        word.parse().unwrap_or(Role::Viewer)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Role::Viewer, Role::Reader, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| format!("role {word:?} is not known; hint: write viewer, reader or admin"))
    }
}
