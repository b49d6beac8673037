/// The settings of [`ReduceOnPlateau`]; the defaults are those of Keras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateauConfig {
    /// The learning rate is multiplied by this, 0.1.
    pub factor: f32,
    /// Epochs without improvement before that, 10.
    pub patience: u32,
    /// Epochs after a reduction in which nothing is counted, 0.
    pub cooldown: u32,
    /// The learning rate never falls below this, 0.
    pub min: f32,
    /// An improvement is at least this large, 1e-4.
    pub min_delta: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self { factor: 0.1, patience: 10, cooldown: 0, min: 0.0, min_delta: 1e-4 }
    }
}

/// Lowers the learning rate when a figure (smaller is better) stops falling: the
/// `ReduceLROnPlateau` of Keras.
///
/// ```
/// use boneage_nn::{PlateauConfig, ReduceOnPlateau};
/// let config = PlateauConfig { factor: 0.5, patience: 2, ..PlateauConfig::default() };
/// let mut schedule = ReduceOnPlateau::new(config);
/// let rates: Vec<f32> = [9.0, 8.0, 8.5, 8.2].iter().map(|&mae| schedule.observe(mae, 0.1)).collect();
/// assert_eq!(rates, [0.1, 0.1, 0.1, 0.05]);
/// ```
#[derive(Clone, Debug)]
pub struct ReduceOnPlateau {
    config: PlateauConfig,
    state: PlateauState,
}

/// What [`ReduceOnPlateau`] remembers from epoch to epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateauState {
    /// Smallest figure so far; infinite before the first.
    pub best: f64,
    /// Epochs since then, outside cooldowns.
    pub wait: u32,
    /// Epochs of cooldown left.
    pub cooldown_left: u32,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self { best: f64::INFINITY, wait: 0, cooldown_left: 0 }
    }
}

impl ReduceOnPlateau {
    /// A schedule that has seen no epoch.
    pub fn new(config: PlateauConfig) -> Self {
        Self { config, state: PlateauState::default() }
    }

    /// What must be kept to go on later.
    pub fn state(&self) -> PlateauState {
        self.state
    }

    /// Goes on from a kept state.
    pub fn load_state(&mut self, state: PlateauState) {
        self.state = state;
    }

    /// Takes one epoch's `figure` and returns the learning rate for the next, given the one in force.
    /// A figure that is not a number counts as no improvement.
    pub fn observe(&mut self, figure: f64, learning_rate: f32) -> f32 {
        let PlateauConfig { factor, patience, cooldown, min, min_delta } = self.config;
        let state = &mut self.state;
        if state.cooldown_left > 0 {
            state.cooldown_left -= 1;
            state.wait = 0;
        }
        if figure < state.best - min_delta {
            state.best = figure;
            state.wait = 0;
        } else if state.cooldown_left == 0 {
            state.wait += 1;
            if state.wait >= patience && learning_rate > min {
                state.cooldown_left = cooldown;
                state.wait = 0;
                return (learning_rate * factor).max(min);
            }
        }
        learning_rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: &mut ReduceOnPlateau, figures: &[f64]) -> Vec<f32> {
        let mut rate = 1.0;
        let mut step = |figure: &f64| {
            rate = schedule.observe(*figure, rate);
            rate
        };
        figures.iter().map(&mut step).collect()
    }

    #[test]
    fn patience_cooldown_and_least_rate_hold() {
        let config = PlateauConfig { factor: 0.5, patience: 2, cooldown: 2, min: 0.2, min_delta: 0.0 };
        let mut schedule = ReduceOnPlateau::new(config);
        // Improves twice, waits two epochs, halves; cools down one epoch beyond the one that ends the
        // cooldown, waits, halves; then reaches the least rate and stays.
        let figures = [5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0];
        let expected = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2];
        assert_eq!(rates(&mut schedule, &figures), expected);
    }

    #[test]
    fn small_gains_and_faults_are_no_improvement() {
        let config = PlateauConfig { patience: 2, min_delta: 0.1, ..PlateauConfig::default() };
        assert_eq!(rates(&mut ReduceOnPlateau::new(config), &[5.0, 4.95, f64::NAN]), [1.0, 1.0, 0.1]);
    }

    #[test]
    fn a_kept_state_goes_on_alike() {
        let config = PlateauConfig { patience: 3, cooldown: 1, ..PlateauConfig::default() };
        let figures: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 5)).collect();
        let mut whole = ReduceOnPlateau::new(config);
        let expected = rates(&mut whole, &figures);
        let mut first = ReduceOnPlateau::new(config);
        let start = rates(&mut first, &figures[..9]);
        let mut second = ReduceOnPlateau::new(config);
        second.load_state(first.state());
        let mut rate = start[8];
        for (figure, expected) in figures[9..].iter().zip(&expected[9..]) {
            rate = second.observe(*figure, rate);
            assert_eq!(rate, *expected);
        }
        assert_eq!(second.state(), whole.state());
    }
}
