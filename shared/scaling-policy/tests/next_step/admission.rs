//! The limits over all groups together.

use jiff::Timestamp;
use scaling_fleet::UsdPerHour;
use scaling_policy::admit::{Spent, admit};
use scaling_policy::config::{ConfigVersion, FleetLimits};
use scaling_policy::decision::{Action, Decision, Reason, Wanted};
use scaling_policy::trigger::PerTrigger;

fn decision(action: Action, before: f64, after: f64) -> Decision {
    Decision {
        group: "web".into(),
        at: Timestamp::UNIX_EPOCH,
        config_version: ConfigVersion(1),
        action,
        reason: Reason::WithinTarget,
        loads: PerTrigger::default(),
        driver: None,
        wanted: Wanted::default(),
        guards: Vec::new(),
        in_force: Vec::new(),
        alternatives: Vec::new(),
        cost_before: UsdPerHour(before),
        cost_after: UsdPerHour(after),
    }
}

fn up(cost: f64) -> Decision {
    decision(Action::Scale { from: 1, to: 2 }, 1.0, 1.0 + cost)
}

fn down() -> Decision {
    decision(Action::Scale { from: 2, to: 1 }, 1.0, 0.5)
}

fn hold() -> Decision {
    decision(Action::Hold, 1.0, 1.0)
}

fn admitted(decisions: &[Decision], groups: Option<u32>, usd: Option<f64>) -> Vec<bool> {
    let limits = FleetLimits { max_groups_changed: groups, max_added_cost: usd.map(UsdPerHour) };
    admit(&decisions.iter().collect::<Vec<_>>(), limits, &mut Spent::default())
}

#[test]
fn without_limits_everything_passes() {
    assert_eq!(admitted(&[up(5.0), down(), hold()], None, None), [true; 3]);
}

#[test]
fn the_number_of_changed_groups_counts_changes_not_holds() {
    assert_eq!(
        admitted(&[hold(), up(1.0), hold(), down(), up(1.0)], Some(2), None),
        [true, true, true, true, false]
    );
}

#[test]
fn money_holds_what_adds_too_much_and_lets_go_on_what_saves() {
    assert_eq!(admitted(&[up(2.0), up(2.0), down(), up(0.5)], None, Some(3.0)), [true, false, true, true]);
}

#[test]
fn a_limit_below_one_machine_still_lets_one_through() {
    assert_eq!(admitted(&[up(2.0), up(2.0)], None, Some(1.0)), [true, false]);
}

#[test]
fn a_limit_of_nothing_lets_nothing_through_that_costs_more() {
    let free = decision(Action::Scale { from: 1, to: 2 }, 1.0, 1.0);
    assert_eq!(admitted(&[up(0.01), down(), free, up(2.0)], None, Some(0.0)), [false, true, true, false]);
}

#[test]
fn what_the_minute_has_let_through_already_counts() {
    let limits = FleetLimits { max_groups_changed: Some(2), max_added_cost: Some(UsdPerHour(3.0)) };
    let mut spent = Spent { changed: 1, added: 2.0 };
    let decisions = [up(2.0), down(), down()];
    let admitted = admit(&decisions.iter().collect::<Vec<_>>(), limits, &mut spent);
    assert_eq!(admitted, [false, true, false]);
    assert_eq!(spent, Spent { changed: 2, added: 2.0 });
}
