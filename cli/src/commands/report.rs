//! `scaling report`: what a group cost, and what it would have cost under this controller.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use scaling::Assembly;
use scaling_aws::AwsSettings;
use scaling_control::Evaluation;
use scaling_control::ports::{MetricQuery, MetricSeries};
use scaling_policy::config::{GroupConfig, Platform, Statistic};
use scaling_policy::trigger::Trigger;
use scaling_report::money::{Prices, Spot};
use scaling_report::text::{Subject, markdown};
use scaling_report::{Comparison, GroupLimits, History, Past, page};

use super::run::existing_store;
use crate::arguments::{ReportArguments, ReportFormat};
use crate::output;

/// Reads the past, plays the policy over it, and writes what came of it.
pub(crate) async fn report(arguments: &ReportArguments) -> Result<()> {
    let source = &arguments.source;
    let loaded = scaling::configuration::load(&source.config, source.environment.as_deref())?;
    let region = loaded.config.region.clone();
    let assembly = Assembly::new(loaded.config, AwsSettings::default(), &existing_store(&arguments.state))?;
    let planned = assembly.control.plan().await?;
    let outcome = planned.outcomes.iter().find(|outcome| outcome.config.name.as_str() == arguments.group);
    let outcome = outcome.ok_or_else(|| anyhow!("the configuration has no group {:?}", arguments.group))?;
    let Some(evaluation) = outcome.evaluation() else {
        bail!("{} cannot be looked at now; `scaling doctor` says why", arguments.group)
    };
    if outcome.config.platform != Platform::Aws {
        bail!("{} is driven by programs, which tell of now only: there is no past to play", arguments.group);
    }
    let now = assembly.control.ports().clock.now();
    let history = history(&assembly, &outcome.config, evaluation, arguments.days, now).await?;
    let config = &outcome.config;
    let replay = scaling_report::replay(config, Arc::clone(&evaluation.snapshot.ladder), &history);
    let comparison = Comparison::of(config, &history, &replay).with_context(|| {
        format!(
            "{} has no CPU readings in the last {} days, so there is nothing to play",
            config.name, arguments.days
        )
    })?;
    let list = assembly.control.market().prices.provenance().clone();
    let prices = Prices::new(list, region.as_deref(), config.discount)
        .with_discount(arguments.discount.unwrap_or(config.discount))?
        .with_spot(spot(&assembly, evaluation));
    let subject =
        Subject { config, history: &history, replay: &replay, comparison: &comparison, prices: &prices };
    let text = match arguments.format {
        ReportFormat::Markdown => markdown(subject),
        ReportFormat::Html => page::html(subject)?,
    };
    match &arguments.output {
        None => output::line(text.trim_end()),
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            output::line(format_args!("written to {}", path.display()))
        }
    }
}

/// How much of the group and of its cost is spot now, which is taken to have been so all along.
fn spot(assembly: &Assembly, evaluation: &Evaluation) -> Spot {
    let market = assembly.control.market();
    let (offer, share) = (&evaluation.snapshot.group.launch_type, evaluation.spot_share);
    let price = market.prices.spot(&offer.name);
    let each = price.or(market.prices.get(&offer.name).map(|price| price.usd_per_hour)).unwrap_or_default();
    let cost_share = if offer.price.0 > 0.0 { each.0 * share / offer.price.0 } else { 0.0 };
    Spot { share, cost_share, known: price.is_some(), date: assembly.control.config().spot_prices.date }
}

/// The metrics of the last days, one point for each period.
pub(super) async fn history(
    assembly: &Assembly,
    config: &Arc<GroupConfig>,
    evaluation: &Evaluation,
    days: u16,
    now: Timestamp,
) -> Result<History> {
    let period = config.evaluation_period;
    let seconds = u32::try_from(period.as_secs()).unwrap_or(60).max(1);
    let to = Timestamp::from_second(now.as_second().div_euclid(i64::from(seconds)) * i64::from(seconds))?;
    let from = to - SignedDuration::from_hours(24) * i32::from(days);
    let query = |trigger: Trigger, statistic: Option<Statistic>| {
        let mut binding = config.triggers[trigger].binding.clone()?;
        if let Some(statistic) = statistic {
            (binding.statistic, binding.scale) = (statistic, 1.0);
        }
        Some(MetricQuery { group: Arc::clone(config), trigger, binding, period_seconds: seconds, from, to })
    };
    let wanted = Trigger::ALL.map(|trigger| query(trigger, None));
    let mut queries: Vec<MetricQuery> = wanted.iter().flatten().cloned().collect();
    queries.extend(query(Trigger::CpuUsage, Some(Statistic::SampleCount)));
    let mut answers = assembly.control.ports().metrics.read(&queries).await?.into_iter();
    let series = wanted.map(|query| {
        let scale = query.as_ref().map_or(1.0, |query| query.binding.scale);
        let answer = query.and_then(|_| answers.next()).unwrap_or_default();
        (answer, scale)
    });
    let counts = answers.next().unwrap_or_default();
    Ok(put_together(evaluation, period, &series, &counts))
}

/// One point for each period with CPU; the replicas are the samples that it was the mean of.
fn put_together(
    evaluation: &Evaluation,
    period: Duration,
    series: &[(MetricSeries, f64); 4],
    counts: &MetricSeries,
) -> History {
    let group = &evaluation.snapshot.group;
    let serving = f64::from(group.serving().max(1));
    // With more than one sample a period from each instance the newest count is a multiple of what serves.
    let samples = counts.points.last().map_or(1.0, |(_, count)| (count / serving).round().max(1.0));
    let value = |place: usize, at: Timestamp| {
        let (series, scale) = &series[place];
        let found = series.points.binary_search_by_key(&at, |(start, _)| *start).ok()?;
        Some((series.points[found].1 * scale).max(0.0))
    };
    let count = |at: Timestamp| {
        let found = counts.points.binary_search_by_key(&at, |(start, _)| *start).ok()?;
        Some(counts.points[found].1 / samples)
    };
    let length = SignedDuration::try_from(period).unwrap_or(SignedDuration::from_mins(1));
    let points = series[0].0.points.iter().map(|(start, _)| Past {
        at: *start + length,
        cpu: value(0, *start),
        memory: value(1, *start),
        requests: value(2, *start),
        latency: value(3, *start),
        replicas: count(*start).unwrap_or(serving),
    });
    History {
        period,
        offer: group.launch_type.clone(),
        points: points.collect(),
        replicas_known: !counts.points.is_empty(),
        limits: GroupLimits::of(group),
    }
}
