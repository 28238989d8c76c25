//! What a group that is only observed is told: on made-up history whose answer is known.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::{Catalogue, PriceBook, TypeName};
use scaling_policy::config::{Config, GroupConfig, Layers};
use scaling_policy::snapshot::{RetypeSupport, TypeOffer};
use scaling_report::money::Prices;
use scaling_report::text::{Subject, markdown};
use scaling_report::{Comparison, GroupLimits, History, Past, page, replay, trend};
use serde_json::{Value, json};

fn offer(name: &str) -> TypeOffer {
    let name = TypeName::new(name);
    let known = Catalogue::embedded().get(&name).unwrap().clone();
    let price = PriceBook::embedded_or_default(None).get(&name).unwrap().usd_per_hour;
    TypeOffer { name, vcpu: known.vcpu, memory: known.memory, price }
}

fn config() -> Arc<GroupConfig> {
    config_with(&json!({}))
}

/// The same with further settings.
fn config_with(more: &Value) -> Arc<GroupConfig> {
    let mut source = json!({"mode": "horizontal", "group": "web", "control": "observe",
        "replicas": {"min_replicas": 2, "max_replicas": 40}});
    for (key, value) in more.as_object().unwrap() {
        source[key] = value.clone();
    }
    Arc::clone(&Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config.groups[0])
}

/// So many days of minutes on a fixed fleet, with a load in vCPU that depends on the hour.
fn history(days: i64, replicas: f64, busy: impl Fn(f64) -> f64) -> History {
    let begin: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let offer = offer("m7i.large");
    let points = (1..=days * 1440).map(|minute| {
        let cpu = busy((minute as f64 / 60.0) % 24.0) / (replicas * offer.vcpu.0);
        Past {
            at: begin + SignedDuration::from_mins(minute),
            cpu: Some(cpu.min(1.0)),
            memory: Some(0.3),
            requests: None,
            latency: Some(if cpu > 0.8 { 0.9 } else { 0.1 }),
            replicas,
        }
    });
    let limits = GroupLimits { min: 1, max: 40, retype: RetypeSupport::Supported };
    let points = points.collect();
    History { period: Duration::from_secs(60), points, offer, replicas_known: true, limits }
}

/// Quiet at night, busy by day.
fn daily(hour: f64) -> f64 {
    6.0 - 4.0 * (hour / 24.0 * std::f64::consts::TAU).cos()
}

fn compare(config: &GroupConfig, history: &History) -> (replay::Replay, Comparison) {
    let ladder: Arc<[TypeOffer]> = Arc::from([history.offer.clone()]);
    let played = scaling_report::replay(config, ladder, history);
    let comparison = Comparison::of(config, history, &played).unwrap();
    (played, comparison)
}

#[test]
fn an_oversized_fleet_is_told_what_it_would_have_saved() {
    let history = history(3, 12.0, daily);
    let (played, comparison) = compare(&config(), &history);
    assert_eq!(comparison.hours, 72.0);
    assert!((comparison.ran.cost - 12.0 * history.offer.price.0 * 72.0).abs() < 1e-6);
    assert!(comparison.saved_share() > 0.2, "{comparison:?}");
    assert!(comparison.would.over_minutes <= 5.0, "{comparison:?}");
    assert!(played.ups > 0 && played.downs > 0 && played.retypes == 0, "{played:?}");
    assert!((comparison.fixed_at_take_over - comparison.ran.cost).abs() < 1e-6);
    assert_eq!(comparison.latency_over_minutes, Some(0.0));
}

/// What a controller could not do is nothing that it would have saved.
#[test]
fn the_groups_own_bounds_and_a_type_that_cannot_be_changed_hold() {
    let mut history = history(3, 12.0, daily);
    let retype = RetypeSupport::CountOnly { why: "the group has weights".to_owned() };
    history.limits = GroupLimits { min: 12, max: 12, retype };
    let (played, comparison) = compare(&config(), &history);
    assert_eq!((played.ups, played.downs, played.retypes), (0, 0, 0), "{played:?}");
    assert!(comparison.saved_share().abs() < 1e-9, "{comparison:?}");
}

