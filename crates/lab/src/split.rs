use crate::dataset::first_by_digest;
use crate::{NearDuplicate, by_id};
use boneage_core::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What an image may be used for.
///
/// Ordered from the best protected: of a group of near-duplicates only the images of the best
/// protected part are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Read only to report.
    Holdout,
    /// Kept for the calibration of intervals.
    Calibration,
    /// Schedule, best checkpoint and every other choice.
    Inner,
    /// Weights are fitted on these.
    Training,
}

impl Part {
    /// The lower-case word of recipes, tables and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Holdout => "holdout",
            Part::Calibration => "calibration",
            Part::Inner => "inner",
            Part::Training => "training",
        }
    }
}

/// The first 8 bytes, big-endian, of the SHA-256 of `name` and `id` together, modulo `modulus`.
///
/// The same for every network, cohort and machine, and it does not move when images are added.
pub(crate) fn bucket(name: &str, id: &str, modulus: u64) -> u64 {
    let digest = Digest::of(format!("{name}:{id}").as_bytes());
    // 16 hexadecimal digits always are a u64.
    u64::from_str_radix(&digest.0[..16], 16).expect("a digest is hexadecimal") % modulus
}

/// The part of the 20 % holdout protocol that an id belongs to.
pub fn part_of(id: &str) -> Part {
    if bucket("boneage-holdout-1", id, 100) < 20 {
        return Part::Holdout;
    }
    match bucket("boneage-inner-1", id, 100) {
        0..10 => Part::Inner,
        10..20 => Part::Calibration,
        _ => Part::Training,
    }
}

/// The part of the two thirds / one third protocol of the regressions: training or holdout.
pub fn third_part_of(id: &str) -> Part {
    if bucket("boneage-third-1", id, 3) == 0 { Part::Holdout } else { Part::Training }
}

/// An id that is not used, as a near-duplicate of it lies in a better protected part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The id.
    pub id: String,
    /// Where it would have been.
    pub part: Part,
    /// A better protected image of the same group.
    pub twin: String,
    /// Where that one is.
    pub twin_part: Part,
}

/// Every id in exactly one part, or dropped; each list in order of [`by_id`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Read only to report.
    pub holdout: Vec<String>,
    /// Kept for the calibration of intervals.
    pub calibration: Vec<String>,
    /// Schedule, best checkpoint and every other choice.
    pub inner: Vec<String>,
    /// Weights are fitted on these.
    pub training: Vec<String>,
    /// Used for nothing.
    pub dropped: Vec<Dropped>,
}

impl Split {
    /// Splits `ids` by `part` ([`part_of`] or [`third_part_of`]), keeping near-duplicates on one side.
    pub fn new<'a>(
        ids: impl IntoIterator<Item = &'a str>,
        duplicates: &[NearDuplicate],
        part: impl Fn(&str) -> Part,
    ) -> Self {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        ids.sort_by(|a, b| by_id(a, b));
        let groups = groups(&ids, duplicates);
        // Of each group, the first image of the best protected part.
        let mut best: HashMap<usize, (Part, &str)> = HashMap::new();
        for (&id, &group) in ids.iter().zip(&groups) {
            let here = (part(id), id);
            best.entry(group)
                .and_modify(|held| {
                    if here.0 < held.0 {
                        *held = here
                    }
                })
                .or_insert(here);
        }
        let mut split = Split::default();
        for (&id, group) in ids.iter().zip(&groups) {
            let (twin_part, twin) = best[group];
            let part = part(id);
            if twin_part < part {
                split.dropped.push(Dropped { id: id.to_owned(), part, twin: twin.to_owned(), twin_part });
            } else {
                split.list_mut(part).push(id.to_owned());
            }
        }
        split
    }

    /// The ids of a part.
    pub fn list(&self, part: Part) -> &[String] {
        match part {
            Part::Holdout => &self.holdout,
            Part::Calibration => &self.calibration,
            Part::Inner => &self.inner,
            Part::Training => &self.training,
        }
    }

    /// Keeps `count` of the training ids, those whose digest comes first, in their order.
    pub(crate) fn limit_training(&mut self, count: usize) {
        let kept = first_by_digest(self.training.iter().map(String::as_str), count);
        let kept: HashSet<String> = kept.into_iter().map(str::to_owned).collect();
        self.training.retain(|id| kept.contains(id));
    }

    fn list_mut(&mut self, part: Part) -> &mut Vec<String> {
        match part {
            Part::Holdout => &mut self.holdout,
            Part::Calibration => &mut self.calibration,
            Part::Inner => &mut self.inner,
            Part::Training => &mut self.training,
        }
    }
}

