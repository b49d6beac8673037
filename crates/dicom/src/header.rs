use crate::dataset::DataSet;
use crate::tag::Tag;
use boneage_core::{AgeSource, ChronologicalAge, Date, Flag, FlagCode, Months, Sex};

/// Who and what a radiograph shows, as far as its header says. No name and no number of a patient is in it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Header {
    /// The patient's sex; `None` where it is absent or other.
    pub sex: Option<Sex>,
    /// The day of birth.
    pub birth_date: Option<Date>,
    /// The day of the study, else that of the acquisition.
    pub study_date: Option<Date>,
    /// The age on the day of the study.
    pub age: Option<ChronologicalAge>,
    /// Which hand.
    pub laterality: Option<Laterality>,
    /// The view, as `PA`.
    pub view: Option<String>,
    /// The body part, as `HAND`.
    pub body_part: Option<String>,
    /// The kind of machine, as `DX`.
    pub modality: Option<String>,
    /// Distance of pixel centres, in the plane of the patient where it is known, else of the detector.
    pub spacing: Option<PixelSpacing>,
}

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laterality {
    /// The left.
    Left,
    /// The right.
    Right,
    /// Both on one film.
    Both,
}

/// Distance of pixel centres as the file stores them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelSpacing {
    /// From one row to the next, in millimetres.
    pub row_mm: f64,
    /// From one column to the next, in millimetres.
    pub column_mm: f64,
}

impl Header {
    pub(crate) fn read(set: &DataSet<'_>) -> Header {
        let date = |tag| Date::parse(&set.word(tag)?);
        let birth_date = date(Tag::PATIENT_BIRTH_DATE);
        let study_date = date(Tag::STUDY_DATE).or_else(|| date(Tag::ACQUISITION_DATE));
        let by_dates = birth_date.zip(study_date).and_then(|(birth, study)| birth.age_on(study));
        let stated = || set.word(Tag::PATIENT_AGE).and_then(|word| stated_age(&word));
        let age = match by_dates {
            Some(months) => Some(ChronologicalAge { months, source: AgeSource::Dates }),
            None => stated().map(|months| ChronologicalAge { months, source: AgeSource::Stated }),
        };
        let side = set.word(Tag::IMAGE_LATERALITY).or_else(|| set.word(Tag::LATERALITY));
        let spacing = [Tag::PIXEL_SPACING, Tag::IMAGER_PIXEL_SPACING].into_iter().find_map(|tag| {
            let &[row_mm, column_mm] = set.decimals(tag).first_chunk::<2>()?;
            (row_mm > 0.0 && column_mm > 0.0).then_some(PixelSpacing { row_mm, column_mm })
        });
        Header {
            sex: match set.word(Tag::PATIENT_SEX).as_deref() {
                Some("F") => Some(Sex::Female),
                Some("M") => Some(Sex::Male),
                _ => None,
            },
            birth_date,
            study_date,
            age,
            laterality: match side.as_deref() {
                Some("L") => Some(Laterality::Left),
                Some("R") => Some(Laterality::Right),
                Some("B") => Some(Laterality::Both),
                _ => None,
            },
            view: set.word(Tag::VIEW_POSITION),
            body_part: set.word(Tag::BODY_PART_EXAMINED),
            modality: set.word(Tag::MODALITY),
            spacing,
        }
    }
}

/// An age string (PS3.5, 6.2, AS): three digits and a unit. Days and weeks by the mean length of a month.
fn stated_age(word: &str) -> Option<Months> {
    const DAYS_OF_A_MONTH: f32 = 365.25 / 12.0;
    let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let number = f32::from(number.parse::<u16>().ok()?);
    match unit {
        "D" => Some(Months(number / DAYS_OF_A_MONTH)),
        "W" => Some(Months(number * 7.0 / DAYS_OF_A_MONTH)),
        "M" => Some(Months(number)),
        "Y" => Some(Months(number * 12.0)),
        _ => None,
    }
}

/// Modalities that films of hands come with: computed, digital and digitised radiography, and what is
/// converted (`OT`, `SC`). Not from a standard; chosen because these are what archives label so.
const RADIOGRAPHS: [&str; 7] = ["CR", "DX", "DR", "RG", "RF", "OT", "SC"];

