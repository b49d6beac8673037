//! What stands where on the page.

use crate::case::{Case, STATEMENT, tenth};
use crate::pdf::{Pen, Picture};
use crate::{Score, Standing};
use boneage_core::{AgeSource, Assessment, Decision, SexSource};
use boneage_draw::{Weight, text_width, wrapped};

/// A4 in points.
pub(crate) const WIDTH: f32 = 595.28;
pub(crate) const HEIGHT: f32 = 841.89;

const LEFT: f32 = 48.0;
const RIGHT: f32 = WIDTH - 48.0;
/// Where the facts beside the film begin.
const FACTS: f32 = 372.0;
const FILM_TOP: f32 = 132.0;
const FILM_WIDTH: f32 = 300.0;
const FILM_HEIGHT: f32 = 392.0;
const SCALE_TOP: f32 = 574.0;
const FLAGS_TOP: f32 = 662.0;
const FOOT: f32 = 772.0;

type Colour = [u8; 3];
const INK: Colour = [23, 32, 47];
const QUIET: Colour = [104, 114, 128];
const FAINT: Colour = [214, 220, 228];
const ACCENT: Colour = [13, 92, 138];
const BAND_1: Colour = [190, 211, 228];
const BAND_2: Colour = [224, 234, 242];
const GOOD: Colour = [26, 122, 78];
const WARNING: Colour = [176, 88, 8];
const REFUSED: Colour = [170, 34, 34];

/// How letters look.
#[derive(Clone, Copy)]
pub(crate) struct Letters {
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    pub(crate) colour: Colour,
}

const fn letters(size: f32, weight: Weight, colour: Colour) -> Letters {
    Letters { size, weight, colour }
}

const LABEL: Letters = letters(7.2, Weight::Regular, QUIET);
const SMALL: Letters = letters(7.2, Weight::Regular, QUIET);
const FINE: Letters = letters(6.3, Weight::Regular, QUIET);
const BODY: Letters = letters(9.0, Weight::Regular, INK);
const VALUE: Letters = letters(12.5, Weight::Bold, INK);

/// Draws the whole page.
pub(crate) fn draw(pen: &mut Pen<'_, '_>, case: &Case<'_>, picture: Option<Picture<'_>>) {
    headline(pen, case);
    if let Some(picture) = picture {
        film(pen, case.assessment, picture);
    }
    facts(pen, case);
    scale(pen, case);
    flags(pen, case.assessment);
    foot(pen, case);
}

fn headline(pen: &mut Pen<'_, '_>, case: &Case<'_>) {
    pen.rectangle([0.0, 0.0, WIDTH, 5.0], ACCENT);
    pen.text((LEFT, 50.0), letters(8.0, Weight::Bold, ACCENT), "BONE AGE");
    if let Some(date) = case.study_date {
        pen.text_before((RIGHT, 50.0), letters(8.0, Weight::Regular, QUIET), &format!("film of {date}"));
    }
    let assessment = case.assessment;
    let (title, colour) = match assessment.months {
        Some(months) => (months.to_string(), INK),
        None => ("No age given".to_owned(), REFUSED),
    };
    pen.text((LEFT, 86.0), letters(29.0, Weight::Bold, colour), &title);
    let mut parts = Vec::new();
    if let Some(months) = assessment.months {
        parts.push(format!("{:.1} months", tenth(months.0)));
    }
    if let Some(interval) = assessment.interval {
        let (lower, upper) = (tenth(interval.lower.0), tenth(interval.upper.0));
        parts.push(format!("{:.0} % between {lower:.0} and {upper:.0} months", interval.level * 100.0));
    }
    parts.push(match assessment.sex.value {
        Some(sex) => format!("read as {sex}"),
        None => "sex unknown".to_owned(),
    });
    pen.text((LEFT, 107.0), letters(10.5, Weight::Regular, QUIET), &parts.join("   \u{b7}   "));
}

/// The film as large as its frame allows, in the frame's upper left corner.
fn film(pen: &mut Pen<'_, '_>, assessment: &Assessment, picture: Picture<'_>) {
    let (width, height) = (picture.width.max(1) as f32, picture.height.max(1) as f32);
    let zoom = (FILM_WIDTH / width).min(FILM_HEIGHT / height);
    let (width, height) = (width * zoom, height * zoom);
    pen.picture([LEFT, FILM_TOP, width, height], picture);
    let mut caption = Vec::new();
    if assessment.attention.is_some() {
        caption.push("Colour: where the network looked, which is no finding.");
    }
    if assessment.hand.is_some() {
        caption.push("Line: the hand as it was found.");
    }
    pen.text((LEFT, FILM_TOP + height + 13.0), SMALL, &caption.join(" "));
}

