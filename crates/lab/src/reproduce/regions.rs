use super::Reproduction;
use super::figures::predictor;
use crate::checkpoint::write_atomically;
use crate::{
    AnnotatedHand, Dataset, Estimate, FilmPart, LabError, Ossification, OssificationBoxes, Part, Progress,
    Radiograph, Region, RegionMap, part_of,
};
use boneage_assess::Predictor;
use boneage_core::{Months, Plane, SexGiven, SexSource};
use boneage_vision::{DecodeLimits, decode};
use serde::{Deserialize, Serialize};

/// Where a model looks and what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Regions {
    pub(super) model: String,
    /// By region of the hand, from 21 keypoints; `None` where the data folder has no film so annotated that did not
    /// train the model.
    pub(super) hands: Option<Division>,
    /// By place of ossification, from boxes on other films; `None` likewise.
    pub(super) boxes: Option<Division>,
}

/// Films that were divided in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Division {
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

/// What one radiograph showed, each list in the order of the division's regions.
struct Seen {
    area: Vec<f64>,
    attention: Vec<f64>,
    error: f64,
    occluded: Vec<f64>,
}

/// From a radiograph and the mask of its hand to its regions; `None` where it is not annotated in full.
type Divide<'a> = dyn Fn(&str, &Plane) -> Option<Vec<FilmPart>> + 'a;

/// Writes `regions.json`: attention mass by region and box, and the change of MAE when each is occluded.
pub(super) fn write(
    reproduction: &Reproduction,
    model: &str,
    dataset: &Dataset,
) -> Result<Vec<String>, LabError> {
    let data = &reproduction.data;
    let hands = AnnotatedHand::are_in(data).then(|| AnnotatedHand::read_all(data)).transpose()?;
    let hands = hands.unwrap_or_default();
    let boxes = OssificationBoxes::read_all(data)?;
    let predictor = predictor(reproduction, model)?;
    let look_at = |names: &[&str], divide: &Divide<'_>, annotated: &dyn Fn(&str) -> bool| {
        let chosen: Vec<&Radiograph> = dataset
            .radiographs
            .iter()
            .filter(|r| part_of(&r.id) != Part::Training && annotated(&r.id))
            .collect();
        let mut progress = Progress::new("regions occluded", chosen.len());
        let mut seen = Vec::with_capacity(chosen.len());
        for radiograph in chosen {
            seen.extend(look(&predictor, radiograph, divide)?);
            progress.advance(1);
        }
        Ok::<_, LabError>(summary(model, names, &seen))
    };
    let found = Regions {
        model: model.to_owned(),
        hands: look_at(
            &Region::ALL.map(Region::as_str),
            &|id, mask| {
                let map = RegionMap::new(mask, hands.get(id)?)?;
                Some(Region::ALL.map(|region| map.part(region)).into())
            },
            &|id| hands.contains_key(id),
        )?,
        boxes: look_at(
            &Ossification::ALL.map(Ossification::as_str),
            &|id, mask| Some(Ossification::ALL.map(|kind| boxes[id].part(kind, mask)).into()),
            &|id| boxes.contains_key(id),
        )?,
    };
    let json = serde_json::to_vec_pretty(&found).expect("words and numbers");
    write_atomically(&reproduction.out.join("regions.json"), &json)?;
    Ok(vec!["regions.json".to_owned()])
}

/// `None` for a radiograph without a found hand or without a full annotation.
fn look(
    predictor: &Predictor,
    radiograph: &Radiograph,
    divide: &Divide<'_>,
) -> Result<Option<Seen>, LabError> {
    let bytes = std::fs::read(&radiograph.path).map_err(LabError::io(&radiograph.path))?;
    let plane = decode(&bytes, &DecodeLimits::default())
        .map_err(|error| LabError::Data(format!("{}: {error}", radiograph.path.display())))?
        .plane;
    let sex = SexGiven { value: Some(radiograph.sex), source: SexSource::Table };
    let image = boneage_assess::Radiograph { plane: &plane, flags: &[], sex, input: None, placing: None };
    let reading = predictor.read(&plane, sex.value);
    let (Some(mask), Some(attention)) = (reading.hand(), predictor.judge(&image, &reading).attention) else {
        return Ok(None);
    };
    let Some(parts) = divide(&radiograph.id, &mask) else { return Ok(None) };
    let error = |predicted: Months| f64::from(predicted.0) - f64::from(radiograph.months.0);
    let even = plane.map(|_| 1.0);
    let without = |part: &FilmPart| error(predictor.read(&part.painted_over(&plane), sex.value).months);
    Ok(Some(Seen {
        area: parts.iter().map(|part| part.share(&even)).collect(),
        attention: parts.iter().map(|part| part.share(&attention)).collect(),
        error: error(reading.months),
        occluded: parts.iter().map(without).collect(),
    }))
}

/// `None` where nothing was seen.
fn summary(model: &str, names: &[&str], seen: &[Seen]) -> Option<Division> {
    let regions = names.iter().enumerate().map(|(index, region)| {
        let name = format!("{model} {region}");
        let of = |value: &dyn Fn(&Seen) -> f64| {
            Estimate::of_mean(&name, &seen.iter().map(value).collect::<Vec<_>>())
        };
        Some(RegionFindings {
            region: (*region).to_owned(),
            area: of(&|s| s.area[index])?,
            attention: of(&|s| s.attention[index])?,
            occluded: of(&|s| s.occluded[index].abs() - s.error.abs())?,
            shift: of(&|s| (s.occluded[index] - s.error).abs())?,
        })
    });
    let regions = regions.collect::<Option<Vec<_>>>()?;
    let mae = seen.iter().map(|s| s.error.abs()).sum::<f64>() / seen.len().max(1) as f64;
    Some(Division { images: seen.len(), mae, regions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_is_needed_raises_the_error() {
        let one = |error: f64, carpals: f64| Seen {
            area: vec![0.2; 5],
            attention: vec![0.1, 0.2, 0.5, 0.1, 0.1],
            error,
            occluded: vec![error, error, carpals, error, error],
        };
        let names = Region::ALL.map(Region::as_str);
        let found = summary("m", &names, &[one(4.0, -10.0), one(-2.0, 4.0)]).unwrap();
        assert!(summary("m", &names, &[]).is_none());
        assert_eq!((found.images, found.mae, found.regions.len()), (2, 3.0, 5));
        let carpals = &found.regions[2];
        assert_eq!((carpals.region.as_str(), carpals.attention.value), ("carpals", 0.5));
        assert_eq!((carpals.occluded.value, carpals.shift.value), (4.0, 10.0));
        assert_eq!(found.regions[0].occluded.value, 0.0);
    }
}
