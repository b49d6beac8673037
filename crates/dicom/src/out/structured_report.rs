//! A measurement report by template 1500 (PS3.16), in an Enhanced SR (PS3.3, A.35.2).

use super::{Item, Kind, MANUFACTURER, Occasion, code};
use boneage_core::Months;

/// A number beside the bone age, by the caller's knowledge: a standard deviation score.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// What it is, in words.
    pub meaning: String,
    /// A word for programs, at most 16 letters, in our own coding scheme.
    pub code: &'static str,
    /// How much.
    pub value: f64,
    /// Its unit in UCUM and in words.
    pub unit: (&'static str, &'static str),
}

/// Our own codes, where no standard has one: names that begin with 99 are private (PS3.16, 8.2).
const OWN: &str = "99BONEAGE";

const MONTHS: (&str, &str) = ("mo", "month");

/// How an item belongs to the one above it (PS3.3, table C.17.3-1).
const CONTAINS: &str = "CONTAINS";
const CONTEXT: &str = "HAS OBS CONTEXT";
const MODIFIER: &str = "HAS CONCEPT MOD";
const ACQUISITION: &str = "HAS ACQ CONTEXT";

/// The reading as a structured report: bone age, interval, chronological age and `more` as numbers with coded
/// concepts, flags as text, the film as reference.
pub fn structured_report(occasion: &Occasion<'_>, more: &[Measurement]) -> Vec<u8> {
    let report = container(("126000", "DCM", "Imaging Measurement Report"))
        .items(0x0040_A504, vec![template("1500")])
        .items(
            0x0040_A730,
            vec![
                coded(
                    MODIFIER,
                    ("121049", "DCM", "Language of Content Item and Descendants"),
                    ("en", "RFC5646", "English"),
                ),
                coded(CONTEXT, ("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device")),
                uid(CONTEXT, ("121012", "DCM", "Device Observer UID"), &occasion.root.implementation()),
                text(CONTEXT, ("121013", "DCM", "Device Observer Name"), "boneage"),
                text(CONTEXT, ("121014", "DCM", "Device Observer Manufacturer"), MANUFACTURER),
                text(
                    CONTEXT,
                    ("121015", "DCM", "Device Observer Model Name"),
                    &occasion.assessment.model.name,
                ),
                coded(MODIFIER, ("121058", "DCM", "Procedure reported"), ("37362-1", "LN", "XR Bone age")),
                library(occasion),
                related(CONTAINS, container(("126010", "DCM", "Imaging Measurements")))
                    .items(0x0040_A730, vec![group(occasion, more)]),
            ],
        );
    let series = Item::new()
        .items(
            0x0008_1115,
            vec![Item::new().items(0x0008_1199, vec![occasion.film()]).text(
                0x0020_000E,
                b"UI",
                occasion.source.series(),
            )],
        )
        .text(0x0020_000D, b"UI", occasion.source.study());
    let content = report
        .text(0x0008_0023, b"DA", &occasion.day())
        .text(0x0008_0033, b"TM", &occasion.clock())
        .items(0x0008_1111, Vec::new())
        .items(0x0040_A372, Vec::new())
        .items(0x0040_A375, vec![series])
        .text(0x0040_A491, b"CS", "COMPLETE")
        .text(0x0040_A493, b"CS", "UNVERIFIED")
        .text(0x0040_A496, b"CS", "PRELIMINARY");
    occasion.file(Kind::StructuredReport, content)
}

/// Templates 1600 and 1602: the film, and what made it.
fn library(occasion: &Occasion<'_>) -> Item {
    let modality = match occasion.source.modality() {
        Some("CR") => ("CR", "DCM", "Computed Radiography"),
        Some("DX") => ("DX", "DCM", "Digital Radiography"),
        Some("RG") => ("RG", "DCM", "Radiographic imaging"),
        _ => ("OT", "DCM", "Other Modality"),
    };
    let image = related(CONTAINS, Item::new().text(0x0040_A040, b"CS", "IMAGE"))
        .items(0x0008_1199, vec![occasion.film()])
        .items(0x0040_A730, vec![coded(ACQUISITION, ("121139", "DCM", "Modality"), modality)]);
    let group = related(CONTAINS, container(("126200", "DCM", "Image Library Group")))
        .items(0x0040_A730, vec![image]);
    related(CONTAINS, container(("111028", "DCM", "Image Library"))).items(0x0040_A730, vec![group])
}

