use super::Reproduction;
use super::figures::predictor;
use crate::checkpoint::write_atomically;
use crate::{
    AnnotatedHand, Dataset, Estimate, LabError, Part, Progress, Radiograph, Region, RegionMap, part_of,
};
use boneage_assess::Predictor;
use boneage_core::{Months, Plane, SexGiven, SexSource};
use boneage_vision::{DecodeLimits, decode};
use serde::{Deserialize, Serialize};

/// Where a model looks and what it needs, by region of the hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Regions {
    pub(super) model: String,
    /// Annotated radiographs that did not train the model.
    pub(super) images: usize,
    /// MAE on them as they are, in months.
    pub(super) mae: f64,
    pub(super) regions: Vec<RegionFindings>,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RegionFindings {
    pub(super) region: String,
    /// Share of the image's pixels.
    pub(super) area: Estimate,
    /// Share of the attention.
    pub(super) attention: Estimate,
    /// MAE with the region painted over minus MAE with it, in months.
    pub(super) occluded: Estimate,
    /// Mean absolute shift of the prediction when the region is painted over, in months.
    pub(super) shift: Estimate,
}

/// What one radiograph showed, in the order of [`Region::ALL`].
struct Seen {
    area: [f64; 5],
    attention: [f64; 5],
    error: f64,
    occluded: [f64; 5],
}

/// Writes `regions.json`: attention mass by region, and the change of MAE when each is occluded.
pub(super) fn write(
    reproduction: &Reproduction,
    model: &str,
    dataset: &Dataset,
) -> Result<Vec<String>, LabError> {
    let annotated = AnnotatedHand::read_all(&reproduction.data)?;
    let predictor = predictor(reproduction, model)?;
    let chosen: Vec<(&Radiograph, &AnnotatedHand)> = dataset
        .radiographs
        .iter()
        .filter(|r| part_of(&r.id) != Part::Training)
        .filter_map(|r| Some((r, annotated.get(&r.id)?)))
        .collect();
    let mut progress = Progress::new("regions occluded", chosen.len());
    let mut seen = Vec::with_capacity(chosen.len());
    for (radiograph, hand) in chosen {
        seen.extend(look(&predictor, radiograph, hand)?);
        progress.advance(1);
    }
    let found = summary(model, &seen);
    let json = serde_json::to_vec_pretty(&found).expect("words and numbers");
    write_atomically(&reproduction.out.join("regions.json"), &json)?;
    Ok(vec!["regions.json".to_owned()])
}

/// `None` for a radiograph without a found hand or without a full annotation.
fn look(
    predictor: &Predictor,
    radiograph: &Radiograph,
    hand: &AnnotatedHand,
) -> Result<Option<Seen>, LabError> {
    let bytes = std::fs::read(&radiograph.path).map_err(LabError::io(&radiograph.path))?;
    let plane = decode(&bytes, &DecodeLimits::default())
        .map_err(|error| LabError::Data(format!("{}: {error}", radiograph.path.display())))?
        .plane;
    let sex = SexGiven { value: Some(radiograph.sex), source: SexSource::Table };
    let image = boneage_assess::Radiograph { plane: &plane, flags: &[], sex, input: None };
    let reading = predictor.read(&plane, sex.value);
    let (Some(mask), Some(attention)) = (reading.frame.hand(), predictor.judge(&image, &reading).attention)
    else {
        return Ok(None);
    };
    let Some(map) = RegionMap::new(mask, hand) else { return Ok(None) };
    let error = |predicted: Months| f64::from(predicted.0) - f64::from(radiograph.months.0);
    let occluded =
        Region::ALL.map(|region| error(predictor.read(&map.occluded(&plane, region), sex.value).months));
    let area = map.shares(&Plane::from_fn(plane.width(), plane.height(), |_, _| 1.0));
    Ok(Some(Seen { area, attention: map.shares(&attention), error: error(reading.months), occluded }))
}

fn summary(model: &str, seen: &[Seen]) -> Regions {
    let regions = Region::ALL.iter().enumerate().filter_map(|(index, region)| {
        let name = format!("{model} {}", region.as_str());
        let of = |value: &dyn Fn(&Seen) -> f64| {
            Estimate::of_mean(&name, &seen.iter().map(value).collect::<Vec<_>>())
        };
        Some(RegionFindings {
            region: region.as_str().to_owned(),
            area: of(&|s| s.area[index])?,
            attention: of(&|s| s.attention[index])?,
            occluded: of(&|s| s.occluded[index].abs() - s.error.abs())?,
            shift: of(&|s| (s.occluded[index] - s.error).abs())?,
        })
    });
    let mae = seen.iter().map(|s| s.error.abs()).sum::<f64>() / seen.len().max(1) as f64;
    Regions { model: model.to_owned(), images: seen.len(), mae, regions: regions.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_is_needed_raises_the_error() {
        let one = |error: f64, carpals: f64| Seen {
            area: [0.2; 5],
            attention: [0.1, 0.2, 0.5, 0.1, 0.1],
            error,
            occluded: [error, error, carpals, error, error],
        };
        let found = summary("m", &[one(4.0, -10.0), one(-2.0, 4.0)]);
        assert_eq!((found.images, found.mae, found.regions.len()), (2, 3.0, 5));
        let carpals = &found.regions[2];
        assert_eq!((carpals.region.as_str(), carpals.attention.value), ("carpals", 0.5));
        assert_eq!((carpals.occluded.value, carpals.shift.value), (4.0, 10.0));
        assert_eq!(found.regions[0].occluded.value, 0.0);
    }
}
