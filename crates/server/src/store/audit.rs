use super::Store;
use crate::clock::{Moment, now};
use rusqlite::{Connection, params};

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    LoggedIn,
    LoginFailed,
    LoggedOut,
    Uploaded,
    Saw,
    Accepted,
    Overruled,
    Reopened,
    /// Had a film read again.
    ReadAgain,
    Deleted,
    Exported,
    /// By the settings' `keep_days`.
    Expired,
    UserAdded,
    UserRemoved,
    TokenMade,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Action::LoggedIn => "logged_in",
            Action::LoginFailed => "login_failed",
            Action::LoggedOut => "logged_out",
            Action::Uploaded => "uploaded",
            Action::Saw => "saw",
            Action::Accepted => "accepted",
            Action::Overruled => "overruled",
            Action::Reopened => "reopened",
            Action::ReadAgain => "read_again",
            Action::Deleted => "deleted",
            Action::Exported => "exported",
            Action::Expired => "expired",
            Action::UserAdded => "user_added",
            Action::UserRemoved => "user_removed",
            Action::TokenMade => "token_made",
        }
    }
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuditRow {
    pub(crate) id: i64,
    pub(crate) at: Moment,
    pub(crate) user: String,
    pub(crate) action: String,
    pub(crate) film: Option<String>,
    pub(crate) detail: String,
}

impl Store {
    /// Adds a line. `detail` never holds a file's name, a comment or anything else that may name a patient.
    pub(crate) fn audit(
        &self,
        user: &str,
        action: Action,
        film: Option<&str>,
        detail: &str,
    ) -> rusqlite::Result<()> {
        add(&self.connection(), user, action, film, detail)
    }

    /// Lines newest first, and their number in all.
    pub(crate) fn audit_log(&self, offset: u64, limit: u64) -> rusqlite::Result<(Vec<AuditRow>, u64)> {
        let connection = self.connection();
        let total = connection.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0))?;
        let mut lines = connection.prepare_cached(
            "SELECT id, at, user, action, film, detail FROM audit ORDER BY id DESC LIMIT ?1 OFFSET ?2",
        )?;
        let rows = lines.query_map(params![limit as i64, offset as i64], |row| {
            Ok(AuditRow {
                id: row.get(0)?,
                at: row.get(1)?,
                user: row.get(2)?,
                action: row.get(3)?,
                film: row.get(4)?,
                detail: row.get(5)?,
            })
        })?;
        Ok((rows.collect::<Result<_, _>>()?, total as u64))
    }
}

/// Adds a line within a change that is under way.
pub(super) fn add(
    connection: &Connection,
    user: &str,
    action: Action,
    film: Option<&str>,
    detail: &str,
) -> rusqlite::Result<()> {
    let mut line = connection
        .prepare_cached("INSERT INTO audit (at, user, action, film, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    line.execute(params![now(), user, action.as_str(), film, detail])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    #[test]
    fn the_log_grows_and_never_changes() {
        let (_dir, store) = store();
        store.audit("anna", Action::Saw, Some("f1"), "").unwrap();
        store.audit("anna", Action::Accepted, Some("f1"), "").unwrap();
        let (lines, total) = store.audit_log(0, 1).unwrap();
        assert_eq!((lines[0].action.as_str(), lines.len(), total), ("accepted", 1, 2));
        for change in ["UPDATE audit SET user = 'bert'", "DELETE FROM audit"] {
            let refused = store.connection().execute(change, []).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
    }
}
