//! Where the names of marks stand in a plot, so that none covers another name or a mark. In pixels.

use std::ops::Range;

/// Width of a letter and height of a line, of a font of 13 pixels; rather too wide.
const LETTER: i32 = 8;
const LINE: i32 = 15;

/// Half the width of a mark, and the distance that is kept from it.
const MARK: i32 = 6;

/// Lines that a name may be moved up or down.
const FARTHEST: i32 = 8;

/// A point, x to the right and y down.
pub(super) type Point = (i32, i32);

/// The upper left corner of each name, beside its mark or as few lines above or below that as there is room. A name that
/// finds no room stands beside its mark.
pub(super) fn place(
    named: &[(&str, Point)],
    marks: &[Point],
    (across, down): (Range<i32>, Range<i32>),
) -> Vec<Point> {
    let around = |(x, y): Point| Area { left: x - MARK, top: y - MARK, right: x + MARK, bottom: y + MARK };
    let mut taken: Vec<Area> = marks.iter().map(|mark| around(*mark)).collect();
    let mut places = Vec::new();
    for (name, mark) in named {
        let mut offered = offers(name, *mark);
        let nearest = offered.next();
        let fits = |area: &Area| {
            let inside = across.start <= area.left && area.right <= across.end;
            inside
                && down.start <= area.top
                && area.bottom <= down.end
                && !taken.iter().any(|other| area.meets(other))
        };
        let found = nearest.into_iter().chain(offered).find(fits).or(nearest);
        places.extend(found.map(|area| (area.left, area.top)));
        taken.extend(found);
    }
    places
}

/// The lower right corner of a name whose upper left one is at `place`.
pub(super) fn end(name: &str, (x, y): Point) -> Point {
    (x + width(name), y + LINE)
}

fn width(name: &str) -> i32 {
    i32::try_from(name.chars().count()).unwrap_or(i32::MAX / LETTER).saturating_mul(LETTER)
}

/// Places beside a mark, the nearest first: right and left of it, then further and further up and down.
fn offers(name: &str, (x, y): Point) -> impl Iterator<Item = Area> {
    let width = width(name);
    let sides = [x + MARK + 2, x - MARK - 2 - width];
    let lines = (0..=FARTHEST).flat_map(|line| [-line, line]);
    lines.flat_map(move |line| {
        let top = y - LINE / 2 + line * LINE;
        sides.map(|left| Area { left, top, right: left + width, bottom: top + LINE })
    })
}

#[derive(Debug, Clone, Copy)]
struct Area {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Area {
    fn meets(&self, other: &Self) -> bool {
        let across = self.left < other.right && other.left < self.right;
        across && self.top < other.bottom && other.top < self.bottom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of names at these marks, in a plot of 400 by 200.
    fn placed(named: &[(&str, Point)]) -> Vec<Point> {
        let marks: Vec<Point> = named.iter().map(|(_, mark)| *mark).collect();
        place(named, &marks, (0..400, 0..200))
    }

    #[test]
    fn a_name_with_room_stands_right_of_its_mark() {
        assert_eq!(placed(&[("oracle", (50, 100))]), [(58, 93)]);
    }

    #[test]
    fn at_the_right_edge_it_stands_left_of_it() {
        assert_eq!(placed(&[("oracle", (390, 100))]), [(390 - 8 - 48, 93)]);
    }

    #[test]
    fn names_of_marks_that_touch_do_not() {
        let named = [
            ("oracle", (30, 100)),
            ("hybrid", (34, 102)),
            ("noise-blind oracle", (38, 101)),
            ("x", (30, 100)),
        ];
        let areas: Vec<Area> = placed(&named)
            .into_iter()
            .zip(named)
            .map(|((left, top), (name, _))| {
                let right = left + LETTER * i32::try_from(name.len()).unwrap();
                Area { left, top, right, bottom: top + LINE }
            })
            .collect();
        for (place, area) in areas.iter().enumerate() {
            assert!(areas[..place].iter().all(|other| !area.meets(other)), "{areas:?}");
            let touches = |(x, y): Point| area.meets(&Area { left: x, top: y, right: x + 1, bottom: y + 1 });
            assert!(!named.iter().any(|(_, mark)| touches(*mark)), "{areas:?}");
        }
    }
}
