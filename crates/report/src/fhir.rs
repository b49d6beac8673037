//! A reading as HL7 FHIR R4: a DiagnosticReport and the Observation that it rests on.

use crate::case::{Case, STATEMENT, tenth};
use crate::{Score, Standing};
use boneage_core::{Digest, Months};
use serde_json::{Value, json};

const LOINC: &str = "http://loinc.org";
/// "Bones X-ray bone age".
const BONE_AGE: &str = "37362-1";
const UCUM: &str = "http://unitsofmeasure.org";

/// The entries of a FHIR R4 Bundle that one reading makes: DiagnosticReport, then Observation.
///
/// Both are `preliminary`: a physician has not seen them. There is no `subject`, as a reading knows no patient; who
/// stores them sets it. Ids follow from the film's and the model's digests, so that the same reading has the same.
pub fn fhir(case: &Case<'_>) -> [Value; 2] {
    let (report, observation) = (id_of(case, "report"), id_of(case, "observation"));
    let mut entries = [diagnostic_report(case, &report, &observation), bone_age(case, &observation)];
    if let Some(date) = case.study_date {
        for entry in &mut entries {
            entry["effectiveDateTime"] = json!(date.to_string());
        }
    }
    let [first, second] = entries;
    [
        json!({"fullUrl": format!("urn:uuid:{report}"), "resource": first}),
        json!({"fullUrl": format!("urn:uuid:{observation}"), "resource": second}),
    ]
}

/// A Bundle of type `collection` around entries.
pub fn fhir_bundle(entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

/// A UUID of version 8 (RFC 9562, 5.8) from digests.
fn id_of(case: &Case<'_>, kind: &str) -> String {
    let assessment = case.assessment;
    let input = assessment.input.as_ref().map_or("", |digest| digest.0.as_str());
    let sex = assessment.sex.value.map_or("", |sex| sex.as_str());
    let text = format!("{kind} {input} {} {sex} {}", assessment.model.digest.0, case.version);
    let hash = Digest::of(text.as_bytes()).0;
    let part = |from: usize, to: usize| &hash[from..to];
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

fn diagnostic_report(case: &Case<'_>, id: &str, observation: &str) -> Value {
    json!({
        "resourceType": "DiagnosticReport",
        "id": id,
        "status": "preliminary",
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v2-0074",
            "code": "RAD",
        }]}],
        "code": code(),
        "result": [{"reference": format!("urn:uuid:{observation}")}],
        "conclusion": conclusion(case),
    })
}

fn bone_age(case: &Case<'_>, id: &str) -> Value {
    let assessment = case.assessment;
    let mut observation = json!({
        "resourceType": "Observation",
        "id": id,
        "status": "preliminary",
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
        }]}],
        "code": code(),
        "method": {"text": "Neural network with an attention map, trained on readings by the Greulich and Pyle atlas"},
        "contained": [{
            "resourceType": "Device",
            "id": "reader",
            "deviceName": [{"name": "boneage", "type": "user-friendly-name"}],
            "type": {"text": "software"},
            "version": [
                {"type": {"text": "program"}, "value": case.version},
                {"type": {"text": "model"}, "value": assessment.model.name},
                {"type": {"text": "SHA-256 of the model"}, "value": assessment.model.digest.0},
            ],
        }],
        "device": {"reference": "#reader"},
        "component": components(case),
    });
    match assessment.months {
        Some(months) => observation["valueQuantity"] = quantity(months.0),
        None => observation["dataAbsentReason"] = absent("no age was given"),
    }
    let mut notes: Vec<Value> = assessment
        .flags
        .iter()
        .map(|flag| json!({"text": format!("{}: {}", flag.code.as_str(), flag.message)}))
        .collect();
    notes.push(json!({"text": STATEMENT}));
    observation["note"] = Value::Array(notes);
    observation
}

fn code() -> Value {
    json!({"coding": [{"system": LOINC, "code": BONE_AGE}], "text": "Bone age"})
}

fn quantity(months: f32) -> Value {
    json!({"value": tenth(months), "unit": "months", "system": UCUM, "code": "mo"})
}

fn absent(why: &str) -> Value {
    let coding =
        json!({"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"});
    json!({"coding": [coding], "text": why})
}

/// What belongs to the age: interval, sex, chronological age, how they stand to each other.
fn components(case: &Case<'_>) -> Vec<Value> {
    let assessment = case.assessment;
    let mut components = Vec::new();
    if let Some(interval) = assessment.interval {
        components.push(json!({
            "code": {"text": format!("Prediction interval of the bone age, {:.0} %", interval.level * 100.0)},
            "valueRange": {"low": quantity(interval.lower.0), "high": quantity(interval.upper.0)},
        }));
    }
    let sex = json!({"text": "Sex that the film was read for"});
    components.push(match assessment.sex.value {
        Some(value) => json!({"code": sex, "valueString": value.as_str()}),
        None => {
            json!({"code": sex, "dataAbsentReason": absent("no sex is known; both were read and averaged")})
        }
    });
    if let Some(age) = assessment.chronological {
        let code = json!({"text": "Chronological age on the day of the study"});
        components.push(json!({"code": code, "valueQuantity": quantity(age.months.0)}));
    }
    if let Some(Standing { difference, score, reference, .. }) = case.standing {
        let code = json!({"text": "Bone age minus chronological age"});
        components.push(json!({"code": code, "valueQuantity": quantity(*difference)}));
        let code = json!({"text": format!("Standard deviation score of the bone age, by {reference}")});
        components.push(match score {
            Score::Sds(sds) => json!({"code": code, "valueQuantity": {
                "value": tenth(*sds), "unit": "standard deviations", "system": UCUM, "code": "{SD}",
            }}),
            other => json!({"code": code, "dataAbsentReason": absent(&other.words())}),
        });
    }
    components
}

/// A sentence or two.
fn conclusion(case: &Case<'_>) -> String {
    let assessment = case.assessment;
    let Some(months) = assessment.months else {
        let reasons: Vec<&str> = assessment.flags.iter().map(|flag| flag.message.as_str()).collect();
        return format!("No bone age was given: {}. {STATEMENT}", reasons.join("; "));
    };
    let told = |months: Months| format!("{months} ({:.1} months)", tenth(months.0));
    let mut text = format!("Bone age {}", told(months));
    if let Some(age) = assessment.chronological {
        text += &format!(", chronological age {}", told(age.months));
    }
    if let Some(Standing { score: Score::Sds(sds), reference, .. }) = case.standing {
        text += &format!(", {sds:+.1} SD by {reference}");
    }
    format!("{text}. {STATEMENT}")
}
