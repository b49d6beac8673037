//! From stored values to greys as they are meant to be seen, in the standard's order (PS3.3, C.11; PS3.4, N.2):
//! modality table or rescaling, then VOI table or window, then the direction of the scale.

use crate::dataset::DataSet;
use crate::layout::{Layout, Photometric};
use crate::tag::Tag;

/// The way of a value to its grey.
#[derive(Clone, Debug)]
pub(crate) struct Greys {
    modality: Modality,
    voi: Voi,
    /// The least value is white.
    inverted: bool,
    /// Values that are no part of the picture (PS3.3, C.7.5.1.1.2).
    padding: Option<(i32, i32)>,
}

/// PS3.3, C.11.1.
#[derive(Clone, Debug)]
enum Modality {
    Rescaled { slope: f64, intercept: f64 },
    Table(Table),
}

/// PS3.3, C.11.2.
#[derive(Clone, Debug)]
enum Voi {
    Window {
        centre: f64,
        width: f64,
        function: Function,
    },
    Table(Table),
    /// Neither: everything that can be stored, from black to white.
    Full {
        low: f64,
        high: f64,
    },
}

/// PS3.3, C.11.2.1.2 and C.11.2.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

/// A table of a LUT sequence.
#[derive(Clone, Debug)]
struct Table {
    first: i32,
    values: Vec<u16>,
    /// Greatest value that its depth allows.
    full: f64,
}

impl Greys {
    /// What the header asks for, and a sentence where it asks for what cannot be.
    pub(crate) fn read(set: &DataSet<'_>, layout: &Layout) -> (Greys, Option<String>) {
        let modality = match Table::read(set, Tag::MODALITY_LUT_SEQUENCE, layout.signed) {
            Some(table) => Modality::Table(table),
            None => {
                let number = |tag: Tag, or: f64| set.decimals(tag).first().copied().unwrap_or(or);
                let slope = Some(number(Tag::RESCALE_SLOPE, 1.0)).filter(|&slope| slope != 0.0);
                let intercept = number(Tag::RESCALE_INTERCEPT, 0.0);
                Modality::Rescaled { slope: slope.unwrap_or(1.0), intercept }
            }
        };
        let (low, high) = modality.range(layout);
        let full = Voi::Full { low, high };
        let (voi, told) = match Table::read(set, Tag::VOI_LUT_SEQUENCE, low < 0.0) {
            Some(table) => (Voi::Table(table), None),
            None => match window(set) {
                Ok(window) => (window.unwrap_or(full), None),
                Err(told) => (full, Some(told)),
            },
        };
        let inverse = set.word(Tag::PRESENTATION_LUT_SHAPE).as_deref() == Some("INVERSE");
        let inverted = layout.photometric == Photometric::Monochrome1 || inverse;
        let stored = |tag: Tag| {
            let word = u32::from(set.u16(tag)?);
            Some(if layout.signed { i32::from(word as u16 as i16) } else { word as i32 })
        };
        let padding = stored(Tag::PIXEL_PADDING_VALUE).map(|value| {
            let limit = stored(Tag::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
            (value.min(limit), value.max(limit))
        });
        (Greys { modality, voi, inverted, padding }, told)
    }

    /// The grey of a stored value, 0 black to 1 white.
    pub(crate) fn of(&self, stored: i32) -> f32 {
        if self.padding.is_some_and(|(low, high)| (low..=high).contains(&stored)) {
            return 0.0;
        }
        let value = self.modality.of(stored);
        let grey = match &self.voi {
            Voi::Table(table) => table.of(value.round() as i32) / table.full,
            Voi::Full { low, high } => (value - low) / (high - low),
            Voi::Window { centre, width, function } => function.of(value, *centre, *width),
        };
        let grey = grey.clamp(0.0, 1.0);
        (if self.inverted { 1.0 - grey } else { grey }) as f32
    }

    /// The greys of many values: by a table of all values between the least and the greatest where it is shorter.
    pub(crate) fn of_all(&self, values: &[i32]) -> Vec<f32> {
        let (Some(&least), Some(&most)) = (values.iter().min(), values.iter().max()) else {
            return Vec::new();
        };
        let span = (i64::from(most) - i64::from(least)) as usize + 1;
        if span > values.len().min(1 << 16) {
            return values.iter().map(|&value| self.of(value)).collect();
        }
        let table: Vec<f32> = (0..span).map(|i| self.of(least + i as i32)).collect();
        values.iter().map(|&value| table[(value - least) as usize]).collect()
    }
}

impl Modality {
    fn of(&self, stored: i32) -> f64 {
        match self {
            Modality::Rescaled { slope, intercept } => f64::from(stored) * slope + intercept,
            Modality::Table(table) => table.of(stored),
        }
    }

