use super::Reproduction;
use crate::checkpoint::write_atomically;
use crate::{Dataset, KeypointFindings, LabError};

/// The name of the file in the folder of results.
pub(super) const FILE: &str = "keypoints.json";

/// Writes `keypoints.json`: where the keypoints of SIFT and SURF lie on annotated films.
pub(super) fn write(reproduction: &Reproduction, dataset: &Dataset) -> Result<Vec<String>, LabError> {
    let found = KeypointFindings::measure(&reproduction.data, dataset)?;
    let json = serde_json::to_vec_pretty(&found).expect("words and numbers");
    write_atomically(&reproduction.out.join(FILE), &json)?;
    Ok(vec![FILE.to_owned()])
}
