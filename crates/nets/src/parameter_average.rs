use crate::NetsError;
use crate::named_tensor::{NamedTensor, matched};

/// The average of a network's states over training: often better than any one of them, as it lies in
/// the middle of where the last steps wander (Polyak and Juditsky, 1992). Not in the paper.
///
/// Running statistics are averaged like parameters.
///
/// ```
/// use boneage_nets::{NamedTensor, ParameterAverage};
/// let state = |value| [NamedTensor { name: "w".into(), shape: vec![1], values: vec![value] }];
/// let mut average = ParameterAverage::uniform();
/// average.add(&state(1.0))?;
/// average.add(&state(3.0))?;
/// assert_eq!(average.state()[0].values, [2.0]);
/// # Ok::<(), boneage_nets::NetsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterAverage {
    decay: Option<f32>,
    count: u64,
    state: Vec<NamedTensor>,
}

impl ParameterAverage {
    /// The mean of all states added, for instance of the last checkpoints.
    pub fn uniform() -> Self {
        Self { decay: None, count: 0, state: Vec::new() }
    }

    /// An exponential moving average: each state added leaves `decay` of what stood there, the first
    /// one counts whole.
    ///
    /// # Panics
    /// Unless `0 <= decay < 1`.
    pub fn exponential(decay: f32) -> Self {
        assert!((0.0..1.0).contains(&decay), "decay {decay} in 0..1");
        Self { decay: Some(decay), count: 0, state: Vec::new() }
    }

    /// Goes on from a kept [`state`](Self::state) and [`count`](Self::count).
    pub fn resumed(self, state: Vec<NamedTensor>, count: u64) -> Self {
        Self { decay: self.decay, count, state }
    }

    /// Takes one more state into the average.
    ///
    /// # Errors
    /// When its tensors differ in name or shape from those before.
    pub fn add(&mut self, state: &[NamedTensor]) -> Result<(), NetsError> {
        if self.count == 0 {
            self.state = state.to_vec();
        } else {
            let shapes: Vec<_> = self.state.iter().map(|t| (t.name.clone(), t.shape.clone())).collect();
            let tensors = matched(&shapes, state, "the averaged network")?;
            let share = self.decay.map_or(1.0 / (self.count + 1) as f32, |decay| 1.0 - decay);
            for (mean, tensor) in self.state.iter_mut().zip(tensors) {
                for (mean, value) in mean.values.iter_mut().zip(&tensor.values) {
                    *mean += share * (value - *mean);
                }
            }
        }
        self.count += 1;
        Ok(())
    }

    /// States added so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The average; empty before the first state.
    pub fn state(&self) -> &[NamedTensor] {
        &self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(values: [f32; 2]) -> Vec<NamedTensor> {
        vec![NamedTensor { name: "w".into(), shape: vec![2], values: values.to_vec() }]
    }

    #[test]
    fn uniform_and_exponential_averages_follow_their_formulas_and_go_on_alike() {
        let states = [[4.0, 0.0], [8.0, 2.0], [0.0, 4.0]];
        for (start, expected) in
            [(ParameterAverage::uniform(), [4.0, 2.0]), (ParameterAverage::exponential(0.5), [3.0, 2.5])]
        {
            let mut average = start.clone();
            for (i, values) in states.into_iter().enumerate() {
                if i == 2 {
                    average = start.clone().resumed(average.state().to_vec(), average.count());
                }
                average.add(&state(values)).unwrap();
            }
            assert_eq!(average.state(), state(expected));
        }
    }

    #[test]
    fn another_network_is_refused() {
        let mut average = ParameterAverage::uniform();
        average.add(&state([0.0; 2])).unwrap();
        let other = [NamedTensor { name: "v".into(), shape: vec![2], values: vec![0.0; 2] }];
        assert!(average.add(&other).is_err());
        assert_eq!(average.count(), 1);
    }
}