/// Parts of words by which a body part is a hand: `HAND`, `L WRIST`, `METACARPUS`, `BONEAGE`.
const HANDS: [&str; 6] = ["HAND", "WRIST", "CARP", "FINGER", "BONEAGE", "BONE AGE"];

/// Parts of words by which it may be one: `EXTREMITY`, `UP_EXM` and `UPPER LIMB` are what many machines call a hand, and an
/// elbow too; a film of a forearm may hold the hand.
const MAYBE_HANDS: [&str; 6] = ["EXTREM", "EXM", "LIMB", "ARM", "BONE", "SKELETON"];

/// Parts of words by which it is none after all: `LOWER EXTREMITY`, `LOW_EXM`, `LEG`.
const NO_HANDS: [&str; 2] = ["LOW", "LEG"];

impl Header {
    /// What the header says where it speaks of something else than a radiograph of a hand: `modality CT and body part
    /// CHEST`.
    pub fn not_a_hand(&self) -> Option<String> {
        let modality = self.modality.as_deref().filter(|modality| !RADIOGRAPHS.contains(modality));
        let part = self.body_part.as_deref().filter(|part| kind_of(part) == Part::Other);
        match (modality, part) {
            (Some(modality), Some(part)) => Some(format!("modality {modality} and body part {part}")),
            (Some(modality), None) => Some(format!("modality {modality}")),
            (None, Some(part)) => Some(format!("body part {part}")),
            (None, None) => None,
        }
    }

    /// The body part where it may be a hand and may be something else: `EXTREMITY`.
    pub fn maybe_a_hand(&self) -> Option<&str> {
        self.body_part.as_deref().filter(|part| kind_of(part) == Part::Maybe)
    }
}

/// What a body part is, for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Hand,
    Maybe,
    Other,
}

fn kind_of(part: &str) -> Part {
    let part = part.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| part.contains(word));
    if has(&HANDS) {
        Part::Hand
    } else if has(&MAYBE_HANDS) && !has(&NO_HANDS) {
        Part::Maybe
    } else {
        Part::Other
    }
}

/// Flags where the header speaks of something else than the left hand.
pub(crate) fn not_a_hand(header: &Header) -> Vec<Flag> {
    let mut flags = Vec::new();
    if let Some(told) = header.not_a_hand() {
        let told = format!("the header says {told}: no radiograph of a hand");
        flags.push(Flag::new(FlagCode::NotHandByHeader, told));
    } else if let Some(part) = header.maybe_a_hand() {
        let told = format!("the header says body part {part}, which may be a hand or another");
        flags.push(Flag::new(FlagCode::HandNotNamed, told));
    }
    if header.laterality == Some(Laterality::Right) {
        flags.push(Flag::new(
            FlagCode::RightHand,
            "the header says that this is a right hand; the standards show left ones",
        ));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_in_every_unit() {
        assert_eq!(stated_age("012Y"), Some(Months(144.0)));
        assert_eq!(stated_age("018M"), Some(Months(18.0)));
        assert!((stated_age("052W").unwrap().0 - 11.96).abs() < 0.01);
        for wrong in ["12", "Y", "", "01\u{e9}", "abcY"] {
            assert_eq!(stated_age(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hands_pass_and_chests_do_not() {
        let header = |modality: &str, part: &str| Header {
            modality: Some(modality.to_owned()),
            body_part: Some(part.to_owned()),
            ..Header::default()
        };
        assert!(not_a_hand(&header("DX", "Left Hand")).is_empty());
        assert!(not_a_hand(&Header::default()).is_empty());
        for part in ["EXTREMITY", "UP_EXM", "Upper Extremity", "FOREARM", "UPPER LIMB"] {
            let flags = not_a_hand(&header("CR", part));
            assert_eq!(
                flags.iter().map(|flag| flag.code).collect::<Vec<_>>(),
                [FlagCode::HandNotNamed],
                "{part}"
            );
        }
        for part in ["LOWER EXTREMITY", "LOW_EXM", "LEG", "KNEE", "FOOT"] {
            assert!(header("CR", part).not_a_hand().is_some(), "{part}");
        }
        for part in ["HAND", "WRIST", "Metacarpus", "BONEAGE", "UP_EXM HAND"] {
            assert!(not_a_hand(&header("CR", part)).is_empty(), "{part}");
        }
        let chest = not_a_hand(&header("CT", "CHEST"));
        assert!(chest[0].message.contains("CT and body part CHEST"), "{chest:?}");
    }
}
