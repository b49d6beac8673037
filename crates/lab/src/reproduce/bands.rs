use super::Reproduction;
use super::networks::held_out;
use crate::checkpoint::write_atomically;
use crate::{Estimate, LabError, Scored};
use boneage_core::Sex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The ages that the paper's discussion calls the hardest, in months.
const HARDEST: [f32; 2] = [100.0, 175.0];
/// The two models of the paper, as run names begin.
pub(super) const MODELS: [(&str, &str); 2] =
    [("VGG16 and fully connected", "paper-fc"), ("VGG16 and attention", "paper-attention")];

/// The discussion's claims about errors, tested on the holdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Discussion {
    pub(super) models: Vec<ModelErrors>,
    pub(super) cohorts: Vec<CohortGain>,
}

/// One model's errors by age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ModelErrors {
    pub(super) model: String,
    pub(super) bands: Vec<BandError>,
    /// MAE between 100 and 175 months minus MAE elsewhere.
    pub(super) hardest_minus_others: Estimate,
    /// MAE below 100 months minus MAE above 175.
    pub(super) younger_minus_older: Estimate,
}

/// Errors of one age band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BandError {
    /// Lower and upper end in months, the upper not included.
    pub(super) band: [f32; 2],
    pub(super) images: usize,
    pub(super) mae: Estimate,
    pub(super) bias: Estimate,
}

/// The model for both sexes against the model for one, on the same radiographs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CohortGain {
    pub(super) model: String,
    pub(super) sex: Sex,
    pub(super) images: usize,
    pub(super) mae_of_both: f64,
    pub(super) mae_of_one: f64,
    /// MAE of the model for both minus that of the model for one: positive where one sex alone is better.
    pub(super) difference: Estimate,
}

/// Writes `discussion.json`.
pub(super) fn write(reproduction: &Reproduction) -> Result<Vec<String>, LabError> {
    let (mut models, mut cohorts) = (Vec::new(), Vec::new());
    for (model, name) in MODELS {
        let of = |cohort: &str| -> Result<Vec<Scored>, LabError> {
            let run = format!("{name}-{cohort}");
            held_out(reproduction, &run)?.ok_or_else(|| LabError::Run(format!("{run} has no predictions")))
        };
        let both = of("both")?;
        models.extend(errors_by_age(model, &both));
        for sex in [Sex::Male, Sex::Female] {
            cohorts.extend(gain(model, sex, &both, &of(sex.as_str())?));
        }
    }
    let json = serde_json::to_vec_pretty(&Discussion { models, cohorts }).expect("words and numbers");
    write_atomically(&reproduction.out.join("discussion.json"), &json)?;
    Ok(vec!["discussion.json".to_owned()])
}

/// `None` where an age band that is compared holds no image.
fn errors_by_age(model: &str, scored: &[Scored]) -> Option<ModelErrors> {
    let within = |low: f32, high: f32| -> Vec<f64> {
        scored.iter().filter(|s| (low..high).contains(&s.truth.0)).map(Scored::error).collect()
    };
    let absolute = |errors: Vec<f64>| -> Vec<f64> { errors.into_iter().map(f64::abs).collect() };
    let bands = (0..10).filter_map(|band| {
        let band = [band as f32 * 24.0, (band + 1) as f32 * 24.0];
        let errors = within(band[0], band[1]);
        let name = format!("{model} {} to {}", band[0], band[1]);
        let bias = Estimate::of_mean(&name, &errors)?;
        let mae = Estimate::of_mean(&name, &absolute(errors.clone()))?;
        Some(BandError { band, images: errors.len(), mae, bias })
    });
    let bands = bands.collect();
    let [low, high] = HARDEST;
    let (younger, older) = (absolute(within(0.0, low)), absolute(within(high, f32::MAX)));
    let hardest = absolute(within(low, high));
    let others: Vec<f64> = younger.iter().chain(&older).copied().collect();
    Some(ModelErrors {
        model: model.to_owned(),
        bands,
        hardest_minus_others: Estimate::of_difference(model, &hardest, &others)?,
        younger_minus_older: Estimate::of_difference(model, &younger, &older)?,
    })
}

fn gain(model: &str, sex: Sex, both: &[Scored], one: &[Scored]) -> Option<CohortGain> {
    let of_both: HashMap<&str, f64> = both.iter().map(|s| (s.id.as_str(), s.error().abs())).collect();
    let paired: Vec<(f64, f64)> = one
        .iter()
        .filter(|s| s.sex == sex)
        .filter_map(|s| Some((*of_both.get(s.id.as_str())?, s.error().abs())))
        .collect();
    let differences: Vec<f64> = paired.iter().map(|(both, one)| both - one).collect();
    let mean = |pick: fn(&(f64, f64)) -> f64| paired.iter().map(pick).sum::<f64>() / paired.len() as f64;
    Some(CohortGain {
        model: model.to_owned(),
        sex,
        images: paired.len(),
        difference: Estimate::of_mean(&format!("{model} {sex}"), &differences)?,
        mae_of_both: mean(|pair| pair.0),
        mae_of_one: mean(|pair| pair.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::Months;

    fn scored(id: &str, truth: f32, error: f32) -> Scored {
        let (truth, predicted) = (Months(truth), Months(truth + error));
        Scored { id: id.into(), sex: Sex::Male, truth, predicted, accepted: None, interval: None }
    }

    #[test]
    fn bands_and_the_claim_about_them_are_hand_computed() {
        let set = [
            scored("1", 20.0, 6.0),
            scored("2", 110.0, -12.0),
            scored("3", 112.0, 8.0),
            scored("4", 200.0, 2.0),
        ];
        let found = errors_by_age("m", &set).unwrap();
        assert_eq!(found.bands.len(), 3);
        assert_eq!((found.bands[1].mae.value, found.bands[1].bias.value), (10.0, -2.0));
        assert_eq!((found.hardest_minus_others.value, found.younger_minus_older.value), (6.0, 4.0));
        assert!(errors_by_age("m", &set[..3]).is_none());
    }

    #[test]
    fn models_are_compared_on_the_same_radiographs() {
        let both = [scored("1", 20.0, 6.0), scored("2", 110.0, -12.0)];
        let one = [scored("2", 110.0, 4.0), scored("9", 110.0, 100.0)];
        let gain = gain("m", Sex::Male, &both, &one).unwrap();
        assert_eq!(
            (gain.images, gain.mae_of_both, gain.mae_of_one, gain.difference.value),
            (1, 12.0, 4.0, 8.0)
        );
    }
}
