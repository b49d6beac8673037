use crate::Date;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A second in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// Hours, minutes and seconds.
    pub time: [u8; 3],
}

impl Moment {
    /// This moment by the machine's clock; `None` where that stands before 1970.
    pub fn now() -> Option<Moment> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Moment::of_unix(since.as_secs())
    }

    /// So many seconds after the beginning of 1970; `None` beyond the year 65,535.
    pub fn of_unix(seconds: u64) -> Option<Moment> {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let time = [(rest / 3600) as u8, (rest / 60 % 60) as u8, (rest % 60) as u8];
        Some(Moment { date: date_of(days)?, time })
    }
}

/// `2026-11-25T09:30:00Z`, as RFC 3339 writes it.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hours, minutes, seconds] = self.time;
        write!(f, "{}T{hours:02}:{minutes:02}:{seconds:02}Z", self.date)
    }
}

/// The day that lies so many days after 1 January 1970: years are counted from March, so that a leap day is the
/// last of its year.
fn date_of(days: u64) -> Option<Date> {
    // Days from 1 March of the year 0 to 1 January 1970, and of 400 years.
    const TO_1970: u64 = 719_468;
    const CYCLE: u64 = 146_097;
    let days = days + TO_1970;
    let (cycles, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Date::new(u16::try_from(400 * cycles + year + next).ok()?, month as u8, day_of_month as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, date) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_453, "2025-12-31")]
        {
            assert_eq!(date_of(days).map(|date| date.to_string()).as_deref(), Some(date));
        }
        assert_eq!(Moment::of_unix(86_399).map(|moment| moment.time), Some([23, 59, 59]));
        let written = Moment::of_unix(1_764_064_800).map(|moment| moment.to_string());
        assert_eq!(written.as_deref(), Some("2025-11-25T10:00:00Z"));
        assert_eq!(Moment::of_unix(u64::MAX), None);
    }
}
