use super::Store;
use crate::by_hand::ByHand;
use crate::clock::Moment;
use crate::reading::Reading;
use boneage_core::{Digest, Sex};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::io;
use std::time::Duration;

/// A film that somebody reads at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// The film.
    pub(crate) film: String,
    /// Its file.
    pub(crate) digest: Digest,
    /// The sex it is read for.
    pub(crate) sex: Option<Sex>,
    /// How a person lays it down; `None`: the automatic way.
    pub(crate) by_hand: Option<ByHand>,
    /// The application entity that sent it, if it came as DICOM.
    pub(crate) sender: Option<String>,
    /// Which try this is, from 1.
    pub(crate) attempt: u32,
    /// Proof that the film is still reserved for whoever holds this.
    lease: String,
}

impl Store {
    /// Reserves the next film that waits, or whose reservation ran out. Those that failed less go first, so that
    /// one bad film does not hold up the others.
    pub(crate) fn lease(&self, at: Moment, lease: Duration) -> rusqlite::Result<Option<Job>> {
        let connection = self.connection();
        let mut next = connection.prepare_cached(
            "UPDATE films SET state = 'leased', attempts = attempts + 1, lease = lower(hex(randomblob(16))),
                 lease_until = ?1 + ?2
             WHERE id = (
                 SELECT id FROM films
                 WHERE (state = 'queued' AND not_before <= ?1) OR (state = 'leased' AND lease_until <= ?1)
                 ORDER BY attempts, received_at, id LIMIT 1)
             RETURNING id, digest, sex, attempts, lease, sender, by_hand",
        )?;
        next.query_row(params![at, lease.as_millis() as i64], |row| {
            let sex: Option<String> = row.get(2)?;
            let by_hand: Option<String> = row.get(6)?;
            Ok(Job {
                film: row.get(0)?,
                digest: Digest(row.get(1)?),
                sex: sex.and_then(|word| word.parse().ok()),
                attempt: row.get(3)?,
                lease: row.get(4)?,
                sender: row.get(5)?,
                by_hand: by_hand.as_deref().and_then(ByHand::of_text),
            })
        })
        .optional()
    }

    /// Writes a job's reading, by which patient it is known, and that it is to be sent to these destinations. False: the
    /// reservation was lost meanwhile, and nothing was written.
    pub(crate) fn finish(
        &self,
        job: &Job,
        reading: &Reading,
        patient: Option<&Digest>,
        at: Moment,
        destinations: &[&str],
    ) -> rusqlite::Result<bool> {
        let text = serde_json::to_string(reading).expect("a reading is plain JSON");
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let finished = end(
            &change,
            "state = 'done', reading = ?3, read_at = ?4, patient = ?5, failure = NULL",
            params![job.film, job.lease, text, at, patient.map(|digest| &digest.0)],
        )?;
        if finished {
            for destination in destinations {
                change.execute(
                    "INSERT INTO deliveries (film, destination, state, created_at, not_before)
                     VALUES (?1, ?2, 'waiting', ?3, ?3)
                     ON CONFLICT DO UPDATE SET state = 'waiting', attempts = 0, tried = 0, created_at = ?3,
                         not_before = ?3, failure = NULL, ended_at = NULL",
                    params![job.film, destination, at],
                )?;
            }
        }
        change.commit()?;
        Ok(finished)
    }

    /// Gives a job up for good.
    pub(crate) fn fail(&self, job: &Job, reason: &str) -> rusqlite::Result<bool> {
        end(&self.connection(), "state = 'failed', failure = ?3", params![job.film, job.lease, reason])
    }

    /// Puts a job back for later.
    pub(crate) fn put_back(&self, job: &Job, not_before: Moment) -> rusqlite::Result<bool> {
        end(&self.connection(), "state = 'queued', not_before = ?3", params![job.film, job.lease, not_before])
    }

    /// Frees what a former process had reserved: this one holds the folder's lock, so nobody reads it any more. What
    /// was tried `most` times fails, as it may be what ended those processes.
    pub(crate) fn free_leases(&self, most: u32) -> rusqlite::Result<usize> {
        self.connection().execute(
            "UPDATE films SET state = iif(attempts < ?1, 'queued', 'failed'), lease = NULL, lease_until = NULL,
                 failure = iif(attempts < ?1, NULL, 'boneage ended within each of ' || attempts || ' tries to read it')
             WHERE state = 'leased'",
            [most],
        )
    }

