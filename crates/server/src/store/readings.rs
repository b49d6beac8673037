use super::{Action, State, Store, audit};
use crate::by_hand::ByHand;
use crate::clock::Moment;
use crate::reading::Reading;
use rusqlite::{OptionalExtension, params};

/// A reading that another has taken the place of.
#[derive(Clone, Debug)]
pub(crate) struct FormerReading {
    pub(crate) reading: Reading,
    pub(crate) read_at: Moment,
}

/// What became of the wish to have a film read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It waits to be read.
    Queued,
    /// There is no such film.
    Unknown,
    /// It waits or is being read already, or is not for us.
    NotNow,
    /// Somebody has given a verdict on the reading that would go.
    Reviewed,
}

impl Store {
    /// Has a film read again, laid down `by_hand` or else the automatic way. Its reading becomes a former one; what
    /// of it was still to be sent is not sent. `by` and what was done stand in the audit log.
    pub(crate) fn read_again(
        &self,
        id: &str,
        by_hand: Option<&ByHand>,
        by: &str,
        detail: &str,
    ) -> rusqlite::Result<Again> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let film: Option<(String, bool)> = change
            .query_row("SELECT state, verdict IS NOT NULL FROM films WHERE id = ?1", [id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match film {
            None => return Ok(Again::Unknown),
            Some((_, true)) => return Ok(Again::Reviewed),
            Some((state, _)) if ![State::Done.as_str(), State::Failed.as_str()].contains(&state.as_str()) => {
                return Ok(Again::NotNow);
            }
            Some(_) => {}
        }
        change.execute(
            "INSERT INTO former_readings (film, reading, read_at)
             SELECT id, reading, read_at FROM films WHERE id = ?1 AND reading IS NOT NULL",
            [id],
        )?;
        change.execute("DELETE FROM deliveries WHERE film = ?1 AND state = 'waiting'", [id])?;
        change.execute(
            "UPDATE films SET state = 'queued', attempts = 0, not_before = 0, failure = NULL, reading = NULL,
                 read_at = NULL, settled = 0, by_hand = ?2 WHERE id = ?1",
            params![id, by_hand.map(|by_hand| by_hand.to_text())],
        )?;
        audit::add(&change, by, Action::ReadAgain, Some(id), detail)?;
        change.commit()?;
        Ok(Again::Queued)
    }

    /// Readings of a film that others have taken the place of, newest first.
    pub(crate) fn former_readings(&self, id: &str) -> rusqlite::Result<Vec<FormerReading>> {
        let connection = self.connection();
        let mut rows = connection.prepare_cached(
            "SELECT reading, read_at FROM former_readings WHERE film = ?1 ORDER BY id DESC",
        )?;
        rows.query_map([id], |row| {
            let text: String = row.get(0)?;
            let reading = serde_json::from_str(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
            })?;
            Ok(FormerReading { reading, read_at: row.get(1)? })
        })?
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::testing::reading;
    use crate::store::testing::{store, upload};
    use crate::store::{Review, Verdict};
    use boneage_core::Digest;
    use std::time::Duration;

    const LEASE: Duration = Duration::from_secs(9);

    #[test]
    fn a_film_is_read_again_as_a_person_lays_it_and_its_first_reading_is_kept() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        let again = |by_hand: Option<&ByHand>| store.read_again(&id, by_hand, "rita", "how").unwrap();
        assert_eq!(again(None), Again::NotNow, "it waits already");
        let job = store.lease(2000, LEASE).unwrap().unwrap();
        assert_eq!(job.by_hand, None);
        store.finish(&job, &reading(Some(100.0)), None, 2000, &["PACS"]).unwrap();

        let by_hand = ByHand { turn: 15.0, ..ByHand::default() };
        assert_eq!(again(Some(&by_hand)), Again::Queued);
        let film = store.film(&id).unwrap().unwrap();
        assert!(film.state == State::Queued && film.reading.is_none());
        assert_eq!(store.deliveries(&id).unwrap(), [], "what was not sent is not sent");
        let job = store.lease(3000, LEASE).unwrap().unwrap();
        assert_eq!((job.by_hand, job.attempt), (Some(by_hand), 1));
        store.finish(&job, &reading(Some(120.0)), None, 3000, &["PACS"]).unwrap();
        assert_eq!(store.deliveries(&id).unwrap()[0].state, "waiting");
        let former = store.former_readings(&id).unwrap();
        assert_eq!((former.len(), former[0].reading.months, former[0].read_at), (1, Some(100.0), 2000));

        assert_eq!(again(None), Again::Queued);
        assert_eq!(store.lease(4000, LEASE).unwrap().unwrap().by_hand, None);
        assert_eq!(store.former_readings(&id).unwrap()[0].reading.months, Some(120.0));
        let actions = store.audit_log(0, 9).unwrap().0;
        assert_eq!((actions[0].action.as_str(), actions[0].detail.as_str()), ("read_again", "how"));
        store.delete(&id, "anna", Action::Deleted).unwrap();
        assert_eq!(store.former_readings(&id).unwrap().len(), 0);
        assert_eq!(again(None), Again::Unknown);
    }

    #[test]
    fn what_was_sent_is_sent_again_with_the_new_reading_and_a_verdict_stands_in_the_way() {
        let (_dir, store) = store();
        let id = upload(&store, b"abc", None).id;
        let read = |at| {
            let job = store.lease(at, LEASE).unwrap().unwrap();
            store.finish(&job, &reading(Some(100.0)), None, at, &["PACS"]).unwrap();
        };
        let due = |at| {
            store.settle(&id, &Digest::of(b"abc"), false).unwrap();
            store.next_delivery("PACS", at).unwrap()
        };
        read(2000);
        assert!(due(2000).is_some());
        store.delivered(&id, "PACS", 2500).unwrap();
        assert_eq!(store.read_again(&id, None, "rita", "").unwrap(), Again::Queued);
        read(3000);
        assert!(due(3000).is_some());
        // It is on its way when the film is read once more: its end is not that of the newest reading's.
        assert_eq!(store.read_again(&id, None, "rita", "").unwrap(), Again::Queued);
        read(4000);
        store.delivered(&id, "PACS", 4500).unwrap();
        let delivery = &store.deliveries(&id).unwrap()[0];
        assert_eq!((delivery.state.as_str(), delivery.attempts, delivery.ended_at), ("waiting", 0, None));
        let review = Review { verdict: Verdict::Accepted, comment: String::new(), by: "rita".into(), at: 5 };
        store.review(&id, "rita", Some(&review)).unwrap();
        assert_eq!(store.read_again(&id, None, "rita", "").unwrap(), Again::Reviewed);
    }
}
