//! A day, as far as rules compare days. A rule that calculates with days uses `Found::parse` and a type of a date
//! crate.

use std::fmt;
use std::str::FromStr;

/// A day of the calendar. Days compare as they follow each other.
///
/// ```
/// use loadout_sdk::Date;
///
/// let day: Date = "2026-11-22".parse().unwrap();
/// assert!(day < "2027-01-01T08:00:00Z".parse().unwrap());
/// assert_eq!(day.to_string(), "2026-11-22");
/// assert!("2026-02-29".parse::<Date>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDate(String);

impl Date {
    /// The year.
    ///
    /// ```
    /// let day: loadout_sdk::Date = "2026-11-22".parse().unwrap();
    /// assert_eq!((day.year(), day.month(), day.day()), (2026, 11, 22));
    /// ```
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    ///
    /// ```
    /// assert_eq!("2026-11-22".parse::<loadout_sdk::Date>().unwrap().month(), 11);
    /// ```
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    ///
    /// ```
    /// assert_eq!("2026-11-22".parse::<loadout_sdk::Date>().unwrap().day(), 22);
    /// ```
    pub fn day(self) -> u8 {
        self.day
    }
}

impl FromStr for Date {
    type Err = InvalidDate;

    /// Reads `2026-11-22`, alone or before the time of a timestamp.
    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let invalid = || InvalidDate(text.chars().take(40).collect());
        let date = text.split_once('T').map_or(text, |(date, _)| date);
        let parts: Vec<&str> = date.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(invalid()) };
        let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|it| it.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
            return Err(invalid());
        }
        let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else { return Err(invalid()) };
        if day == 0 || day > days(year, month) {
            return Err(invalid());
        }
        Ok(Self { year, month, day })
    }
}

/// The days of a month; none of what is no month.
fn days(year: u16, month: u8) -> u8 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leaps => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no day such as `2026-11-22`", self.0)
    }
}

impl std::error::Error for InvalidDate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_on_the_calendar() {
        for (text, expected) in [
            ("2024-02-29", "2024-02-29"),
            ("1900-02-29", "`1900-02-29` is no day such as `2026-11-22`"),
            ("2026-11-22T23:59:59+14:00", "2026-11-22"),
            ("2026-13-01", "`2026-13-01` is no day such as `2026-11-22`"),
            ("2026-00-10", "`2026-00-10` is no day such as `2026-11-22`"),
            ("2026-1-1", "`2026-1-1` is no day such as `2026-11-22`"),
            ("+026-01-01", "`+026-01-01` is no day such as `2026-11-22`"),
            ("tomorrow", "`tomorrow` is no day such as `2026-11-22`"),
        ] {
            let found = text.parse::<Date>().map_or_else(|error| error.to_string(), |date| date.to_string());
            assert_eq!(found, expected);
        }
    }
}
