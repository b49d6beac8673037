use crate::Months;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A day of the Gregorian calendar that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A date; `None` for one that no calendar has.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let sound = year >= 1 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        sound.then_some(Date { year, month, day })
    }

    /// Year, month and day, counted from 1.
    pub fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// `YYYYMMDD`, or `YYYY-MM-DD`, or `YYYY.MM.DD` as DICOM wrote it of old.
    pub fn parse(text: &str) -> Option<Date> {
        let text = text.trim();
        let digits: String = match text.len() {
            8 => text.to_owned(),
            10 => {
                let (year, month, day) = (text.get(..4)?, text.get(5..7)?, text.get(8..)?);
                let marks = (text.get(4..5)?, text.get(7..8)?);
                matches!(marks, ("-", "-") | (".", ".")).then(|| format!("{year}{month}{day}"))?
            }
            _ => return None,
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Date::new(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)
    }

    /// The age on the day `at` of somebody born on this day: whole months, and the days since the last of them
    /// as a share of the days to the next. Born on the 31st, in a month of 30 days one is a month older on its
    /// last. `None` before birth.
    pub fn age_on(self, at: Date) -> Option<Months> {
        if at < self {
            return None;
        }
        let months = |date: Date| i32::from(date.year) * 12 + i32::from(date.month) - 1;
        // Of a month counted from the year 0: its days, and the day on which one is a month older.
        let length =
            |month: i32| i32::from(days_of(month.div_euclid(12) as u16, (month.rem_euclid(12) + 1) as u8));
        let day_in = |month: i32| i32::from(self.day).min(length(month));
        let (this, day) = (months(at), i32::from(at.day));
        let last = if day >= day_in(this) { this } else { this - 1 };
        let days = day - day_in(last) + if last < this { length(last) } else { 0 };
        let to_next = length(last) - day_in(last) + day_in(last + 1);
        Some(Months((last - months(self)) as f32 + days as f32 / to_next as f32))
    }
}

/// `2024-02-29`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_of(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How old the child was when the film was taken: never how old it is today.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChronologicalAge {
    /// The age on the day of the study.
    pub months: Months,
    /// Where it came from.
    pub source: AgeSource,
}

/// Where a chronological age came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgeSource {
    /// The dates of birth and of the study.
    Dates,
    /// The age that the header states, in whole days, weeks, months or years.
    Stated,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(birth: &str, at: &str) -> Option<f32> {
        Date::parse(birth).unwrap().age_on(Date::parse(at).unwrap()).map(|months| months.0)
    }

    #[test]
    fn only_days_that_exist_are_dates() {
        assert_eq!(Date::parse("20240229").unwrap().to_string(), "2024-02-29");
        assert_eq!(Date::parse("2024.02.29"), Date::new(2024, 2, 29));
        for wrong in
            ["20230229", "19000229", "20241301", "2024-0229", "00000101", "2024", "2024\u{e9}\u{e9}", ""]
        {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ages_are_whole_months_and_a_share_of_the_next() {
        assert_eq!(age("20100115", "20200115"), Some(120.0));
        assert_eq!(age("20100115", "20200130"), Some(120.0 + 15.0 / 31.0));
        assert_eq!(age("20100120", "20200115"), Some(119.0 + 26.0 / 31.0));
        assert_eq!(age("20100131", "20100228"), Some(1.0));
        // From the 28th of February to the 29th of March.
        assert_eq!(age("20120229", "20130301"), Some(12.0 + 1.0 / 29.0));
        assert_eq!(age("20100115", "20100115"), Some(0.0));
        assert_eq!(age("20100115", "20100114"), None);
    }

    #[test]
    fn nobody_grows_younger_from_one_day_to_the_next() {
        let birth = Date::new(2011, 8, 31).unwrap();
        let mut before = -1.0;
        for year in 2011..2014u16 {
            for month in 1..=12 {
                for day in 1..=days_of(year, month) {
                    let Some(months) = birth.age_on(Date::new(year, month, day).unwrap()) else { continue };
                    assert!(months.0 >= before, "{year} {month} {day}: {} after {before}", months.0);
                    before = months.0;
                }
            }
        }
    }
}