/// Template 1501: the numbers of one hand.
fn group(occasion: &Occasion<'_>, more: &[Measurement]) -> Item {
    let assessment = occasion.assessment;
    let mut content = vec![
        text(CONTEXT, ("112039", "DCM", "Tracking Identifier"), "bone age"),
        uid(CONTEXT, ("112040", "DCM", "Tracking Unique Identifier"), &occasion.uid("tracking")),
        coded(MODIFIER, ("363698007", "SCT", "Finding Site"), ("85562004", "SCT", "Hand")),
    ];
    let bone_age = ("37362-1", "LN", "XR Bone age");
    content.push(match assessment.months {
        Some(months) => number(bone_age, tenth(months), MONTHS),
        None => missing(bone_age),
    });
    if let Some(interval) = assessment.interval {
        let share = interval.level * 100.0;
        let ends = [("LOWER", "lower", interval.lower), ("UPPER", "upper", interval.upper)];
        for (end, word, months) in ends {
            let meaning = format!("Bone age, {word} end of the {share:.0} % prediction interval");
            content.push(number((end, OWN, &meaning), tenth(months), MONTHS));
        }
    }
    if let Some(age) = assessment.chronological {
        let meaning = "Chronological age at the time of the film";
        content.push(number(("CHRONOLOGICAL", OWN, meaning), tenth(age.months), MONTHS));
    }
    for Measurement { meaning, code, value, unit } in more {
        content.push(number((code, OWN, meaning), *value, *unit));
    }
    for flag in &assessment.flags {
        content.push(text(CONTAINS, ("121106", "DCM", "Comment"), &flag.message));
    }
    let statement = "For research use. Not a medical device. A reading to be confirmed by a physician.";
    content.push(text(CONTAINS, ("121106", "DCM", "Comment"), statement));
    related(CONTAINS, container(("125007", "DCM", "Measurement Group")))
        .items(0x0040_A504, vec![template("1501")])
        .items(0x0040_A730, content)
}

fn tenth(months: Months) -> f64 {
    (f64::from(months.0) * 10.0).round() / 10.0
}

type Concept<'a> = (&'a str, &'a str, &'a str);

fn template(number: &str) -> Item {
    Item::new().text(0x0008_0105, b"CS", "DCMR").text(0x0040_DB00, b"CS", number)
}

fn related(how: &str, item: Item) -> Item {
    item.text(0x0040_A010, b"CS", how)
}

fn named((value, scheme, meaning): Concept<'_>, kind: &str) -> Item {
    Item::new().text(0x0040_A040, b"CS", kind).items(0x0040_A043, vec![code(value, scheme, meaning)])
}

fn container(concept: Concept<'_>) -> Item {
    named(concept, "CONTAINER").text(0x0040_A050, b"CS", "SEPARATE")
}

fn coded(how: &str, concept: Concept<'_>, (value, scheme, meaning): Concept<'_>) -> Item {
    related(how, named(concept, "CODE")).items(0x0040_A168, vec![code(value, scheme, meaning)])
}

fn text(how: &str, concept: Concept<'_>, words: &str) -> Item {
    related(how, named(concept, "TEXT")).text(0x0040_A160, b"UT", words)
}

fn uid(how: &str, concept: Concept<'_>, uid: &str) -> Item {
    related(how, named(concept, "UIDREF")).text(0x0040_A124, b"UI", uid)
}

fn number(concept: Concept<'_>, value: f64, (unit, words): (&str, &str)) -> Item {
    let measured = Item::new()
        .text(0x0040_A30A, b"DS", &format!("{value:.1}"))
        .items(0x0040_08EA, vec![code(unit, "UCUM", words)]);
    related(CONTAINS, named(concept, "NUM")).items(0x0040_A300, vec![measured])
}

/// A number that could not be had (PS3.16, context group 42).
fn missing(concept: Concept<'_>) -> Item {
    related(CONTAINS, named(concept, "NUM"))
        .items(0x0040_A300, Vec::new())
        .items(0x0040_A301, vec![code("114006", "DCM", "Measurement failure")])
}
