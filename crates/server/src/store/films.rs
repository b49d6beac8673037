use super::{Action, Store, audit};
use crate::clock::Moment;
use crate::incoming::Arrived;
use crate::reading::Reading;
use boneage_core::{Digest, Sex};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use std::io;

/// Where a film is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It waits for the worker.
    Queued,
    /// The worker reads it.
    Leased,
    /// It has a reading.
    Done,
    /// It will have none; the reason is told.
    Failed,
    /// It is kept, and by its header nothing for us to read.
    Skipped,
}

impl State {
    pub(crate) const ALL: [State; 5] =
        [State::Queued, State::Leased, State::Done, State::Failed, State::Skipped];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Leased => "leased",
            State::Done => "done",
            State::Failed => "failed",
            State::Skipped => "skipped",
        }
    }

    pub(crate) fn of(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a person says of a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The reading stands.
    Accepted,
    /// This age counts instead, in months.
    Overruled(f64),
}

/// A verdict with its author.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Review {
    pub(crate) verdict: Verdict,
    pub(crate) comment: String,
    pub(crate) by: String,
    pub(crate) at: Moment,
}

/// A film as the worklist knows it.
#[derive(Clone, Debug)]
pub(crate) struct FilmRow {
    pub(crate) id: String,
    pub(crate) digest: Digest,
    pub(crate) sex: Option<Sex>,
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) source: String,
    /// The application entity that sent it, if it came as DICOM.
    pub(crate) sender: Option<String>,
    /// Its SOP instance UID, if it came as DICOM.
    pub(crate) instance: Option<String>,
    pub(crate) received_at: Moment,
    pub(crate) state: State,
    pub(crate) attempts: u32,
    pub(crate) failure: Option<String>,
    pub(crate) reading: Option<Reading>,
    pub(crate) read_at: Option<Moment>,
    pub(crate) review: Option<Review>,
}

impl FilmRow {
    /// The age that counts: a person's where one overruled, else the model's.
    pub(crate) fn months(&self) -> Option<f64> {
        match self.review.as_ref().map(|review| review.verdict) {
            Some(Verdict::Overruled(months)) => Some(months),
            _ => self.reading.as_ref()?.months,
        }
    }
}

/// A file that has arrived, with what is known of it.
pub(crate) struct Arrival<'a> {
    pub(crate) arrived: &'a Arrived,
    /// The sex that it is to be read for, if somebody said one.
    pub(crate) sex: Option<Sex>,
    /// What people call it; empty where no names are kept.
    pub(crate) name: &'a str,
    pub(crate) origin: Origin<'a>,
    /// Who sent it, for the audit log.
    pub(crate) by: &'a str,
    pub(crate) at: Moment,
}

/// How a film came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// By the page or a program.
    Upload,
    /// By C-STORE.
    Node {
        /// The application entity that sent it.
        sender: &'a str,
        /// The SOP instance UID.
        instance: &'a str,
        /// What its header says, if that is no hand.
        not_for_us: Option<&'a str>,
    },
    /// By the watched folder.
    Folder {
        /// The title that it counts as sent from, if its results are sent.
        sender: Option<&'a str>,
        /// What its header says, if that is no hand.
        not_for_us: Option<&'a str>,
    },
}

impl<'a> Origin<'a> {
    fn as_str(self) -> &'static str {
        match self {
            Origin::Upload => "upload",
            Origin::Node { .. } => "dicom",
            Origin::Folder { .. } => "folder",
        }
    }

    fn sender(self) -> Option<&'a str> {
        match self {
            Origin::Upload => None,
            Origin::Node { sender, .. } => Some(sender),
            Origin::Folder { sender, .. } => sender,
        }
    }

    fn instance(self) -> Option<&'a str> {
        match self {
            Origin::Upload | Origin::Folder { .. } => None,
            Origin::Node { instance, .. } => Some(instance),
        }
    }

    fn not_for_us(self) -> Option<&'a str> {
        match self {
            Origin::Upload => None,
            Origin::Node { not_for_us, .. } | Origin::Folder { not_for_us, .. } => not_for_us,
        }
    }
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    /// The same bytes came before, for the same sex.
    pub(crate) known: bool,
}