/// One fact: what, how much, and where it comes from.
struct Fact {
    label: &'static str,
    value: String,
    colour: Colour,
    source: String,
}

fn facts(pen: &mut Pen<'_, '_>, case: &Case<'_>) {
    let mut y = FILM_TOP + 8.0;
    for fact in facts_of(case) {
        pen.text((FACTS, y), LABEL, fact.label);
        pen.text((FACTS, y + 16.0), Letters { colour: fact.colour, ..VALUE }, &fact.value);
        let mut below = y + 28.0;
        for line in lines(&fact.source, SMALL, RIGHT - FACTS) {
            pen.text((FACTS, below), SMALL, &line);
            below += 10.0;
        }
        y = below + 14.0;
        pen.rectangle([FACTS, y - 15.0, RIGHT - FACTS, 0.5], FAINT);
    }
}

fn facts_of(case: &Case<'_>) -> Vec<Fact> {
    let assessment = case.assessment;
    let mut facts = Vec::new();
    let (word, colour, source) = match assessment.decision {
        Decision::Accepted => ("Accepted", GOOD, "nothing speaks against it"),
        Decision::Flagged => ("Flagged", WARNING, "see the reasons to look twice below"),
        Decision::Refused => ("Refused", REFUSED, "see the reasons below"),
    };
    let fact = |label, value: String, source: String| Fact { label, value, colour: INK, source };
    facts.push(Fact { label: "Reading", value: word.to_owned(), colour, source: source.to_owned() });
    match assessment.chronological {
        Some(age) => facts.push(fact(
            "Chronological age",
            age.months.to_string(),
            match age.source {
                AgeSource::Dates => {
                    format!("{:.1} months, from the dates of birth and of the film", tenth(age.months.0))
                }
                _ => "as the film's header states it".to_owned(),
            },
        )),
        None => facts.push(fact(
            "Chronological age",
            "unknown".to_owned(),
            "the film does not tell it".to_owned(),
        )),
    }
    if let Some(Standing { difference, score, reference, .. }) = case.standing {
        let months = format!("{:+.1} months", tenth(*difference));
        facts.push(fact("Bone age minus chronological age", months, String::new()));
        let value = if let Score::Sds(_) = score { score.words() } else { "no score".to_owned() };
        let source = match score {
            Score::Sds(_) => format!("by {reference}"),
            other => format!("{reference}: {}", other.words()),
        };
        facts.push(fact("Standard deviation score", value, source));
    }
    if let Some(predicted) = &case.adult_height {
        let (value, source) = match predicted {
            Ok(adult) => (
                format!("{:.1} cm", adult.height),
                format!(
                    "Bayley and Pinneau 1952, {} growth, {:.1} % reached",
                    adult.tempo.as_str(),
                    adult.reached
                ),
            ),
            Err(reason) => ("not predicted".to_owned(), reason.words()),
        };
        facts.push(fact("Adult height", value, source));
    }
    let sex = assessment.sex.value.map_or("unknown", |sex| sex.as_str());
    let from = match assessment.sex.source {
        SexSource::Given => "as it was given",
        SexSource::Table => "from the table",
        SexSource::Header => "from the film's header",
        _ => "the mean of the readings for a girl and for a boy is told",
    };
    facts.push(fact("Sex that it was read for", sex.to_owned(), from.to_owned()));
    facts
}

