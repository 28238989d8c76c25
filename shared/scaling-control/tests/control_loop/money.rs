//! What a group costs that mixes on-demand and spot instances.

use scaling_control::ports::Purchase;
use serde_json::json;

use crate::world::World;

/// Four m7i.xlarge, of which one is on demand.
const ONE_OF_FOUR: Purchase = Purchase { on_demand_base: 1, on_demand_percent_above_base: 0 };

async fn cost(purchase: Purchase, settings: serde_json::Value) -> f64 {
    let world = World::with(settings);
    world.platform.group().purchase = purchase;
    let report = world.minute(&world.control()).await;
    report.outcomes[0].evaluation().unwrap().decision.cost_before.0
}

#[tokio::test]
async fn spot_instances_count_at_the_spot_price() {
    let prices = json!({"prices": {"m7i.xlarge": 0.2}, "spot_prices": {"m7i.xlarge": 0.08}});
    let all_on_demand = cost(Purchase::default(), prices.clone()).await;
    assert!((all_on_demand - 0.8).abs() < 1e-9, "{all_on_demand}");
    let mixed = cost(ONE_OF_FOUR, prices).await;
    assert!((mixed - (0.2 + 3.0 * 0.08)).abs() < 1e-9, "{mixed}");
}

#[tokio::test]
async fn without_a_spot_price_they_count_as_on_demand() {
    let mixed = cost(ONE_OF_FOUR, json!({"prices": {"m7i.xlarge": 0.2}})).await;
    assert!((mixed - 0.8).abs() < 1e-9, "{mixed}");
}

#[test]
fn fractions_of_an_instance_are_on_demand_and_the_base_comes_first() {
    for (base, percent, instances, spot) in
        [(0, 100, 4, 0.0), (0, 0, 4, 4.0), (0, 50, 5, 2.0), (2, 25, 10, 6.0), (2, 0, 1, 0.0), (0, 0, 0, 0.0)]
    {
        let purchase = Purchase { on_demand_base: base, on_demand_percent_above_base: percent };
        let seen = purchase.spot_share(instances) * f64::from(instances);
        assert!((seen - spot).abs() < 1e-9, "{purchase:?} of {instances}: {seen}");
    }
}

#[tokio::test]
async fn a_savings_plan_is_taken_off_what_is_on_demand() {
    let settings =
        json!({"prices": {"m7i.xlarge": 0.2}, "spot_prices": {"m7i.xlarge": 0.08}, "discount": 0.25});
    let all_on_demand = cost(Purchase::default(), settings.clone()).await;
    assert!((all_on_demand - 0.6).abs() < 1e-9, "{all_on_demand}");
    let mixed = cost(ONE_OF_FOUR, settings).await;
    assert!((mixed - (0.15 + 3.0 * 0.08)).abs() < 1e-9, "{mixed}");
}

#[tokio::test]
async fn what_the_group_cost_at_take_over_is_kept_with_the_discount_of_then() {
    let world = World::with(json!({"prices": {"m7i.xlarge": 0.2}, "discount": 0.25}));
    let report = world.minute(&world.control()).await;
    let state = &report.outcomes[0].evaluation().unwrap().state;
    let found = state.take_over_cost.unwrap().0;
    assert!((found - 0.6).abs() < 1e-9 && (state.take_over_discount - 0.25).abs() < 1e-9, "{found}");
}
