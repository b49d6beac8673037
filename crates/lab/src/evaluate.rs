use crate::{Progress, Radiograph, Scored};
use boneage_assess::Predictor;
use boneage_core::{Decision, Digest, Months, SexGiven, SexSource};
use boneage_vision::{DecodeLimits, decode};

/// Reads every radiograph's file with the model, as `boneage predict` does.
///
/// Every readable image gets an age, whether or not it would be refused. Returns the readings in order
/// and `file: reason` of those that could not be read.
pub fn read_all(predictor: &Predictor, radiographs: &[&Radiograph]) -> (Vec<Scored>, Vec<String>) {
    let (mut scored, mut unreadable) = (Vec::with_capacity(radiographs.len()), Vec::new());
    let mut progress = Progress::new("reading radiographs", radiographs.len());
    for radiograph in radiographs {
        match read(predictor, radiograph) {
            Ok(reading) => scored.push(reading),
            Err(reason) => unreadable.push(format!("{}: {reason}", radiograph.path.display())),
        }
        progress.advance(1);
    }
    (scored, unreadable)
}

fn read(predictor: &Predictor, radiograph: &Radiograph) -> Result<Scored, String> {
    let bytes = std::fs::read(&radiograph.path).map_err(|e| e.to_string())?;
    let decoded = decode(&bytes, &DecodeLimits::default()).map_err(|e| e.to_string())?;
    let digest = Digest::of(&bytes);
    let image = boneage_assess::Radiograph {
        plane: &decoded.plane,
        flags: &decoded.flags,
        sex: SexGiven { value: Some(radiograph.sex), source: SexSource::Table },
        input: Some(&digest),
        placing: None,
    };
    let reading = predictor.read(image.plane, image.sex.value);
    let assessment = predictor.judge(&image, &reading);
    // A refused image has no age in its assessment, but it counts here: the network's own.
    let predicted = assessment.months.unwrap_or(reading.months);
    Ok(Scored {
        id: radiograph.id.clone(),
        sex: radiograph.sex,
        truth: radiograph.months,
        predicted,
        accepted: Some(assessment.decision != Decision::Refused),
        interval: predictor.interval(Months(predicted.0.max(0.0)), Some(radiograph.sex)),
    })
}
