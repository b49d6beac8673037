use super::contestant::Contestant;
use std::time::Duration;

/// How often a work is done.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds that are not counted: first calls allocate, compile and warm up.
    pub(crate) warm_up: usize,
    pub(crate) least: usize,
    pub(crate) most: usize,
    /// Between these two, rounds go on until so much time has been measured.
    pub(crate) budget: Duration,
}

impl Plan {
    /// The usual plan, or the shortest.
    pub(crate) fn new(quick: bool) -> Self {
        match quick {
            true => Plan { warm_up: 1, least: 2, most: 3, budget: Duration::ZERO },
            false => Plan { warm_up: 2, least: 5, most: 25, budget: Duration::from_secs(8) },
        }
    }

    /// The same with fewer rounds, for tables of many works.
    pub(crate) fn brief(self) -> Self {
        Plan { warm_up: 1, least: self.least.min(3), most: self.most.min(9), budget: self.budget / 4 }
    }
}

/// The times of one contestant at one work, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// The lower and the upper quartile.
    pub(crate) fn quartiles(&self) -> (f64, f64) {
        (self.0[self.0.len() / 4], self.0[self.0.len() * 3 / 4])
    }

    /// Rounds.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Of at least one time.
    pub(crate) fn new(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        (!times.is_empty()).then_some(Times(times))
    }
}

/// Lets every contestant do `work` in turn, round after round; none for who cannot.
///
/// In turn, so that a machine that warms up or is disturbed for a while disturbs everybody.
pub(crate) fn measure(contestants: &mut [&mut Contestant], work: &str, plan: Plan) -> Vec<Option<Times>> {
    let mut times = vec![Vec::new(); contestants.len()];
    let mut spent = 0.0;
    for round in 0..plan.warm_up + plan.most {
        let counted = round >= plan.warm_up;
        if round >= plan.warm_up + plan.least && spent >= plan.budget.as_secs_f64() * 1e3 {
            break;
        }
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let Some(time) = contestant.time(work) else { continue };
            if counted {
                times.push(time);
                spent += time;
            }
        }
    }
    times.into_iter().map(Times::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_quartiles_of_unsorted_times() {
        let times = Times::new(vec![5.0, 1.0, 9.0, 3.0, 7.0]).unwrap();
        assert_eq!((times.median(), times.quartiles(), times.count()), (5.0, (3.0, 7.0), 5));
        assert_eq!(Times::new(Vec::new()), None);
    }
}
