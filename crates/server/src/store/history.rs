use super::films::{COLUMNS, film_row};
use super::{FilmRow, Store};
use rusqlite::OptionalExtension;
use std::collections::HashSet;

/// Most films of one patient that are looked at: a growth chart of a lifetime has some ten.
const MOST: usize = 200;

impl Store {
    /// Films that were read of the patient of this one, itself among them, newest first; of a file that was read twice,
    /// for both sexes say, only one, and this one before others. `None` where the patient is not known.
    pub(crate) fn of_same_patient(&self, film: &FilmRow) -> rusqlite::Result<Option<Vec<FilmRow>>> {
        let connection = self.connection();
        let patient: Option<String> = connection
            .prepare_cached("SELECT patient FROM films WHERE id = ?1")?
            .query_row([&film.id], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(patient) = patient else { return Ok(None) };
        let mut films = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM films WHERE patient = ?1 AND state = 'done'
             ORDER BY id IS NOT ?2, received_at DESC, id LIMIT {MOST}"
        ))?;
        let rows: Vec<FilmRow> =
            films.query_map([&patient, &film.id], film_row)?.collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        Ok(Some(rows.into_iter().filter(|row| seen.insert(row.digest.clone())).collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::reading::testing::reading;
    use crate::store::testing::{store, upload};
    use boneage_core::{Digest, Sex};
    use std::time::Duration;

    #[test]
    fn films_of_a_patient_find_each_other_and_no_others() {
        let (_dir, store) = store();
        let read = |bytes: &[u8], sex, patient: Option<&str>| {
            let id = upload(&store, bytes, sex).id;
            let job = store.lease(2000, Duration::from_secs(9)).unwrap().unwrap();
            assert_eq!(job.film, id);
            let patient = patient.map(|number| Digest::of(number.as_bytes()));
            store.finish(&job, &reading(Some(100.0)), patient.as_ref(), 2000, &[]).unwrap();
            id
        };
        let first = read(b"first", Some(Sex::Male), Some("7"));
        let again = read(b"first", Some(Sex::Female), Some("7"));
        let second = read(b"second", Some(Sex::Male), Some("7"));
        let other = read(b"other", None, Some("8"));
        let nobody = read(b"nobody", None, None);
        let found = |id: &str| {
            let film = store.film(id).unwrap().unwrap();
            let films = store.of_same_patient(&film).unwrap()?;
            let mut ids: Vec<String> = films.into_iter().map(|film| film.id).collect();
            ids.sort();
            Some(ids)
        };
        let sorted = |mut ids: Vec<String>| {
            ids.sort();
            Some(ids)
        };
        assert_eq!(found(&first), sorted(vec![first.clone(), second.clone()]));
        assert_eq!(found(&again), sorted(vec![again.clone(), second.clone()]), "this reading of the file");
        assert_eq!(found(&other), Some(vec![other.clone()]));
        assert_eq!(found(&nobody), None);
    }
}
