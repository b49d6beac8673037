use super::Store;
use crate::clock::Moment;
use rusqlite::{OptionalExtension, Row, params};
use std::time::Duration;

/// Results that are to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The film.
    pub(crate) film: String,
    /// Which try this is, from 1.
    pub(crate) attempt: u32,
    /// Since when it waits.
    pub(crate) created_at: Moment,
}

/// Results that are to be sent, or were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryRow {
    /// The name of the destination.
    pub(crate) destination: String,
    /// `waiting`, `sent` or `given_up`.
    pub(crate) state: String,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Why the last try failed.
    pub(crate) failure: Option<String>,
    /// When it was sent or given up.
    pub(crate) ended_at: Option<Moment>,
}

impl Store {
    /// The next results that are due at a destination. It stays waiting until it is said how it went, so that a try
    /// that is cut short is made again. A film's picture is part of its results: until it is there, none is due. It is
    /// noted as tried, so that how an earlier reading's delivery ended says nothing of a later one's.
    pub(crate) fn next_delivery(&self, destination: &str, at: Moment) -> rusqlite::Result<Option<Delivery>> {
        let connection = self.connection();
        let mut next = connection.prepare_cached(
            "SELECT film, deliveries.attempts + 1, created_at FROM deliveries
                 JOIN films ON films.id = deliveries.film AND films.settled
             WHERE destination = ?1 AND deliveries.state = 'waiting' AND deliveries.not_before <= ?2
             ORDER BY deliveries.not_before, film LIMIT 1",
        )?;
        let due = next
            .query_row(params![destination, at], |row| {
                Ok(Delivery { film: row.get(0)?, attempt: row.get(1)?, created_at: row.get(2)? })
            })
            .optional()?;
        if let Some(due) = &due {
            let mut tried = connection
                .prepare_cached("UPDATE deliveries SET tried = 1 WHERE film = ?1 AND destination = ?2")?;
            tried.execute(params![due.film, destination])?;
        }
        Ok(due)
    }

    /// The destination has said that it has them.
    pub(crate) fn delivered(&self, film: &str, destination: &str, at: Moment) -> rusqlite::Result<()> {
        self.end_try(
            film,
            destination,
            "state = 'sent', failure = NULL, ended_at = ?3",
            params![film, destination, at],
        )
    }

    /// It did not work; another try after `rest`, or none.
    pub(crate) fn not_delivered(
        &self,
        film: &str,
        destination: &str,
        failure: &str,
        rest: Option<Duration>,
        at: Moment,
    ) -> rusqlite::Result<()> {
        match rest {
            Some(rest) => self.end_try(
                film,
                destination,
                "failure = ?3, not_before = ?4",
                params![film, destination, failure, at + rest.as_millis() as i64],
            ),
            None => self.end_try(
                film,
                destination,
                "state = 'given_up', failure = ?3, ended_at = ?4",
                params![film, destination, failure, at],
            ),
        }
    }

    fn end_try(
        &self,
        film: &str,
        destination: &str,
        changes: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<()> {
        debug_assert!(!film.is_empty() && !destination.is_empty());
        let connection = self.connection();
        let mut end = connection.prepare_cached(&format!(
            "UPDATE deliveries SET attempts = attempts + 1, {changes}
             WHERE film = ?1 AND destination = ?2 AND state = 'waiting' AND tried"
        ))?;
        end.execute(values)?;
        Ok(())
    }

    /// What is to be sent of a film, and what was.
    pub(crate) fn deliveries(&self, film: &str) -> rusqlite::Result<Vec<DeliveryRow>> {
        let connection = self.connection();
        let mut rows = connection.prepare_cached(
            "SELECT destination, state, attempts, failure, ended_at FROM deliveries
             WHERE film = ?1 ORDER BY destination",
        )?;
        rows.query_map([film], |row: &Row<'_>| {
            Ok(DeliveryRow {
                destination: row.get(0)?,
                state: row.get(1)?,
                attempts: row.get(2)?,
                failure: row.get(3)?,
                ended_at: row.get(4)?,
            })
        })?
        .collect()
    }

    /// How many deliveries wait.
    pub(crate) fn waiting_deliveries(&self) -> rusqlite::Result<u64> {
        let connection = self.connection();
        let mut count =
            connection.prepare_cached("SELECT count(*) FROM deliveries WHERE state = 'waiting'")?;
        count.query_row([], |row| row.get::<_, i64>(0)).map(|count| count as u64)
    }
}

#[cfg(test)]
mod tests {
    use crate::reading::testing::reading;
    use crate::store::testing::{store, upload};
    use std::time::Duration;

    #[test]
    fn results_are_due_until_they_are_sent_or_given_up() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        let job = store.lease(2000, Duration::from_secs(9)).unwrap().unwrap();
        assert!(store.finish(&job, &reading(Some(100.0)), None, 2000, &["PACS", "ARCHIVE"]).unwrap());
        assert_eq!(store.next_delivery("PACS", 2000).unwrap(), None, "its picture is not there yet");
        store.settle(&id, &boneage_core::Digest::of(b"abc"), false).unwrap();
        let due = |destination, at| store.next_delivery(destination, at).unwrap().map(|due| due.attempt);
        assert_eq!((due("PACS", 2000), due("NOBODY", 2000)), (Some(1), None));
        store.not_delivered(&id, "PACS", "no answer", Some(Duration::from_secs(5)), 3000).unwrap();
        assert_eq!((due("PACS", 7999), due("PACS", 8000), due("ARCHIVE", 2000)), (None, Some(2), Some(1)));
        assert_eq!(store.waiting_deliveries().unwrap(), 2);
        store.delivered(&id, "PACS", 8000).unwrap();
        store.not_delivered(&id, "ARCHIVE", "rejected", None, 8000).unwrap();
        assert_eq!(store.waiting_deliveries().unwrap(), 0);
        let rows = store.deliveries(&id).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.destination.as_str(), row.state.as_str())).collect();
        assert_eq!(told, [("ARCHIVE", "given_up"), ("PACS", "sent")]);
        assert_eq!((rows[1].attempts, rows[1].failure.as_deref()), (2, None));
        // What is over does not change.
        store.not_delivered(&id, "PACS", "late", None, 9000).unwrap();
        assert_eq!(store.deliveries(&id).unwrap(), rows);
    }
}
