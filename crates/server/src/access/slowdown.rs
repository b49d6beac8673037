use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that are free within [`WINDOW`].
const FREE: usize = 5;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Most names and addresses that are remembered; beyond it the oldest are forgotten.
const MOST: usize = 10_000;

/// Slows down who guesses passwords: after five failures for one name or from one address within a quarter of an
/// hour, further tries are refused until the oldest failure is over.
#[derive(Default)]
pub(crate) struct Slowdown {
    failures: Mutex<HashMap<String, Vec<Instant>>>,
}

impl Slowdown {
    /// How long whoever comes under one of these keys must wait; `None`: not at all.
    pub(crate) fn wait(&self, keys: &[String], now: Instant) -> Option<Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waits = keys.iter().filter_map(|key| {
            let times = failures.get_mut(key)?;
            times.retain(|&time| now.duration_since(time) < WINDOW);
            let counting = *times.get(times.len().checked_sub(FREE)?)?;
            Some(WINDOW.saturating_sub(now.duration_since(counting)))
        });
        waits.by_ref().max()
    }

    /// Notes a failure under each key.
    pub(crate) fn failed(&self, keys: &[String], now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST {
            failures.retain(|_, times| times.iter().any(|&time| now.duration_since(time) < WINDOW));
        }
        if failures.len() >= MOST {
            failures.clear();
        }
        for key in keys {
            failures.entry(key.clone()).or_default().push(now);
        }
    }

    /// Forgets the failures of a name that has proved itself.
    pub(crate) fn succeeded(&self, key: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_are_free_and_the_quarter_of_an_hour_ends() {
        let (slowdown, start) = (Slowdown::default(), Instant::now());
        let keys = ["name anna".to_owned(), "address 10.0.0.1".to_owned()];
        for i in 0..5 {
            assert_eq!(slowdown.wait(&keys, start), None, "{i}");
            slowdown.failed(&keys, start + Duration::from_secs(i));
        }
        let later = start + Duration::from_secs(60);
        assert_eq!(slowdown.wait(&keys[..1], later), Some(Duration::from_secs(14 * 60)));
        assert!(slowdown.wait(&keys[1..], later).is_some(), "the address is slowed down as well");
        assert_eq!(slowdown.wait(&["name bert".to_owned()], later), None);
        assert_eq!(slowdown.wait(&keys, start + WINDOW + Duration::from_secs(1)), None);
        slowdown.succeeded(&keys[0]);
        assert_eq!(slowdown.wait(&keys[..1], later), None);
    }
}