/// Which films are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Words that name, id or comment must all contain.
    pub(crate) search: String,
    pub(crate) state: Option<State>,
    /// Whether somebody has given a verdict.
    pub(crate) reviewed: Option<bool>,
}

pub(super) const COLUMNS: &str = "id, digest, sex, name, bytes, source, received_at, state, attempts, failure, reading, \
     read_at, verdict, verdict_months, comment, reviewed_by, reviewed_at, sender, instance";

/// The id of a film: what was uploaded and for whom it is read decide it, so that the same upload is the same film.
pub(crate) fn film_id(digest: &Digest, sex: Option<Sex>) -> String {
    let sex = sex.map_or("", Sex::as_str);
    let mut id = Digest::of_parts([digest.0.as_bytes(), sex.as_bytes()]).0;
    id.truncate(32);
    id
}

impl Store {
    /// Takes a file that has arrived. When this returns it survives a loss of power.
    ///
    /// A film that had failed is queued again. A film that came as DICOM is known by its own number as well, in
    /// whatever transfer syntax it comes.
    pub(crate) fn accept(&self, arrival: &Arrival<'_>) -> io::Result<Accepted> {
        let Arrival { arrived, sex, name, origin, by, at } = arrival;
        let digest = &arrived.digest;
        // Under the lock, so that nobody removes the file between its arrival and its row.
        let mut connection = self.connection();
        let change = connection.transaction().map_err(io::Error::other)?;
        let accepted = (|| {
            let id = film_id(digest, *sex);
            let there = change
                .query_row(
                    "SELECT id, state FROM films WHERE instance = ?1 OR id = ?2
                     ORDER BY instance IS NOT ?1 LIMIT 1",
                    params![origin.instance(), id],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
                )
                .optional()?;
            let accepted = match there {
                None => {
                    let (state, failure) = match origin.not_for_us() {
                        Some(why) => (State::Skipped, Some(format!("not for us: the header says {why}"))),
                        None => (State::Queued, None),
                    };
                    change.execute(
                        "INSERT INTO films (id, digest, sex, name, bytes, source, sender, instance, received_at,
                             state, failure, settled)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10 = 'skipped')",
                        params![
                            id,
                            digest.0,
                            sex.map(Sex::as_str),
                            name,
                            arrived.bytes as i64,
                            origin.as_str(),
                            origin.sender(),
                            origin.instance(),
                            at,
                            state.as_str(),
                            failure
                        ],
                    )?;
                    Accepted { id, known: false }
                }
                Some((id, state)) if state == State::Failed.as_str() => {
                    change.execute(
                        "UPDATE films SET state = 'queued', attempts = 0, not_before = 0, failure = NULL,
                             settled = 0, received_at = ?2, digest = ?3, bytes = ?4 WHERE id = ?1",
                        params![id, at, digest.0, arrived.bytes as i64],
                    )?;
                    Accepted { id, known: false }
                }
                Some((id, _)) => Accepted { id, known: true },
            };
            if !accepted.known {
                audit::add(&change, by, Action::Uploaded, Some(&accepted.id), "")?;
            }
            Ok::<_, rusqlite::Error>(accepted)
        })()
        .map_err(io::Error::other)?;
        if !accepted.known {
            self.folder().keep(arrived.path(), digest)?;
        }
        change.commit().map_err(io::Error::other)?;
        Ok(accepted)
    }

    /// One film.
    pub(crate) fn film(&self, id: &str) -> rusqlite::Result<Option<FilmRow>> {
        let connection = self.connection();
        let mut film = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM films WHERE id = ?1"))?;
        film.query_row([id], film_row).optional()
    }

    /// Films, newest first, and their number in all.
    pub(crate) fn films(
        &self,
        query: &Query,
        offset: u64,
        limit: u64,
    ) -> rusqlite::Result<(Vec<FilmRow>, u64)> {
        let mut conditions = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        for word in query.search.split_whitespace() {
            let pattern = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            values.push(format!("%{pattern}%").into());
            let n = values.len();
            conditions.push(format!(
                "(name LIKE ?{n} ESCAPE '\\' OR id LIKE ?{n} ESCAPE '\\' OR comment LIKE ?{n} ESCAPE '\\')"
            ));
        }
        if let Some(state) = query.state {
            values.push(state.as_str().to_owned().into());
            conditions.push(format!("state = ?{}", values.len()));
        }
        if let Some(reviewed) = query.reviewed {
            conditions.push(format!("verdict IS {}", if reviewed { "NOT NULL" } else { "NULL" }));
        }
        let conditions = conditions.join(" AND ");
        let connection = self.connection();
        let total: i64 = connection
            .prepare_cached(&format!("SELECT count(*) FROM films WHERE {conditions}"))?
            .query_row(params_from_iter(&values), |row| row.get(0))?;
        let n = values.len();
        values.extend([Value::from(limit as i64), Value::from(offset as i64)]);
        let mut films = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM films WHERE {conditions} ORDER BY received_at DESC, id LIMIT ?{} OFFSET ?{}",
            n + 1,
            n + 2
        ))?;
        let rows = films.query_map(params_from_iter(&values), film_row)?;
        Ok((rows.collect::<Result<_, _>>()?, total as u64))
    }

    /// Writes a person's verdict, or takes it back, and says so in the audit log. False: there is no such film.
    pub(crate) fn review(&self, id: &str, by: &str, review: Option<&Review>) -> rusqlite::Result<bool> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let (word, months, action) = match review.map(|review| review.verdict) {
            None => (None, None, Action::Reopened),
            Some(Verdict::Accepted) => (Some("accepted"), None, Action::Accepted),
            Some(Verdict::Overruled(months)) => (Some("overruled"), Some(months), Action::Overruled),
        };
        let comment = review.map_or("", |review| review.comment.as_str());
        let changed = change.execute(
            "UPDATE films SET verdict = ?2, verdict_months = ?3, comment = ?4, reviewed_by = ?5,
             reviewed_at = ?6 WHERE id = ?1",
            params![id, word, months, comment, review.map(|_| by), review.map(|review| review.at)],
        )?;
        if changed == 1 {
            let detail = months.map_or(String::new(), |months| format!("{months:.1} months"));
            audit::add(&change, by, action, Some(id), &detail)?;
        }
        change.commit()?;
        Ok(changed == 1)
    }

    /// Deletes a film with its upload and pictures. False: there is no such film.
    pub(crate) fn delete(&self, id: &str, by: &str, action: Action) -> io::Result<bool> {
        let mut connection = self.connection();
        let change = connection.transaction().map_err(io::Error::other)?;
        let deleted: Option<(String, i64)> = (|| {
            let digest: Option<String> = change
                .query_row("DELETE FROM films WHERE id = ?1 RETURNING digest", [id], |row| row.get(0))
                .optional()?;
            let Some(digest) = digest else { return Ok(None) };
            audit::add(&change, by, action, Some(id), "")?;
            let others =
                change
                    .query_row("SELECT count(*) FROM films WHERE digest = ?1", [&digest], |row| row.get(0))?;
            Ok(Some((digest, others)))
        })()
        .map_err(|error: rusqlite::Error| io::Error::other(error))?;
        let Some((digest, others)) = deleted else { return Ok(false) };
        // Files first: a row without files is deleted again, files without a row would stay for ever.
        self.folder().remove_pictures(id)?;
        if others == 0 {
            self.folder().remove_upload(&Digest(digest))?;
        }
        change.commit().map_err(io::Error::other)?;
        Ok(true)
    }

    /// Ids of films that came before `moment`.
    pub(crate) fn older_than(&self, moment: Moment) -> rusqlite::Result<Vec<String>> {
        let connection = self.connection();
        let mut old = connection.prepare_cached("SELECT id FROM films WHERE received_at < ?1")?;
        old.query_map([moment], |row| row.get(0))?.collect()
    }

    /// Removes uploads and pictures that have no row: they were on their way when the process was killed.
    pub(crate) fn remove_orphans(&self) -> io::Result<usize> {
        let connection = self.connection();
        let mut known = connection
            .prepare_cached("SELECT 1 FROM films WHERE digest = ?1 LIMIT 1")
            .map_err(io::Error::other)?;
        let mut removed = 0;
        for digest in self.folder().uploads()? {
            if !known.exists([&digest.0]).map_err(io::Error::other)? {
                self.folder().remove_upload(&digest)?;
                removed += 1;
            }
        }
        let mut known =
            connection.prepare_cached("SELECT 1 FROM films WHERE id = ?1").map_err(io::Error::other)?;
        for film in self.folder().pictured()? {
            if !known.exists([&film]).map_err(io::Error::other)? {
                self.folder().remove_pictures(&film)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// How many films are in each state.
    pub(crate) fn counts(&self) -> rusqlite::Result<Vec<(State, u64)>> {
        let connection = self.connection();
        let mut count = connection.prepare_cached("SELECT count(*) FROM films WHERE state = ?1")?;
        let of =
            |state: State| Ok((state, count.query_row([state.as_str()], |row| row.get::<_, i64>(0))? as u64));
        State::ALL.into_iter().map(of).collect()
    }
}

pub(super) fn film_row(row: &Row<'_>) -> rusqlite::Result<FilmRow> {
    let unreadable = |column: usize, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let sex: Option<String> = row.get(2)?;
    let sex = sex.map(|word| word.parse::<Sex>().map_err(|error| unreadable(2, error.into()))).transpose()?;
    let state: String = row.get(7)?;
    let reading: Option<String> = row.get(10)?;
    let reading = reading
        .map(|text| serde_json::from_str(&text).map_err(|error| unreadable(10, error.into())))
        .transpose()?;
    let verdict = match (row.get::<_, Option<String>>(12)?.as_deref(), row.get(13)?) {
        (Some("accepted"), _) => Some(Verdict::Accepted),
        (Some(_), Some(months)) => Some(Verdict::Overruled(months)),
        _ => None,
    };
    let review = match verdict {
        Some(verdict) => Some(Review { verdict, comment: row.get(14)?, by: row.get(15)?, at: row.get(16)? }),
        None => None,
    };
    Ok(FilmRow {
        id: row.get(0)?,
        digest: Digest(row.get(1)?),
        sex,
        name: row.get(3)?,
        bytes: row.get::<_, i64>(4)? as u64,
        source: row.get(5)?,
        sender: row.get(17)?,
        instance: row.get(18)?,
        received_at: row.get(6)?,
        state: State::of(&state).ok_or_else(|| unreadable(7, "not a state".into()))?,
        attempts: row.get(8)?,
        failure: row.get(9)?,
        reading,
        read_at: row.get(11)?,
        review,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{arrived, store, upload};

    fn found(store: &Store, search: &str) -> u64 {
        store.films(&Query { search: search.into(), ..Query::default() }, 0, 10).unwrap().1
    }

    #[test]
    fn the_same_upload_is_the_same_film_and_another_sex_is_another() {
        let (_dir, store) = store();
        let first = upload(&store, b"abc", Some(Sex::Female));
        assert!(!first.known);
        assert_eq!(upload(&store, b"abc", Some(Sex::Female)), Accepted { known: true, ..first.clone() });
        assert_ne!(upload(&store, b"abc", Some(Sex::Male)).id, first.id);
        assert_ne!(upload(&store, b"abc", None).id, first.id);
        assert_eq!(found(&store, ""), 3);
        assert_eq!(std::fs::read_dir(store.folder().incoming()).unwrap().count(), 0);
    }

    #[test]
    fn an_object_of_the_network_is_known_by_its_number() {
        let (_dir, store) = store();
        let take = |bytes: &[u8], instance, not_for_us| {
            let origin = Origin::Node { sender: "CR1", instance, not_for_us };
            let arrived = arrived(&store, bytes);
            store
                .accept(&Arrival { arrived: &arrived, sex: None, name: "", origin, by: "CR1", at: 5 })
                .unwrap()
        };
        let first = take(b"abc", "1.2", None);
        assert_eq!(take(b"abc, compressed", "1.2", None), Accepted { known: true, ..first.clone() });
        assert_ne!(take(b"abcd", "1.3", None).id, first.id);
        let chest = store.film(&take(b"chest", "1.4", Some("body part CHEST")).id).unwrap().unwrap();
        assert_eq!((chest.state, chest.sender.as_deref()), (State::Skipped, Some("CR1")));
        assert_eq!(chest.failure.as_deref(), Some("not for us: the header says body part CHEST"));
        // Both that are for us, and never the other.
        let lease = || store.lease(9, std::time::Duration::from_secs(9)).unwrap();
        assert!(lease().is_some() && lease().is_some() && lease().is_none());
        // The same file by the page is the same film.
        assert_eq!(upload(&store, b"abc", None), Accepted { known: true, ..first });
    }

    #[test]
    fn words_are_looked_for_in_name_id_and_comment_and_are_no_patterns() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        let review = Review {
            verdict: Verdict::Overruled(120.0),
            comment: "thumb 100%".into(),
            by: "anna".into(),
            at: 5,
        };
        assert!(store.review(&id, "anna", Some(&review)).unwrap());
        for (search, films) in
            [("HAND", 1), ("png thumb", 1), (&id[..9], 1), ("h_nd", 0), ("0%", 1), ("h%d", 0)]
        {
            assert_eq!(found(&store, search), films, "{search}");
        }
        assert_eq!(store.film(&id).unwrap().unwrap().review, Some(review));
        assert!(store.review(&id, "anna", None).unwrap());
        assert_eq!(store.film(&id).unwrap().unwrap().review, None);
        assert!(!store.review("nobody", "anna", None).unwrap());
        let actions: Vec<String> =
            store.audit_log(0, 9).unwrap().0.into_iter().map(|row| row.action).collect();
        assert_eq!(actions, ["reopened", "overruled", "uploaded"]);
    }

    #[test]
    fn deleting_removes_the_upload_with_its_last_film() {
        let (_dir, store) = store();
        let [girl, boy] = [Sex::Female, Sex::Male].map(|sex| upload(&store, b"abc", Some(sex)).id);
        let path = store.folder().upload(&Digest::of(b"abc"));
        assert!(store.delete(&girl, "anna", Action::Deleted).unwrap() && path.exists());
        assert!(store.delete(&boy, "anna", Action::Deleted).unwrap() && !path.exists());
        assert!(!store.delete(&boy, "anna", Action::Deleted).unwrap());
    }

    #[test]
    fn an_upload_without_a_row_is_removed_and_no_other() {
        let (_dir, store) = store();
        upload(&store, b"abc", None);
        store.folder().keep(arrived(&store, b"lost").path(), &Digest::of(b"lost")).unwrap();
        let film = "0123456789abcdef0123456789abcdef";
        store.folder().write_picture(film, crate::folder::Picture::Image, b"png").unwrap();
        assert_eq!(store.remove_orphans().unwrap(), 2);
        assert_eq!(store.folder().pictured().unwrap().len(), 0);
        assert!(store.folder().upload(&Digest::of(b"abc")).exists());
        assert!(!store.folder().upload(&Digest::of(b"lost")).exists());
    }
}