/// For each id the index of its group's first id: groups are what near-duplicate pairs connect.
fn groups(ids: &[&str], duplicates: &[NearDuplicate]) -> Vec<usize> {
    let index: HashMap<&str, usize> = ids.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let mut parent: Vec<usize> = (0..ids.len()).collect();
    fn root(parent: &[usize], mut i: usize) -> usize {
        while parent[i] != i {
            i = parent[i];
        }
        i
    }
    for pair in duplicates {
        if let (Some(&a), Some(&b)) = (index.get(pair.a.as_str()), index.get(pair.b.as_str())) {
            let (a, b) = (root(&parent, a), root(&parent, b));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..ids.len()).map(|i| root(&parent, i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDOUT: &str = include_str!("../../../recipes/splits/holdout-20.csv");

    #[test]
    fn the_committed_holdout_is_what_the_hash_says() {
        let rows: Vec<(&str, &str)> =
            HOLDOUT.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
        assert_eq!(rows.len(), 2499);
        assert_eq!(rows.iter().filter(|(_, male)| *male == "True").count(), 1343);
        assert!(rows.iter().all(|(id, _)| part_of(id) == Part::Holdout));
        // The ids of the training set lie in 1377..=15610; of those not listed, most are not held out.
        let listed: std::collections::HashSet<&str> = rows.iter().map(|row| row.0).collect();
        let hashed = (1377..=15610).filter(|id| part_of(&id.to_string()) == Part::Holdout).count();
        assert!(listed.len() == 2499 && (2500..3000).contains(&hashed), "{hashed}");
    }

    #[test]
    fn every_id_is_in_one_part_of_about_the_right_size() {
        let ids: Vec<String> = (0..10_000).map(|i| i.to_string()).collect();
        let split = Split::new(ids.iter().map(String::as_str), &[], part_of);
        let near = |part: Part, want: usize| split.list(part).len().abs_diff(want) < want / 8;
        assert!(near(Part::Holdout, 2000) && near(Part::Inner, 800));
        assert!(near(Part::Calibration, 800) && near(Part::Training, 6400));
        let all = [&split.holdout, &split.calibration, &split.inner, &split.training];
        assert_eq!(all.iter().map(|list| list.len()).sum::<usize>(), ids.len());
        let third = Split::new(ids.iter().map(String::as_str), &[], third_part_of);
        assert!(third.holdout.len().abs_diff(3333) < 200 && third.inner.is_empty());
    }

    #[test]
    fn a_smaller_training_part_lies_within_a_larger_one() {
        let ids: Vec<String> = (0..500).map(|i| i.to_string()).collect();
        let limited = |count| {
            let mut split = Split::new(ids.iter().map(String::as_str), &[], part_of);
            split.limit_training(count);
            split
        };
        let (few, more) = (limited(20), limited(90));
        assert_eq!((few.training.len(), more.training.len()), (20, 90));
        assert!(few.training.iter().all(|id| more.training.contains(id)) && few.inner == more.inner);
        assert!(few.training.is_sorted_by(|a, b| by_id(a, b).is_le()));
    }

    #[test]
    fn near_duplicates_stay_on_the_better_protected_side() {
        let pair = |a: &str, b: &str| NearDuplicate { a: a.into(), b: b.into(), correlation: 1.0 };
        let part = |id: &str| match id {
            "1" => Part::Holdout,
            "2" => Part::Inner,
            _ => Part::Training,
        };
        // 5 is linked to 1 by way of 2, 3 and 4 are twins within the training part.
        let pairs = [pair("2", "5"), pair("1", "2"), pair("3", "4")];
        let split = Split::new(["5", "4", "3", "2", "1"], &pairs, part);
        assert_eq!((split.holdout, split.training), (vec!["1".to_owned()], vec!["3".into(), "4".into()]));
        let dropped: Vec<(&str, &str)> =
            split.dropped.iter().map(|d| (d.id.as_str(), d.twin.as_str())).collect();
        assert_eq!(dropped, [("2", "1"), ("5", "1")]);
    }
}
