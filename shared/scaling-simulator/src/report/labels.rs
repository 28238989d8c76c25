//! Where the names of marks stand in a plot, so that none covers another name or a mark, and lines as little as can be. In
//! pixels.

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

/// Places of lines under a name that weigh as much as one line of distance from its mark.
const CROSSED: usize = 2;

/// The upper left corner of each name, near its mark where there is room; rather a little further off than across a line
/// (`lines` are places on them). A name that finds no room stands beside its mark.
pub(super) fn place(
    named: &[(&str, Point)],
    (marks, lines): (&[Point], &[Point]),
    (across, down): (Range<i32>, Range<i32>),
) -> Vec<Point> {
    let mut taken: Vec<Area> = marks.iter().map(|mark| Area::of(*mark, MARK)).collect();
    let mut places = Vec::new();
    for (name, mark) in named {
        let nearest = offers(name, *mark).next().map(|(area, _)| area);
        let fits = |area: &Area| {
            let inside = across.start <= area.left && area.right <= across.end;
            inside
                && down.start <= area.top
                && area.bottom <= down.end
                && !taken.iter().any(|other| area.meets(other))
        };
        let crossed = |area: &Area| lines.iter().filter(|at| area.meets(&Area::of(**at, 2))).count();
        let able = offers(name, *mark).filter(|(area, _)| fits(area));
        let best = able.min_by_key(|(area, distance)| crossed(area) + CROSSED * distance);
        let found = best.map(|(area, _)| area).or(nearest);
        places.extend(found.map(|area| (area.left, area.top)));
        taken.extend(found);
    }
    places
}

/// Where a line from the mark to its name ends, where the name stands further off than beside it.
pub(super) fn joint(name: &str, (left, top): Point, (x, y): Point) -> Option<Point> {
    let beside = (top + LINE / 2 - y).abs() < LINE;
    let end = if left > x { left - 1 } else { left + width(name) + 1 };
    (!beside).then_some((end, top + LINE / 2))
}

fn width(name: &str) -> i32 {
    i32::try_from(name.chars().count()).unwrap_or(i32::MAX / LETTER).saturating_mul(LETTER)
}

/// Places beside a mark with the lines they are away from it, the nearest first: right and left of it, then further and
/// further up and down.
fn offers(name: &str, (x, y): Point) -> impl Iterator<Item = (Area, usize)> {
    let width = width(name);
    let sides = [x + MARK + 2, x - MARK - 2 - width];
    let lines = (0..=FARTHEST).flat_map(|line| [-line, line]);
    lines.flat_map(move |line| {
        let top = y - LINE / 2 + line * LINE;
        let distance = usize::try_from(line.abs()).unwrap_or(usize::MAX);
        sides.map(|left| (Area { left, top, right: left + width, bottom: top + LINE }, distance))
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
    /// So many pixels around a point.
    fn of((x, y): Point, reach: i32) -> Self {
        Self { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

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
        place(named, (&marks, &[]), (0..400, 0..200))
    }

    #[test]
    fn a_name_keeps_off_a_line_and_is_joined_to_its_mark_where_that_takes_it_away() {
        let line: Vec<Point> = (0..400).step_by(6).map(|x| (x, 100)).collect();
        let place = place(&[("oracle", (50, 100))], (&[(50, 100)], &line), (0..400, 0..200))[0];
        assert!(place.1 + LINE < 100 || place.1 > 100, "{place:?}");
        assert_eq!(joint("oracle", place, (50, 100)), Some((57, place.1 + 7)));
        assert_eq!(joint("oracle", (58, 93), (50, 100)), None);
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