/// Years from birth to the end of growth with both ages on it, and what is usual at the child's age.
fn scale(pen: &mut Pen<'_, '_>, case: &Case<'_>) {
    const YEARS: f32 = 19.0;
    let place = |months: f32| LEFT + (RIGHT - LEFT) * (months / (12.0 * YEARS)).clamp(0.0, 1.0);
    let (top, height) = (SCALE_TOP + 14.0, 22.0);
    pen.rectangle([LEFT, top, RIGHT - LEFT, height], [245, 247, 249]);
    let span = |pen: &mut Pen<'_, '_>, from: f32, to: f32, [y, height]: [f32; 2], colour| {
        pen.rectangle([place(from), y, place(to) - place(from), height], colour);
    };
    if let Some((mean, sd)) = case.standing.and_then(|standing| standing.usual) {
        span(pen, mean - 2.0 * sd, mean + 2.0 * sd, [top, height], BAND_2);
        span(pen, mean - sd, mean + sd, [top, height], BAND_1);
    }
    for year in (0..=YEARS as u32).step_by(1) {
        let x = place(12.0 * year as f32);
        let long = year % 2 == 0;
        pen.rectangle([x - 0.25, top + height, 0.5, if long { 5.0 } else { 3.0 }], QUIET);
        if long {
            pen.text_around((x, top + height + 14.0), SMALL, &year.to_string());
        }
    }
    pen.text_before((RIGHT, top + height + 25.0), FINE, "years");
    let assessment = case.assessment;
    // An age beyond the scale, of an adult, is told beside the film alone.
    let shown = assessment.chronological.filter(|age| age.months.0 <= 12.0 * YEARS);
    if let Some(age) = shown {
        let x = place(age.months.0);
        pen.rectangle([x - 0.6, top - 3.0, 1.2, height + 6.0], INK);
        let label = letters(7.0, Weight::Regular, INK);
        let far = assessment.months.is_none_or(|months| (place(months.0) - x).abs() > 62.0);
        match assessment.months {
            // The two labels stand on their own sides of each other.
            Some(months) if !far && months.0 >= age.months.0 => {
                pen.text_before((x - 3.0, top - 6.0), label, "chronological age");
            }
            Some(_) if !far => pen.text((x + 3.0, top - 6.0), label, "chronological age"),
            _ => pen.text_around((x, top - 6.0), label, "chronological age"),
        }
    }
    if let Some(months) = assessment.months {
        let (x, middle) = (place(months.0), top + height / 2.0);
        if let Some(interval) = assessment.interval {
            span(pen, interval.lower.0, interval.upper.0, [middle - 1.25, 2.5], ACCENT);
        }
        pen.disc((x, middle), 5.2, [255; 3]);
        pen.disc((x, middle), 4.2, ACCENT);
        let label = letters(7.0, Weight::Bold, ACCENT);
        match shown {
            Some(age) if (place(age.months.0) - x).abs() <= 62.0 && months.0 >= age.months.0 => {
                pen.text((x + 3.0, top - 6.0), label, "bone age");
            }
            Some(age) if (place(age.months.0) - x).abs() <= 62.0 => {
                pen.text_before((x - 3.0, top - 6.0), label, "bone age");
            }
            _ => pen.text_around((x, top - 6.0), label, "bone age"),
        }
    }
    if let Some(Standing { usual: Some(_), reference, .. }) = case.standing {
        let y = top + height + 25.0;
        pen.rectangle([LEFT, y - 5.0, 9.0, 5.5], BAND_1);
        pen.rectangle([LEFT + 9.0, y - 5.0, 9.0, 5.5], BAND_2);
        let told = format!("one and two standard deviations of bone age at the child's age, {reference}");
        pen.text((LEFT + 23.0, y), FINE, &told);
    }
}

fn flags(pen: &mut Pen<'_, '_>, assessment: &Assessment) {
    const LINE: f32 = 12.5;
    let heading = |text: &'static str, colour| (text, letters(9.5, Weight::Bold, colour));
    let (text, style) = match (assessment.decision, assessment.flags.is_empty()) {
        (Decision::Refused, _) => heading("Why no age was given", REFUSED),
        (_, true) => heading("Nothing was noticed that speaks against this reading", GOOD),
        (Decision::Flagged, false) => heading("Reasons to look twice", WARNING),
        (Decision::Accepted, false) => heading("To be known", QUIET),
    };
    pen.text((LEFT, FLAGS_TOP), style, text);
    let mut y = FLAGS_TOP + 16.0;
    let mut left = assessment.flags.len();
    for flag in &assessment.flags {
        let lines = lines(&flag.message, BODY, RIGHT - LEFT - 12.0);
        if y + lines.len() as f32 * LINE > FOOT - 10.0 {
            pen.text((LEFT + 12.0, y), SMALL, &format!("and {left} more"));
            break;
        }
        pen.disc((LEFT + 3.0, y - 3.0), 1.7, style.colour);
        for line in lines {
            pen.text((LEFT + 12.0, y), BODY, &line);
            y += LINE;
        }
        left -= 1;
    }
}

fn foot(pen: &mut Pen<'_, '_>, case: &Case<'_>) {
    pen.rectangle([LEFT, FOOT, RIGHT - LEFT, 0.5], FAINT);
    let assessment = case.assessment;
    let model = &assessment.model;
    let mut rows = vec![
        ("written", format!("{} by boneage {}", case.written.date, case.version)),
        ("model", format!("{}, SHA-256 {}", model.name, model.digest.0)),
    ];
    if let Some(input) = &assessment.input {
        rows.push(("film", format!("SHA-256 {}", input.0)));
    }
    let mut y = FOOT + 13.0;
    for (label, text) in rows {
        pen.text((LEFT, y), FINE, label);
        pen.text((LEFT + 36.0, y), FINE, &text);
        y += 9.5;
    }
    pen.text((LEFT, y + 5.0), letters(7.2, Weight::Bold, INK), STATEMENT);
}

fn lines(text: &str, style: Letters, width: f32) -> Vec<String> {
    wrapped(text, f64::from(width), |words| text_width(f64::from(style.size), style.weight, words))
}
