//! Reports from outside: what stands in them, and that nothing stands in them that was not measured.

use boneage_core::{
    AgeSource, Assessment, ChronologicalAge, Date, Decision, Digest, Flag, FlagCode, Interval, ModelName,
    Moment, Months, Sex, SexGiven, SexSource,
};
use boneage_report::{Case, Picture, Reference, Standing, fhir, fhir_bundle, pdf};

fn read() -> Assessment {
    Assessment {
        months: Some(Months(127.349)),
        interval: Some(Interval { lower: Months(112.0), upper: Months(142.6), level: 0.9 }),
        decision: Decision::Flagged,
        flags: vec![Flag::new(FlagCode::RightHand, "the header says that this is a right hand")],
        sex: SexGiven { value: Some(Sex::Female), source: SexSource::Header },
        chronological: Some(ChronologicalAge { months: Months(120.0), source: AgeSource::Dates }),
        model: ModelName { name: "attention".into(), digest: Digest::of(b"model") },
        attention: None,
        hand: None,
        input: Some(Digest::of(b"film")),
    }
}

fn refused() -> Assessment {
    let flags = vec![Flag::new(FlagCode::LowContrast, "the image is blank")];
    Assessment { months: None, interval: None, decision: Decision::Refused, flags, ..read() }
}

fn standing(assessment: &Assessment) -> Option<Standing> {
    let (age, months) = (assessment.chronological?, assessment.months?);
    Some(Reference::brush_foundation().standing(assessment.sex.value, age, months))
}

fn case<'a>(assessment: &'a Assessment, standing: Option<&'a Standing>) -> Case<'a> {
    Case {
        assessment,
        study_date: Date::new(2020, 1, 15),
        standing,
        adult_height: None,
        written: Moment { date: Date::new(2024, 5, 6).expect("a day"), time: [7, 8, 9] },
        version: "1.2.3",
    }
}

#[test]
fn an_observation_has_the_age_in_months_and_its_interval() {
    let (read, standing) = (read(), standing(&read()));
    let [report, observation] = fhir(&case(&read, standing.as_ref()));
    let observation = &observation["resource"];
    assert_eq!(observation["code"]["coding"][0]["code"], "37362-1");
    assert_eq!(observation["valueQuantity"]["value"], 127.3);
    assert_eq!(observation["valueQuantity"]["code"], "mo");
    assert_eq!(observation["effectiveDateTime"], "2020-01-15");
    let components = observation["component"].as_array().expect("components");
    assert_eq!(components[0]["valueRange"]["high"]["value"], 142.6);
    let text = |i: usize| components[i]["code"]["text"].as_str().expect("text");
    assert!(text(4).contains("Brush Foundation"), "{components:?}");
    assert_eq!(components[4]["valueQuantity"]["value"], 0.6);
    let id = report["resource"]["result"][0]["reference"].as_str().expect("a reference");
    assert_eq!(observation["id"].as_str(), id.strip_prefix("urn:uuid:"));
    assert_eq!(fhir_bundle(vec![report])["resourceType"], "Bundle");
}

#[test]
fn a_refused_film_has_no_value_and_says_why() {
    let refused = refused();
    let [report, observation] = fhir(&case(&refused, None));
    assert!(observation["resource"].get("valueQuantity").is_none());
    assert_eq!(observation["resource"]["dataAbsentReason"]["text"], "no age was given");
    assert!(report["resource"]["conclusion"].as_str().expect("text").contains("the image is blank"));
}

#[test]
fn the_same_reading_has_the_same_ids_and_another_film_has_others() {
    let (one, mut other) = (read(), read());
    other.input = Some(Digest::of(b"another"));
    let id = |assessment: &Assessment| fhir(&case(assessment, None))[0]["fullUrl"].clone();
    assert_eq!(id(&one), id(&one));
    assert_ne!(id(&one), id(&other));
}

#[test]
fn every_kind_of_reading_makes_a_page_of_pdf_a() {
    let rgb = vec![90; 30 * 40 * 3];
    let picture = Picture { width: 30, height: 40, rgb: &rgb };
    let (read, refused) = (read(), refused());
    let standing = standing(&read);
    let mut many = read.clone();
    many.flags = (0..40).map(|i| Flag::new(FlagCode::Colour, format!("reason {i} of many words"))).collect();
    for (assessment, standing) in [(&read, standing.as_ref()), (&refused, None), (&many, None)] {
        let page = pdf(&case(assessment, standing), Some(picture)).expect("a page");
        assert!(page.starts_with(b"%PDF-1."));
        let text = String::from_utf8_lossy(&page);
        assert!(text.contains("pdfaid:part") && text.matches("/Type /Page\n").count() <= 1);
        assert_eq!(page, pdf(&case(assessment, standing), Some(picture)).expect("the same"), "no clock");
    }
}