    /// The least and the greatest value that can come out.
    fn range(&self, layout: &Layout) -> (f64, f64) {
        match self {
            Modality::Rescaled { slope, intercept } => {
                let (low, high) = layout.range();
                let (one, other) = (low * slope + intercept, high * slope + intercept);
                (one.min(other), one.max(other))
            }
            Modality::Table(table) => (0.0, table.full),
        }
    }
}

/// The first window of the header; an error says why it is none.
fn window(set: &DataSet<'_>) -> Result<Option<Voi>, String> {
    let (centres, widths) = (set.decimals(Tag::WINDOW_CENTER), set.decimals(Tag::WINDOW_WIDTH));
    let (Some(&centre), Some(&width)) = (centres.first(), widths.first()) else { return Ok(None) };
    let function = match set.word(Tag::VOI_LUT_FUNCTION).as_deref() {
        None | Some("LINEAR") => Function::Linear,
        Some("LINEAR_EXACT") => Function::LinearExact,
        Some("SIGMOID") => Function::Sigmoid,
        Some(other) => {
            return Err(format!("the window's function {other} is not known; the full scale was used"));
        }
    };
    let least = if function == Function::Linear { 1.0 } else { f64::MIN_POSITIVE };
    if width < least {
        return Err(format!("the header's window is {width} wide; the full scale was used"));
    }
    Ok(Some(Voi::Window { centre, width, function }))
}

impl Function {
    fn of(self, value: f64, centre: f64, width: f64) -> f64 {
        match self {
            // A window of 1 is a threshold: the standard's two comparisons come first.
            Function::Linear if value <= centre - 0.5 - (width - 1.0) / 2.0 => 0.0,
            Function::Linear if value > centre - 0.5 + (width - 1.0) / 2.0 => 1.0,
            Function::Linear => (value - (centre - 0.5)) / (width - 1.0) + 0.5,
            Function::LinearExact => (value - centre) / width + 0.5,
            Function::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}

impl Table {
    /// The first item of a LUT sequence (PS3.3, C.11.1.1.1); `None` where there is none that can be used.
    fn read(set: &DataSet<'_>, sequence: Tag, signed: bool) -> Option<Table> {
        let item = set.items(sequence).into_iter().next()?;
        let &[entries, first, bits] = item.words(Tag::LUT_DESCRIPTOR).first_chunk::<3>()?;
        let entries = if entries == 0 { 1 << 16 } else { usize::from(entries) };
        let bytes = item.bytes(Tag::LUT_DATA)?;
        let mut values = item.words(Tag::LUT_DATA);
        if values.len() < entries {
            // Two entries of 8 bits a word.
            values = bytes.iter().map(|&byte| u16::from(byte)).collect();
        }
        values.truncate(entries);
        let most = values.iter().copied().max()?;
        // A depth that its own entries exceed is a slip of the writer's.
        let depth = if (8..=16).contains(&bits) { (1u32 << bits) - 1 } else { 0 };
        let first = if signed { i32::from(first as i16) } else { i32::from(first) };
        Some(Table { first, values, full: f64::from(depth.max(u32::from(most)).max(1)) })
    }

    /// What lies before the first entry is as the first, what lies behind the last as the last.
    fn of(&self, value: i32) -> f64 {
        let place = (i64::from(value) - i64::from(self.first)).clamp(0, self.values.len() as i64 - 1);
        f64::from(self.values[place as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_window_from_0_to_100_steps_between_whole_values() {
        // PS3.3, C.11.2.1.2.1: centre 50, width 100 shows 0 to 99.
        let of = |value| Function::Linear.of(value, 50.0, 100.0);
        assert_eq!((of(0.0), of(99.0)), (0.0, 1.0));
        assert!((of(49.5) - 0.5).abs() < 1e-12);
        let threshold = |value| Function::Linear.of(value, 10.0, 1.0);
        assert_eq!((threshold(9.0), threshold(10.0)), (0.0, 1.0));
    }

    #[test]
    fn an_exact_window_and_a_sigmoid_have_their_middle_at_the_centre() {
        assert_eq!(Function::LinearExact.of(50.0, 50.0, 100.0), 0.5);
        assert_eq!(Function::Sigmoid.of(50.0, 50.0, 100.0), 0.5);
        let end = Function::Sigmoid.of(100.0, 50.0, 100.0);
        assert!((end - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn a_table_repeats_its_ends() {
        let table = Table { first: -2, values: vec![5, 6, 7], full: 7.0 };
        assert_eq!([-9, -2, -1, 0, 40].map(|value| table.of(value)), [5.0, 5.0, 6.0, 7.0, 7.0]);
    }

    #[test]
    fn padding_is_black_and_a_table_of_values_gives_what_each_gives_alone() {
        let greys = Greys {
            modality: Modality::Rescaled { slope: 2.0, intercept: -10.0 },
            voi: Voi::Window { centre: 40.0, width: 80.0, function: Function::Linear },
            inverted: true,
            padding: Some((7, 9)),
        };
        let values: Vec<i32> = (0..200).map(|i| i % 50).collect();
        let each: Vec<f32> = values.iter().map(|&value| greys.of(value)).collect();
        assert_eq!(greys.of_all(&values), each);
        assert_eq!((greys.of(8), greys.of(0)), (0.0, 1.0));
    }
}
