//! Memory that rises although the load does not: a leak, or a cache without a limit. More replicas do not help against
//! it, since each has the same.

use crate::history::History;

/// A rise of memory by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rise {
    /// Share of a replica's memory, 0 to 1, that a day adds at the same load.
    pub share_a_day: f64,
    /// Days until memory is at its threshold, from the end of the history, should it go on.
    pub days_left: f64,
}

/// The least rise that is told of: a hundredth of the memory a day.
const LEAST: f64 = 0.01;

/// The rise has to be so many times its own standard error.
const CERTAIN: f64 = 4.0;

/// Fewer periods than these tell nothing: half a day of minutes.
pub const FEWEST: usize = 720;

/// Fits memory = a + b x time + c x (busy vCPU per replica), and tells of `b` where it is large and certain.
pub fn rise(history: &History, threshold: f64) -> Option<Rise> {
    let points: Vec<[f64; 3]> = history
        .known()
        .filter_map(|(past, cpu)| Some([past.at.as_second() as f64 / 86_400.0, cpu, past.memory?]))
        .collect();
    let [_, _, newest] = *points.last()?;
    if points.len() < FEWEST {
        return None;
    }
    let count = points.len() as f64;
    let mean = |place: usize| points.iter().map(|point| point[place]).sum::<f64>() / count;
    let means = [mean(0), mean(1), mean(2)];
    let product = |one: usize, other: usize| {
        points.iter().map(|point| (point[one] - means[one]) * (point[other] - means[other])).sum::<f64>()
    };
    let (time, load, both) = (product(0, 0), product(1, 1), product(0, 1));
    // Without any change of load, time explains alone.
    let determinant = time * load - both * both;
    let (by_day, by_load) = if load > 1e-9 && determinant > 1e-9 * time * load {
        let (of_time, of_load) = (product(0, 2), product(1, 2));
        ((of_time * load - of_load * both) / determinant, (of_load * time - of_time * both) / determinant)
    } else {
        (product(0, 2) / time, 0.0)
    };
    let residual = |point: &[f64; 3]| {
        point[2] - means[2] - by_day * (point[0] - means[0]) - by_load * (point[1] - means[1])
    };
    let variance = points.iter().map(|point| residual(point).powi(2)).sum::<f64>() / (count - 3.0);
    // What is left over of one minute is much like that of the next: a tenth of the points count as independent.
    let error = (variance * 10.0 / (time * (1.0 - both * both / (time * load).max(1e-12)).max(1e-3))).sqrt();
    let is_certain = by_day > LEAST && by_day > CERTAIN * error;
    is_certain.then(|| Rise { share_a_day: by_day, days_left: ((threshold - newest) / by_day).max(0.0) })
}
