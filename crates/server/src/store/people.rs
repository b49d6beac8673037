use super::{Action, Store, audit};
use crate::access::Role;
use crate::clock::Moment;
use boneage_core::Digest;
use rusqlite::{OptionalExtension, params};

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UserRow {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The password's argon2id hash.
    pub(crate) password: String,
}

/// A login that lasts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SessionRow {
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) csrf: String,
}

impl Store {
    pub(crate) fn user(&self, name: &str) -> rusqlite::Result<Option<UserRow>> {
        let connection = self.connection();
        let mut user = connection.prepare_cached("SELECT name, role, password FROM users WHERE name = ?1")?;
        user.query_row([name], |row| {
            Ok(UserRow { name: row.get(0)?, role: Role::stored(row.get(1)?), password: row.get(2)? })
        })
        .optional()
    }

    /// Names and roles, by name.
    pub(crate) fn users(&self) -> rusqlite::Result<Vec<(String, Role)>> {
        let connection = self.connection();
        let mut users = connection.prepare_cached("SELECT name, role FROM users ORDER BY name")?;
        users.query_map([], |row| Ok((row.get(0)?, Role::stored(row.get(1)?))))?.collect()
    }

    /// Adds a user. False: there is one of this name.
    pub(crate) fn add_user(&self, user: &UserRow, at: Moment) -> rusqlite::Result<bool> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let added = change.execute(
            "INSERT INTO users (name, role, password, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![user.name, user.role.as_str(), user.password, at],
        )?;
        if added == 1 {
            let detail = format!("{} as {}", user.name, user.role.as_str());
            audit::add(&change, COMMAND_LINE, Action::UserAdded, None, &detail)?;
        }
        change.commit()?;
        Ok(added == 1)
    }

    /// Removes a user with all sessions and tokens. False: there is none of this name.
    pub(crate) fn remove_user(&self, name: &str) -> rusqlite::Result<bool> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let removed = change.execute("DELETE FROM users WHERE name = ?1", [name])?;
        if removed == 1 {
            audit::add(&change, COMMAND_LINE, Action::UserRemoved, None, name)?;
        }
        change.commit()?;
        Ok(removed == 1)
    }

    /// Begins a session; the secret itself is never stored.
    pub(crate) fn begin_session(
        &self,
        secret: &Digest,
        user: &str,
        csrf: &str,
        at: Moment,
        until: Moment,
    ) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        change.execute("DELETE FROM sessions WHERE until <= ?1", [at])?;
        change.execute(
            "INSERT INTO sessions (digest, user, csrf, until) VALUES (?1, ?2, ?3, ?4)",
            params![secret.0, user, csrf, until],
        )?;
        audit::add(&change, user, Action::LoggedIn, None, "")?;
        change.commit()
    }

    pub(crate) fn session(&self, secret: &Digest, at: Moment) -> rusqlite::Result<Option<SessionRow>> {
        let connection = self.connection();
        let mut session = connection.prepare_cached(
            "SELECT users.name, users.role, sessions.csrf FROM sessions JOIN users ON users.name = sessions.user
             WHERE sessions.digest = ?1 AND sessions.until > ?2",
        )?;
        session
            .query_row(params![secret.0, at], |row| {
                Ok(SessionRow { user: row.get(0)?, role: Role::stored(row.get(1)?), csrf: row.get(2)? })
            })
            .optional()
    }

    pub(crate) fn end_session(&self, secret: &Digest, user: &str) -> rusqlite::Result<()> {
        let connection = self.connection();
        connection.execute("DELETE FROM sessions WHERE digest = ?1", [&secret.0])?;
        audit::add(&connection, user, Action::LoggedOut, None, "")
    }

    /// Adds a token for programs; only its digest is stored. False: there is no such user.
    pub(crate) fn add_token(&self, secret: &Digest, user: &str, at: Moment) -> rusqlite::Result<bool> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let added = change.execute(
            "INSERT INTO tokens (digest, user, created_at) SELECT ?1, name, ?3 FROM users WHERE name = ?2",
            params![secret.0, user, at],
        )?;
        if added == 1 {
            audit::add(&change, COMMAND_LINE, Action::TokenMade, None, user)?;
        }
        change.commit()?;
        Ok(added == 1)
    }

    /// Who a token belongs to.
    pub(crate) fn token(&self, secret: &Digest) -> rusqlite::Result<Option<(String, Role)>> {
        let connection = self.connection();
        let mut token = connection.prepare_cached(
            "SELECT users.name, users.role FROM tokens JOIN users ON users.name = tokens.user
             WHERE tokens.digest = ?1",
        )?;
        token.query_row([&secret.0], |row| Ok((row.get(0)?, Role::stored(row.get(1)?)))).optional()
    }
}

/// Who the audit log says it was, for what is done on the command line.
const COMMAND_LINE: &str = "command line";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    #[test]
    fn a_session_ends_with_its_time_and_with_its_user() {
        let (_dir, store) = store();
        let anna = UserRow { name: "anna".into(), role: Role::Reader, password: "hash".into() };
        assert!(store.add_user(&anna, 1).unwrap());
        assert!(!store.add_user(&anna, 1).unwrap());
        let [secret, token] = ["s", "t"].map(|text| Digest::of(text.as_bytes()));
        store.begin_session(&secret, "anna", "csrf", 10, 20).unwrap();
        assert_eq!(store.session(&secret, 19).unwrap().map(|row| row.role), Some(Role::Reader));
        assert_eq!(store.session(&secret, 20).unwrap(), None);
        assert!(store.add_token(&token, "anna", 1).unwrap());
        assert!(!store.add_token(&token, "bert", 1).unwrap());
        assert_eq!(store.token(&token).unwrap(), Some(("anna".into(), Role::Reader)));
        assert!(store.remove_user("anna").unwrap());
        assert_eq!(store.session(&secret, 15).unwrap(), None);
        assert_eq!(store.token(&token).unwrap(), None);
    }
}
