use crate::{NnError, Param};
use rayon::prelude::*;

/// Numbers that one task takes: most parameters of a head are smaller, and are not worth sharing.
const CHUNK: usize = 1 << 15;

/// The settings of [`Adam`]; the defaults are those of Keras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Step length, 0.001.
    pub learning_rate: f32,
    /// Decay of the running mean of the gradients, 0.9.
    pub beta1: f32,
    /// Decay of the running mean of their squares, 0.999.
    pub beta2: f32,
    /// Added to the root of the latter, 1e-7.
    pub epsilon: f32,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }
    }
}

/// Adam (Kingma and Ba, 2015), in the form that stands before their section 2.1 and that Keras uses.
/// At step `t`, for a parameter `w` with gradient `g`:
///
/// ```text
/// m = beta1 m + (1 - beta1) g
/// v = beta2 v + (1 - beta2) g^2
/// w = w - learning_rate sqrt(1 - beta2^t) / (1 - beta1^t)  m / (sqrt(v) + epsilon)
/// ```
///
/// PyTorch adds its epsilon after the correction of `v`, a difference of the order of epsilon.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
    state: AdamState,
}

/// What [`Adam`] remembers from step to step; with it a stopped training goes on exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamState {
    /// Steps done.
    pub step: u64,
    /// One entry a parameter, in the order of the parameters; empty before the first step.
    pub moments: Vec<AdamMoments>,
}

/// The running means of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamMoments {
    /// Name of the parameter.
    pub name: String,
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of the squared gradient.
    pub second: Vec<f32>,
}

impl Adam {
    /// An optimiser that has seen no gradient.
    pub fn new(config: AdamConfig) -> Self {
        Self { config, state: AdamState::default() }
    }

    /// The step length in force.
    pub fn learning_rate(&self) -> f32 {
        self.config.learning_rate
    }

    /// Changes the step length, as a schedule does.
    pub fn set_learning_rate(&mut self, learning_rate: f32) {
        self.config.learning_rate = learning_rate;
    }

    /// What must be kept to go on later.
    pub fn state(&self) -> &AdamState {
        &self.state
    }

    /// Goes on from a kept state.
    ///
    /// # Errors
    /// When the state does not belong to `params`: other names, another number of values.
    pub fn load_state(&mut self, state: AdamState, params: &[&mut Param]) -> Result<(), NnError> {
        if !state.moments.is_empty() {
            if state.moments.len() != params.len() {
                return Err(NnError::State {
                    expected: format!("{} parameters", params.len()),
                    found: format!("{} parameters", state.moments.len()),
                });
            }
            for (moments, param) in state.moments.iter().zip(params) {
                let lengths = [moments.first.len(), moments.second.len()];
                if moments.name != param.name || lengths != [param.value.len(); 2] {
                    return Err(NnError::State {
                        expected: format!("{} of {} values", param.name, param.value.len()),
                        found: format!("{} of {} and {} values", moments.name, lengths[0], lengths[1]),
                    });
                }
            }
        }
        self.state = state;
        Ok(())
    }

    /// One step against the gradients that stand in `params`, which must be the same parameters in
    /// the same order at every step.
    ///
    /// # Panics
    /// When they are not.
    pub fn step(&mut self, params: &mut [&mut Param]) {
        if self.state.moments.is_empty() {
            let start = |param: &&mut Param| AdamMoments {
                name: param.name.clone(),
                first: vec![0.0; param.value.len()],
                second: vec![0.0; param.value.len()],
            };
            self.state.moments = params.iter().map(start).collect();
        }
        assert_eq!(self.state.moments.len(), params.len(), "the same parameters at every step");
        self.state.step += 1;
        let AdamConfig { learning_rate, beta1, beta2, epsilon } = self.config;
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(self.state.step as f64);
        let rate = (f64::from(learning_rate) * correction(beta2).sqrt() / correction(beta1)) as f32;
        for (param, moments) in params.iter_mut().zip(&mut self.state.moments) {
            assert_eq!(param.name, moments.name, "the same parameters at every step");
            let running = moments.first.par_chunks_mut(CHUNK).zip(moments.second.par_chunks_mut(CHUNK));
            let values = param.value.par_chunks_mut(CHUNK).zip(param.grad.par_chunks(CHUNK));
            values.zip(running).for_each(|((values, gradients), (first, second))| {
                let running = first.iter_mut().zip(second);
                for ((w, &g), (m, v)) in values.iter_mut().zip(gradients).zip(running) {
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *w -= rate * *m / (v.sqrt() + epsilon);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pseudo_random;

    fn param() -> Param {
        Param::new("w", &[3], vec![1.0, -2.0, 3.0])
    }

    #[test]
    fn the_first_step_is_as_long_as_the_learning_rate_against_the_gradient() {
        let mut param = param();
        param.grad = vec![10.0, -0.01, 0.0];
        Adam::new(AdamConfig::default()).step(&mut [&mut param]);
        for (got, want) in param.value.iter().zip([0.999, -1.999, 3.0]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn steps_lead_to_the_minimum_of_a_bowl() {
        let mut param = param();
        let mut adam = Adam::new(AdamConfig { learning_rate: 0.05, ..AdamConfig::default() });
        for _ in 0..2000 {
            param.grad = param.value.iter().map(|w| 2.0 * (w - 0.5)).collect();
            adam.step(&mut [&mut param]);
        }
        assert!(param.value.iter().all(|w| (w - 0.5).abs() < 1e-3), "{:?}", param.value);
    }

    #[test]
    fn a_kept_state_goes_on_to_the_same_bits() {
        let run = |stop: bool| {
            let mut param = param();
            let mut adam = Adam::new(AdamConfig::default());
            for step in 0..20 {
                if stop && step == 7 {
                    let state = adam.state().clone();
                    adam = Adam::new(AdamConfig::default());
                    adam.load_state(state, &[&mut param]).unwrap();
                }
                param.grad = pseudo_random(step, 3);
                adam.step(&mut [&mut param]);
            }
            param.value
        };
        assert_eq!(run(true), run(false));
    }

    #[test]
    fn a_foreign_state_is_refused_by_name() {
        let mut adam = Adam::new(AdamConfig::default());
        let moments = AdamMoments { name: "v".into(), first: vec![0.0; 3], second: vec![0.0; 3] };
        let state = AdamState { step: 1, moments: vec![moments.clone()] };
        let error = adam.load_state(state, &[&mut param()]).unwrap_err();
        assert!(error.to_string().contains("w of 3 values"), "{error}");
        let state = AdamState { step: 1, moments: vec![moments.clone(), moments] };
        assert!(adam.load_state(state, &[&mut param()]).is_err());
    }
}
