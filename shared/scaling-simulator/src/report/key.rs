//! What the colours of a plot mean, in rows above it, where it covers nothing. Only what was drawn has an entry.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::plots::{FONT, PlotError, fault};

/// Height of a row, and of a letter.
const ROW: u32 = 20;
pub(super) const LETTERS: i32 = 12;

/// Width of a letter (rather too wide), of a sign, and of what is between entries. In pixels.
const LETTER: u32 = 7;
const SIGN: i32 = 18;
const BETWEEN: u32 = 20;

/// Left and right of the rows.
const MARGIN: u32 = 46;

/// How something is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// A line of that many pixels.
    Line(u32),
    Dot,
    Ring,
}

#[derive(Debug, Clone)]
struct Entry {
    sign: Sign,
    colour: RGBAColor,
    text: String,
}

/// The entries of a plot that is so many pixels wide.
#[derive(Debug, Clone)]
pub(super) struct Key {
    width: u32,
    entries: Vec<Entry>,
}

impl Key {
    pub(super) fn new(width: u32) -> Self {
        Self { width, entries: Vec::new() }
    }

    pub(super) fn add(&mut self, sign: Sign, colour: impl Into<RGBAColor>, text: impl Into<String>) {
        self.entries.push(Entry { sign, colour: colour.into(), text: text.into() });
    }

    /// Height of all rows, in pixels.
    pub(super) fn height(&self) -> u32 {
        self.places().last().map_or(0, |(_, row)| (row + 1) * ROW)
    }

    /// From which pixel on and in which row each entry stands.
    fn places(&self) -> Vec<(u32, u32)> {
        let (mut left, mut row) = (MARGIN, 0);
        let place = |entry: &Entry| {
            let letters = u32::try_from(entry.text.chars().count()).unwrap_or(u32::MAX / LETTER);
            let width = SIGN.unsigned_abs() + BETWEEN + letters * LETTER;
            if left > MARGIN && left + width > self.width - MARGIN {
                (left, row) = (MARGIN, row + 1);
            }
            let place = (left, row);
            left += width;
            place
        };
        self.entries.iter().map(place).collect()
    }

    /// Draws the rows at the top of `area`, and gives the rest of it.
    pub(super) fn above<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<DrawingArea<DB, Shift>, PlotError> {
        let (top, rest) = area.split_vertically(self.height());
        for (Entry { sign, colour, text }, (left, row)) in self.entries.iter().zip(self.places()) {
            let pixel = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
            let (x, y) = (pixel(left), pixel(row * ROW + ROW / 2));
            match sign {
                Sign::Line(width) => {
                    top.draw(&PathElement::new([(x, y), (x + SIGN, y)], colour.stroke_width(*width)))
                }
                Sign::Dot => top.draw(&Circle::new((x + SIGN / 2, y), 5, colour.filled())),
                Sign::Ring => top.draw(&Circle::new((x + SIGN / 2, y), 5, colour.stroke_width(2))),
            }
            .map_err(fault)?;
            let style = (FONT, LETTERS).into_font();
            top.draw(&Text::new(text.as_str(), (x + SIGN + 6, y - LETTERS / 2), style)).map_err(fault)?;
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(texts: &[&str]) -> Key {
        let mut key = Key::new(300);
        for text in texts {
            key.add(Sign::Dot, BLACK, *text);
        }
        key
    }

    #[test]
    fn entries_stand_beside_each_other_while_there_is_room() {
        assert_eq!(key(&["needed", "serving"]).places(), [(46, 0), (46 + 38 + 42, 0)]);
        assert_eq!(key(&["needed", "serving"]).height(), ROW);
    }

    #[test]
    fn one_without_room_begins_a_row() {
        let places = key(&["needed", "serving", "over the target"]).places();
        assert_eq!(places[2], (46, 1));
        assert_eq!(key(&["one that is longer than all of the width there is", "next"]).height(), 2 * ROW);
    }

    #[test]
    fn a_plot_of_one_kind_has_no_row_for_none() {
        assert_eq!(key(&[]).height(), 0);
    }
}
