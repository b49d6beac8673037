//! What a reading owes to the child and what to the film: the same radiograph turned, exposed, worn and covered,
//! and how far the reading moves.

mod exposure;
mod geometry;
mod obstruction;
mod table;
mod wear;

pub use table::{StressRow, StressTable, stress};

use boneage_core::Plane;

/// A change that leaves the child's age alone.
#[derive(Clone, Copy)]
pub struct Change {
    /// Its name in tables and on the command line: `turned +30`.
    pub name: &'static str,
    /// What kind of change it is, and so how much the reading may move.
    pub kind: ChangeKind,
    /// The changed film, from the film and its id, which names the random stream where there is chance.
    apply: fn(&Plane, &str) -> Plane,
}

/// What is changed about a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// How it lies: the reading should move by at most 1 month, as a median over films.
    Geometry,
    /// How dark and how steep its greys are: at most 2 months.
    Exposure,
    /// Its quality, or what else is on it: told, without a bar.
    Wear,
}

impl ChangeKind {
    /// The most that the median of the absolute shift should be, in months; the bars are the project's own.
    pub fn bar(self) -> Option<f64> {
        match self {
            ChangeKind::Geometry => Some(1.0),
            ChangeKind::Exposure => Some(2.0),
            ChangeKind::Wear => None,
        }
    }
}

impl Change {
    /// Every change, in the order of the table.
    pub fn all() -> Vec<Change> {
        [geometry::CHANGES, exposure::CHANGES, wear::CHANGES, obstruction::CHANGES].concat()
    }

    /// The film with the change; `id` is the film's.
    pub fn apply(&self, film: &Plane, id: &str) -> Plane {
        (self.apply)(film, id)
    }
}

/// The grey that `share` of a film's pixels lie below.
fn quantile(film: &Plane, share: f64) -> f32 {
    let mut greys = film.pixels().to_vec();
    let place = ((greys.len().saturating_sub(1)) as f64 * share).round() as usize;
    greys.select_nth_unstable_by(place, f32::total_cmp);
    greys[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brighter to the right and downwards, with a bright spot off the middle.
    pub(super) fn film(width: usize, height: usize) -> Plane {
        Plane::from_fn(width, height, |x, y| {
            let spot = if (x, y) == (width / 4, height / 3) { 0.3 } else { 0.0 };
            0.1 + 0.4 * x as f32 / width as f32 + 0.2 * y as f32 / height as f32 + spot
        })
    }

    #[test]
    fn every_change_changes_keeps_greys_in_range_and_comes_out_the_same_again() {
        let film = film(120, 160);
        let all = Change::all();
        assert!(all.len() > 20);
        for (i, change) in all.iter().enumerate() {
            let changed = change.apply(&film, "17");
            assert_ne!(changed, film, "{}", change.name);
            assert_eq!(changed, change.apply(&film, "17"), "{}", change.name);
            assert!(changed.pixels().iter().all(|grey| (0.0..=1.0).contains(grey)), "{}", change.name);
            assert!(all[..i].iter().all(|other| other.name != change.name), "{}", change.name);
        }
    }
}
