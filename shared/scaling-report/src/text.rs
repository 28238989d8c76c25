//! The report as Markdown.

use scaling_policy::config::GroupConfig;
use scaling_policy::snapshot::RetypeSupport;

use crate::comparison::Comparison;
use crate::history::{GroupLimits, History};
use crate::money::Prices;
use crate::replay::Replay;
use crate::trend;

/// Everything that a report tells of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The group's configuration.
    pub config: &'a GroupConfig,
    /// Its past.
    pub history: &'a History,
    /// The policy over that past.
    pub replay: &'a Replay,
    /// Both in figures.
    pub comparison: &'a Comparison,
    /// The prices.
    pub prices: &'a Prices,
}

/// The report.
pub fn markdown(subject: Subject<'_>) -> String {
    let Subject { config, replay, comparison, prices, .. } = subject;
    let usd = |amount: f64| format!("{:.2} USD", prices.paid(amount));
    let costs =
        [comparison.ran.cost, comparison.would.cost, comparison.fixed_at_peak, comparison.fixed_at_take_over];
    let none = || "-".to_owned();
    let (ran, would) = (comparison.ran, comparison.would);
    let replicas = [format!("{:.1}", ran.replicas), format!("{:.1}", would.replicas), none(), none()];
    let over = [format!("{:.0}", ran.over_minutes), format!("{:.0}", would.over_minutes), none(), none()];
    let rows = [
        ("cost", costs.map(usd)),
        ("a month of 730 h", costs.map(|amount| usd(amount / comparison.hours * 730.0))),
        ("mean replicas", replicas),
        ("minutes over a limit", over),
    ];
    let mut lines = vec![
        format!("# {}: what ran, and what would have", config.name),
        String::new(),
        summary(subject),
        String::new(),
        "| | what ran | this controller | fleet for the peak | fleet at take-over |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(rows.into_iter().map(|(name, cells)| format!("| {name} | {} |", cells.join(" | "))));
    lines.push(format!(
        "\nIt would have scaled up {} times, down {} times, and changed the type {} times.\n",
        replay.ups, replay.downs, replay.retypes
    ));
    lines.extend(notes(subject).into_iter().map(|note| format!("- {note}")));
    lines.join("\n") + "\n"
}

/// The one sentence.
pub(crate) fn summary(subject: Subject<'_>) -> String {
    let Subject { comparison, prices, .. } = subject;
    let saved = prices.paid(comparison.ran.cost - comparison.would.cost);
    let share = comparison.saved_share() * 100.0;
    let verdict = if saved >= 0.0 {
        format!("would have cost {saved:.2} USD less ({share:.1} %)")
    } else {
        format!("would have cost {:.2} USD more ({:.1} %)", -saved, -share)
    };
    format!(
        "From {} to {} ({:.0} hours) this controller {verdict}, with {:.0} minutes over a limit instead of {:.0}.",
        comparison.from.strftime("%Y-%m-%d %H:%M"),
        comparison.to.strftime("%Y-%m-%d %H:%M UTC"),
        comparison.hours,
        comparison.would.over_minutes,
        comparison.ran.over_minutes
    )
}

/// What the group itself keeps the policy from.
fn limits(config: &GroupConfig, limits: &GroupLimits) -> Vec<String> {
    let (replicas, mut notes) = (config.replicas, Vec::new());
    if limits.min > replicas.min || limits.max < replicas.max {
        notes.push(format!(
            "The group's own minimum of {} and maximum of {} hold, where the configuration would allow {} to {}: widen them, \
             and more can be saved or carried.",
            limits.min, limits.max, replicas.min, replicas.max
        ));
    }
    if let RetypeSupport::CountOnly { why } = &limits.retype {
        notes.push(format!("The type was left as it is: {why}."));
    }
    notes
}

/// What the figures rest on.
pub(crate) fn notes(subject: Subject<'_>) -> Vec<String> {
    let Subject { config, history, comparison, prices, .. } = subject;
    let mut notes = vec![
        prices.note(),
        "A minute is over a limit when CPU, memory or requests are at or over their threshold. Response times are not \
         replayed: what they would have been on another fleet is not in the metrics."
            .to_owned(),
        format!(
            "Everything that runs or boots is counted as {}; replicas serve {} s after they are ordered until a boot has \
             been seen, and a type change pays for both fleets while it runs.",
            history.offer.name, 120
        ),
    ];
    if let Some(minutes) = comparison.latency_over_minutes {
        let limit = config.triggers.request_latency.threshold * 1000.0;
        notes.push(format!(
            "Measured: the response time was over {limit:.0} ms in {minutes:.0} minutes of what ran."
        ));
    }
    let threshold = config.triggers.memory_usage.threshold;
    if let Some(rise) = trend::rise(history, threshold) {
        notes.push(format!(
            "Memory rises by {:.1} % of a replica's a day at the same load, and would be at its limit in {:.0} days: a \
             leak, or a cache without a limit. More replicas do not help against it.",
            rise.share_a_day * 100.0,
            rise.days_left
        ));
    }
    notes.extend(limits(config, &history.limits));
    if !history.replicas_known {
        notes.push(
            "How many replicas ran in the past could not be read, so that today's number stands for all of it: turn on \
             detailed monitoring to have one CPU sample a minute from each instance."
                .to_owned(),
        );
    }
    notes
}
