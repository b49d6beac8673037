use serde::{Deserialize, Serialize};
use std::fmt;

/// An age in months. Bone ages of the field run from 0 to 228.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Months(pub f32);

impl Months {
    /// Whole years and remaining whole months, rounded to the nearest month.
    pub fn years_and_months(self) -> (i32, i32) {
        let whole = self.0.round() as i32;
        (whole.div_euclid(12), whole.rem_euclid(12))
    }
}

/// Written as a clinician writes it: `10 years 7 months`.
impl fmt::Display for Months {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years, months) = self.years_and_months();
        let plural = |n: i32| if n == 1 { "" } else { "s" };
        write!(f, "{years} year{} {months} month{}", plural(years), plural(months))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_nearest_month_before_splitting() {
        assert_eq!(Months(23.6).years_and_months(), (2, 0));
        assert_eq!(Months(13.4).to_string(), "1 year 1 month");
        assert_eq!(Months(0.0).to_string(), "0 years 0 months");
    }
}