#[test]
fn an_undersized_fleet_is_told_that_holding_its_limits_costs_more() {
    let history = history(2, 4.0, |hour| daily(hour) * 0.78);
    let (_, comparison) = compare(&config(), &history);
    assert!(comparison.ran.over_minutes > 300.0, "{comparison:?}");
    assert!(comparison.would.over_minutes < comparison.ran.over_minutes / 10.0, "{comparison:?}");
    assert!(comparison.latency_over_minutes.unwrap() > 300.0);
}

#[test]
fn a_gap_in_the_history_is_compared_with_nothing() {
    let mut history = history(2, 12.0, daily);
    history.points.retain(|past| past.at.as_second() % 86_400 > 43_200);
    let (_, comparison) = compare(&config(), &history);
    assert!((comparison.hours - 24.0).abs() < 0.1, "{comparison:?}");
}

#[test]
fn a_load_balancer_without_requests_keeps_no_replica() {
    let (alone, _) = compare(&config(), &history(3, 12.0, daily));
    let behind = config_with(&json!({"load_balancer": "app/web/1a2b"}));
    let (played, _) = compare(&behind, &history(3, 12.0, daily));
    assert_eq!((played.ups, played.downs), (alone.ups, alone.downs));
}

#[test]
fn without_cpu_there_is_nothing_to_compare() {
    let mut history = history(1, 12.0, daily);
    history.points.iter_mut().for_each(|past| past.cpu = None);
    let ladder: Arc<[TypeOffer]> = Arc::from([history.offer.clone()]);
    let played = scaling_report::replay(&config(), ladder, &history);
    assert!(Comparison::of(&config(), &history, &played).is_none());
}

#[test]
fn both_forms_say_the_same_and_where_the_prices_are_from() {
    let history = History { replicas_known: false, ..history(1, 12.0, daily) };
    let config = config();
    let (replay, comparison) = compare(&config, &history);
    let list = PriceBook::embedded_or_default(None).provenance().clone();
    let prices = Prices::new(list, Some("sa-east-1"), 0.0).with_discount(0.28).unwrap();
    let subject = Subject {
        config: &config,
        history: &history,
        replay: &replay,
        comparison: &comparison,
        prices: &prices,
    };
    let (text, page) = (markdown(subject), page::html(subject).unwrap());
    let cost = format!("{:.2} USD", comparison.would.cost * 0.72);
    for part in [
        cost.as_str(),
        "in 0 minutes",
        "28 % for a savings plan",
        "no list for sa-east-1",
        "all on demand",
        "today's number",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
        assert!(page.contains(part), "{part} is not in the page");
    }
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.contains("prefers-color-scheme:dark"));
    for selector in page.split("svg [").skip(1).map(|rest| rest.split(']').next().unwrap()) {
        assert!(page.matches(selector).count() > 1, "nothing in the plots has {selector}");
    }
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org").count()
    );
}

#[test]
fn a_discount_of_everything_is_refused() {
    let list = PriceBook::embedded_or_default(None).provenance().clone();
    for bad in [1.0, -0.1, f64::NAN] {
        assert!(Prices::new(list.clone(), None, 0.0).with_discount(bad).is_err(), "{bad}");
    }
}

#[test]
fn memory_that_rises_with_time_is_told_from_memory_that_follows_the_load() {
    let with_memory = |memory: &dyn Fn(f64, f64) -> f64| {
        let mut history = history(3, 12.0, daily);
        for (minute, past) in history.points.iter_mut().enumerate() {
            past.memory = Some(memory(minute as f64 / 1440.0, past.cpu.unwrap()));
        }
        trend::rise(&history, 0.8)
    };
    assert_eq!(with_memory(&|_, cpu| 0.3 + 0.4 * cpu), None);
    assert_eq!(with_memory(&|day, cpu| 0.3 + 0.4 * cpu + 0.005 * day), None, "too little to tell of");
    let rise = with_memory(&|day, cpu| 0.3 + 0.2 * cpu + 0.05 * day).unwrap();
    assert!((rise.share_a_day - 0.05).abs() < 1e-6, "{rise:?}");
    assert!((5.0..8.0).contains(&rise.days_left), "{rise:?}");
}