    /// Films that are read and whose picture is not made yet.
    pub(crate) fn unsettled(&self) -> rusqlite::Result<Vec<(String, Digest)>> {
        let connection = self.connection();
        let mut films =
            connection.prepare_cached("SELECT id, digest FROM films WHERE state = 'done' AND settled = 0")?;
        films.query_map([], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?.collect()
    }

    /// Notes that a film's file was used to the end. With `forget` it goes, unless another film with the same bytes
    /// needs it: under the lock, so that none comes in between.
    pub(crate) fn settle(&self, film: &str, digest: &Digest, forget: bool) -> io::Result<()> {
        let connection = self.connection();
        let settled = connection.execute("UPDATE films SET settled = 1 WHERE id = ?1", [film]);
        settled.map_err(io::Error::other)?;
        let needed: i64 = connection
            .query_row("SELECT count(*) FROM films WHERE digest = ?1 AND settled = 0", [&digest.0], |row| {
                row.get(0)
            })
            .map_err(io::Error::other)?;
        if forget && needed == 0 { self.folder().remove_upload(digest) } else { Ok(()) }
    }
}

/// Ends the reservation of the film `?1` by whoever holds the lease `?2`, and nobody else.
fn end(connection: &Connection, changes: &str, values: &[&dyn ToSql]) -> rusqlite::Result<bool> {
    let mut end = connection.prepare_cached(&format!(
        "UPDATE films SET {changes}, lease = NULL, lease_until = NULL
         WHERE id = ?1 AND state = 'leased' AND lease = ?2"
    ))?;
    Ok(end.execute(values)? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::State;
    use crate::store::testing::{store, upload};

    const LEASE: Duration = Duration::from_secs(10);

    fn reading() -> Reading {
        crate::reading::testing::reading(Some(100.04))
    }

    #[test]
    fn a_film_is_leased_once_and_again_when_its_time_is_over() {
        let (_dir, store) = store();
        upload(&store, b"abc", None);
        let first = store.lease(2000, LEASE).unwrap().unwrap();
        assert!(store.lease(2001, LEASE).unwrap().is_none());
        let second = store.lease(12_000, LEASE).unwrap().unwrap();
        assert_eq!((second.film.as_str(), second.attempt), (first.film.as_str(), 2));
        // The one who was too slow writes nothing.
        assert!(!store.finish(&first, &reading(), None, 12_001, &[]).unwrap());
        assert!(store.finish(&second, &reading(), None, 12_002, &[]).unwrap());
        assert!(!store.fail(&second, "twice").unwrap());
        let film = store.film(&first.film).unwrap().unwrap();
        assert_eq!((film.state, film.reading.unwrap().months), (State::Done, Some(100.0)));
    }

    #[test]
    fn what_was_put_back_waits_and_what_failed_comes_back_with_the_next_upload() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        let job = store.lease(2000, LEASE).unwrap().unwrap();
        assert!(store.put_back(&job, 3000).unwrap());
        assert!(store.lease(2999, LEASE).unwrap().is_none());
        let job = store.lease(3000, LEASE).unwrap().unwrap();
        assert!(store.fail(&job, "no film").unwrap());
        assert_eq!(store.film(&id).unwrap().unwrap().failure.as_deref(), Some("no film"));
        assert!(!upload(&store, b"abc", None).known);
        assert_eq!(store.film(&id).unwrap().unwrap().state, State::Queued);
    }

    #[test]
    fn a_film_that_was_interrupted_lets_the_others_go_first() {
        let (_dir, store) = store();
        let first = upload(&store, b"abc", None).id;
        store.lease(2000, LEASE).unwrap().unwrap();
        let second = upload(&store, b"abcd", None).id;
        assert_eq!(store.free_leases(5).unwrap(), 1);
        let order: Vec<String> = (0..2).map(|_| store.lease(2000, LEASE).unwrap().unwrap().film).collect();
        assert_eq!(order, [second, first]);
    }

    #[test]
    fn a_film_that_ends_each_process_is_given_up() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        for _ in 0..3 {
            assert!(store.lease(2000, LEASE).unwrap().is_some());
            store.free_leases(3).unwrap();
        }
        let film = store.film(&id).unwrap().unwrap();
        assert_eq!(film.state, State::Failed);
        assert!(film.failure.unwrap().contains("3 tries"));
    }

    #[test]
    fn a_file_may_go_when_all_its_films_are_settled() {
        let (_dir, store) = store();
        let digest = Digest::of(b"abc");
        upload(&store, b"abc", Some(Sex::Male));
        upload(&store, b"abc", Some(Sex::Female));
        let file = store.folder().upload(&digest);
        for stays in [true, false] {
            let job = store.lease(2000, LEASE).unwrap().unwrap();
            store.finish(&job, &reading(), None, 2000, &[]).unwrap();
            assert_eq!(store.unsettled().unwrap(), [(job.film.clone(), digest.clone())]);
            store.settle(&job.film, &digest, false).unwrap();
            assert!(file.exists());
            store.settle(&job.film, &digest, true).unwrap();
            assert_eq!(file.exists(), stays);
        }
    }
}
