//! The clairvoyant choice of the type, hour by hour.

use super::{Plan, Supply, boot_steps, supply_for};
use crate::STEP_SECONDS;
use crate::world::World;

/// Intervals of an hour: types change no more often.
const HOUR: usize = 3600 / STEP_SECONDS as usize;

/// A way through the hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// What it costs, in USD.
    pub cost_usd: f64,
    /// Index of the type of each hour.
    pub types: Vec<usize>,
}

/// Count and type of each interval, chosen with knowledge of all arrivals.
pub(super) fn clairvoyant(world: &World) -> Plan {
    let kinds: Vec<Kind> = (0..world.types.len()).map(|index| Kind::of(world, index)).collect();
    let hours: Vec<Vec<(f64, u32)>> = (0..world.steps())
        .step_by(HOUR)
        .map(|from| {
            let to = (from + HOUR).min(world.steps());
            let all: Vec<(f64, u32, bool)> = kinds.iter().map(|kind| kind.hour(from, to)).collect();
            // Where no type carries the load, the least bad is still to be had.
            let any = all.iter().any(|(.., able)| *able);
            let price = |(cost, count, able): (f64, u32, bool)| {
                (if able || !any { cost } else { f64::INFINITY }, count)
            };
            all.into_iter().map(price).collect()
        })
        .collect();
    let types = cheapest_path(world, &hours).map_or_else(Vec::new, |path| path.types);
    joined(world, &kinds, &types)
}

/// What one type alone would do.
struct Kind {
    supply: Supply,
    wanted: Vec<u32>,
    price: f64,
    most: u32,
}

impl Kind {
    fn of(world: &World, index: usize) -> Self {
        let carrier = crate::world::Carrier::of(world, index);
        let wanted: Vec<u32> =
            world.arrivals.iter().map(|requests| carrier.needed(world.busy(f64::from(*requests)))).collect();
        let supply = supply_for(world, &wanted);
        Self { supply, wanted, price: world.types[index].price.0, most: world.conditions.max }
    }

    /// Cost of an hour in USD, replicas that begin it, and whether it carries the load of all of it.
    fn hour(&self, from: usize, to: usize) -> (f64, u32, bool) {
        let instances: u32 =
            (from..to).map(|step| self.supply.serving[step] + self.supply.booting[step]).sum();
        let cost = self.price * f64::from(instances) * f64::from(STEP_SECONDS) / 3600.0;
        (cost, self.supply.serving[from], self.wanted[from..to].iter().all(|count| *count <= self.most))
    }
}

/// The supplies of the chosen types one after the other, with the boots of the changes.
fn joined(world: &World, kinds: &[Kind], types: &[usize]) -> Plan {
    let boot = u32::try_from(boot_steps(world)).unwrap_or(u32::MAX);
    let (mut serving, mut booting) = (Vec::new(), Vec::new());
    let (mut changes, mut before) = (vec![(0, world.first)], world.first);
    for (hour, index) in types.iter().copied().enumerate() {
        let (from, to) = (hour * HOUR, ((hour + 1) * HOUR).min(world.steps()));
        let supply = &kinds[index].supply;
        serving.extend_from_slice(&supply.serving[from..to]);
        booting.extend_from_slice(&supply.booting[from..to]);
        if index != before {
            // The new fleet's boot beside the old one, billed in one: how many intervals it took is the same money.
            booting[from] += supply.serving[from] * boot;
            changes.push((from, index));
        }
        before = index;
    }
    // A change in the first hour takes the place of the begin.
    if changes.get(1).is_some_and(|(from, _)| *from == 0) {
        changes.remove(0);
    }
    Plan { supply: Supply { serving, booting }, types: changes }
}

/// The cheapest way through the hours, given what each type costs in each and how many replicas of it begin it: a change of
/// type pays the new fleet's boot beside the old one, also in the first hour where that is not the world's first type.
/// `None` without types.
pub fn cheapest_path(world: &World, hours: &[Vec<(f64, u32)>]) -> Option<Path> {
    let boot_hours = world.conditions.longest_start().as_secs_f64() / 3600.0;
    let mut best: Vec<f64> =
        (0..world.types.len()).map(|index| if index == world.first { 0.0 } else { f64::INFINITY }).collect();
    // Of each hour and type, the type of the hour before on the cheapest way to it.
    let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(hours.len());
    for prices in hours {
        let (cheapest, so_far) = least(&best)?;
        let step = |index: usize| {
            let (cost, count) = prices[index];
            let moved = so_far + world.types[index].price.0 * f64::from(count) * boot_hours;
            let (before, paid) = if best[index] <= moved { (index, best[index]) } else { (cheapest, moved) };
            (before, paid + cost)
        };
        let (from, paid): (Vec<usize>, Vec<f64>) = (0..prices.len()).map(step).unzip();
        came_from.push(from);
        best = paid;
    }
    let (mut index, cost_usd) = least(&best)?;
    let mut types = Vec::with_capacity(hours.len());
    for from in came_from.iter().rev() {
        types.push(index);
        index = from[index];
    }
    types.reverse();
    Some(Path { cost_usd, types })
}

fn least(costs: &[f64]) -> Option<(usize, f64)> {
    costs.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;
    use scaling_fleet::load::Load;

    use super::*;
    use crate::Conditions;
    use crate::world::MachineType;

    fn world() -> World {
        let types: Arc<[MachineType]> =
            ["m7i.xlarge", "c7i.large"].iter().map(|name| MachineType::of(name).unwrap()).collect();
        let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(15), vec![50.0; 3 * HOUR]);
        World::of_load("drawn", &load, Conditions::product(), types, 0)
    }

    #[test]
    fn a_path_stays_where_a_change_costs_more_than_it_saves() {
        let world = world();
        // A boot of two minutes for 3 replicas of c7i.large costs 0.009 USD.
        for (second, expected) in [(1.05, vec![0, 1, 1]), (1.004, vec![0, 0, 0])] {
            let hours = [vec![(1.0, 3), (1.1, 3)], vec![(second, 3), (1.0, 3)], vec![(1.0, 3), (1.0, 3)]];
            assert_eq!(cheapest_path(&world, &hours).map(|path| path.types), Some(expected), "{second}");
        }
    }

    #[test]
    fn a_type_that_cannot_carry_an_hour_serves_in_the_others() {
        let hours = [vec![(2.0, 3), (1.0, 3)], vec![(2.0, 3), (f64::INFINITY, 3)], vec![(2.0, 3), (1.0, 3)]];
        assert_eq!(cheapest_path(&world(), &hours).map(|path| path.types), Some(vec![1, 0, 1]));
    }

    #[test]
    fn the_plan_costs_what_the_path_does() {
        let world = world();
        let plan = clairvoyant(&world);
        assert_eq!((plan.types.as_slice(), plan.supply.serving.len()), ([(0, 1)].as_slice(), world.steps()));
        let launches = plan.supply.booting[0];
        assert_eq!(u64::from(launches), u64::from(plan.supply.serving[0]) * 8);
    }
}
