//! From the settings of one group to its complete [`GroupConfig`], with every rule between two settings checked
//! on the way.

use std::time::Duration;

use super::bindings::BindingContext;
use super::calendar::Times;
use super::fault::Faults;
use super::group::{
    ConfigVersion, ControlLevel, Cooldown, GroupConfig, GroupName, LONGEST_PROGRAM, Platform, ProgramSet,
    ScaleDownRule, StabilizationWindow, TriggerConfig,
};
use super::origin::Origin;
use super::source::{
    Argument, ChangeWindowSource, PolicySource, ProgramsSource, ReplicasSource, Settings, TriggersSource,
};
use super::values::{Period, Seconds};
use super::window::ChangeWindow;
use super::{bounds, calendar, defaults, ladder};
use crate::learned::recent::longest_window;
use crate::trigger::{PerTrigger, Trigger};

/// Resolves one group's settings, the document's already merged in.
pub(super) fn resolve(
    name: GroupName,
    settings: &Settings,
    at: Origin<'_>,
    faults: &mut Faults,
) -> GroupConfig {
    let policy = settings.policy.clone().unwrap_or_default();
    let times = settings.triggers.clone().unwrap_or_default();
    let utilisations = settings.replicas.clone().unwrap_or_default();
    let platform = platform(settings, at, faults);
    let mode = settings.mode.unwrap_or(defaults::MODE);
    let scale_down = policy.scale_down.unwrap_or_default();
    let triggers = triggers(&name, settings, platform, at, faults);
    let replicas = bounds::replicas(&utilisations, at, faults);
    let resources = bounds::resources(&settings.resources.clone().unwrap_or_default(), at, faults);
    let thresholds = thresholds(&utilisations, scale_down, &triggers, at, faults);
    GroupConfig {
        version: ConfigVersion::default(),
        platform,
        programs: programs(settings.programs.as_ref(), platform, at, faults),
        control: settings.control.unwrap_or(default_control(platform)),
        mode,
        replicas,
        resources,
        triggers,
        target_load: policy.target_load.map_or(defaults::TARGET_LOAD, |share| share.0),
        scale_up_factor: policy.scale_up_factor.map_or(defaults::SCALE_UP_FACTOR, |factor| factor.0),
        scale_down_factor: policy.scale_down_factor.map_or(defaults::SCALE_DOWN_FACTOR, |factor| factor.0),
        scale_up_threshold: thresholds.0,
        scale_down_threshold: thresholds.1,
        scale_down,
        forecast: policy.forecast.unwrap_or(defaults::FORECAST),
        evaluation_period: evaluation_period(&times, platform, at, faults),
        stabilization: stabilization(&times, at, faults),
        cooldown: times
            .cooldown_period
            .map_or(Cooldown::StabilizationWindow, |period| Cooldown::Fixed(seconds(period))),
        launch_timeout: policy.launch_timeout.map_or(defaults::LAUNCH_TIMEOUT, period),
        min_type_age: policy.min_type_age.map_or(defaults::MIN_TYPE_AGE, seconds),
        change_window: change_window(&policy, at, faults),
        type_backoff: policy.type_backoff.map_or(defaults::TYPE_BACKOFF, seconds),
        manual_hold: policy.manual_hold.map_or(defaults::MANUAL_HOLD, seconds),
        coexist: policy.coexist.unwrap_or_default(),
        ladder: ladder::resolve(settings.ladder.as_ref(), (platform, mode), &resources, at, faults),
        discount: settings.discount.map_or(defaults::DISCOUNT, |share| share.0),
        alarms: settings.alarms.clone().unwrap_or_default(),
        calendar: calendar::resolve(settings.calendar.as_ref(), replicas, at, faults),
        name,
    }
}

fn seconds(value: Seconds) -> Duration {
    Duration::from_secs(value.0)
}

fn period(value: Period) -> Duration {
    Duration::from_secs(value.0)
}

fn platform(settings: &Settings, at: Origin<'_>, faults: &mut Faults) -> Platform {
    let platform = settings.platform.unwrap_or_default();
    if platform == Platform::Kubernetes {
        at.error(
            "platform",
            "must be aws or standalone: kubernetes is not available yet",
            "leave these groups to their own autoscaler for now, or drive them by programs with standalone",
            faults,
        );
    }
    platform
}

fn default_control(platform: Platform) -> ControlLevel {
    match platform {
        Platform::Aws | Platform::Kubernetes => ControlLevel::Observe,
        Platform::Standalone => ControlLevel::Act,
    }
}

/// The utilisations of the plain rule, (up, down), and what must hold between them and the thresholds.
fn thresholds(
    source: &ReplicasSource,
    rule: ScaleDownRule,
    triggers: &PerTrigger<TriggerConfig>,
    at: Origin<'_>,
    faults: &mut Faults,
) -> (f64, f64) {
    let up = source.scale_up_threshold.map_or(defaults::SCALE_UP_THRESHOLD, |share| share.0);
    let down = source.scale_down_threshold.map_or(defaults::SCALE_DOWN_THRESHOLD, |share| share.0);
    let (up_path, down_path) = ("replicas/scale_up_threshold", "replicas/scale_down_threshold");
    if down >= up && at.is_sound(&[up_path, down_path], faults) {
        let path = if at.gives(down_path) { down_path } else { up_path };
        let rule = format!("crosses: scale_down_threshold ({down}) must be below scale_up_threshold ({up})");
        at.error(path, rule, "leave room between the two, or every evaluation changes the count", faults);
    }
    for (trigger, path) in
        [(Trigger::CpuUsage, "triggers/cpu_threshold"), (Trigger::MemoryUsage, "triggers/memory_threshold")]
    {
        let threshold = triggers[trigger].threshold;
        if !at.gives(path) || !at.is_sound(&[path, up_path, down_path], faults) {
            continue;
        }
        let given = at.gives(up_path);
        if given && (threshold - up).abs() > f64::EPSILON {
            let rule = format!("differs from scale_up_threshold ({up}); {trigger} goes by this one");
            at.warning(path, rule, "give only one of them, or the same value", faults);
        }
        if rule == ScaleDownRule::Threshold && down >= threshold {
            let rule = format!("crosses: must be above scale_down_threshold ({down})");
            at.error(path, rule, "lower scale_down_threshold, or use `scale_down`: \"window\"", faults);
        }
    }
    (up, down)
}

fn triggers(
    name: &GroupName,
    settings: &Settings,
    platform: Platform,
    at: Origin<'_>,
    faults: &mut Faults,
) -> PerTrigger<TriggerConfig> {
    let none = (PolicySource::default(), TriggersSource::default());
    let policy = settings.policy.as_ref().unwrap_or(&none.0);
    let times = settings.triggers.as_ref().unwrap_or(&none.1);
    let listed = policy.triggers.as_deref();
    let context = BindingContext {
        settings,
        group: name,
        platform,
        period: times.evaluation_period.map_or(defaults::EVALUATION_PERIOD.as_secs(), |period| period.0),
        origin: at,
    };
    let mut bindings = context.resolve(listed, faults);
    check_lists(policy, &bindings.clone(), at, faults);
    if times.latency_threshold.is_some_and(|latency| latency.0 > 60.0) {
        let rule = "is more than a minute: the unit is seconds";
        at.warning("triggers/latency_threshold", rule, "write 0.25 if 250 ms were meant", faults);
    }
    let utilisation = settings.replicas.as_ref().and_then(|replicas| replicas.scale_up_threshold);
    PerTrigger::from_fn(|trigger| {
        let asks = listed.is_none_or(|listed| listed.contains(&trigger));
        let threshold = match trigger {
            Trigger::CpuUsage => times.cpu_threshold.or(utilisation).map(|share| share.0),
            Trigger::MemoryUsage => times.memory_threshold.or(utilisation).map(|share| share.0),
            Trigger::RequestCount => times.request_threshold.map(|rate| rate.0),
            Trigger::RequestLatency => times.latency_threshold.map(|latency| latency.0),
        };
        TriggerConfig {
            threshold: threshold.unwrap_or(defaults::threshold(trigger)),
            asks,
            priority: policy
                .priority_triggers
                .as_ref()
                .map_or(asks && trigger == Trigger::CpuUsage, |priority| priority.contains(&trigger)),
            binding: bindings[trigger].take(),
        }
    })
}

/// What must hold of `policy.triggers` and `policy.priority_triggers`.
fn check_lists<B>(
    policy: &PolicySource,
    bindings: &PerTrigger<Option<B>>,
    at: Origin<'_>,
    faults: &mut Faults,
) {
    let (list, priority) = ("policy/triggers", "policy/priority_triggers");
    let sound = at.is_sound(&[list, priority], faults);
    if let Some(triggers) = policy.triggers.as_deref().filter(|_| sound) {
        if triggers.is_empty() {
            at.error(
                list,
                "must list a trigger: without one nothing asks for capacity",
                "leave it out for all four",
                faults,
            );
        }
        for (index, trigger) in triggers.iter().enumerate() {
            let path = format!("{list}/{index}");
            if triggers[..index].contains(trigger) {
                at.warning(&path, "is listed twice", "keep one of them", faults);
            } else if bindings[*trigger].is_none() {
                let rule = format!("never asks for capacity: no metric is bound to {trigger}");
                let fix = format!("give `load_balancer` or `metrics.{trigger}`, or take it out of the list");
                at.warning(&path, rule, fix, faults);
            }
        }
    }
    if !sound {
        return;
    }
    for (index, trigger) in policy.priority_triggers.iter().flatten().enumerate() {
        if policy.triggers.as_ref().is_some_and(|listed| !listed.contains(trigger)) {
            let fix = format!("add \"{trigger}\" to policy.triggers, or take it out here");
            at.error(&format!("{priority}/{index}"), "must be one of policy.triggers", fix, faults);
        }
    }
}

fn evaluation_period(
    times: &TriggersSource,
    platform: Platform,
    at: Origin<'_>,
    faults: &mut Faults,
) -> Duration {
    let period = times.evaluation_period.map_or(defaults::EVALUATION_PERIOD, period);
    let known = matches!(period.as_secs(), 1 | 5 | 10 | 20 | 30) || period.as_secs().is_multiple_of(60);
    if platform == Platform::Aws && !known {
        let rule = "must be 1, 5, 10, 20, 30 or a multiple of 60 on aws: CloudWatch has no other periods";
        at.error("triggers/evaluation_period", rule, "write 60, the period of most metrics", faults);
    }
    period
}

/// A window that is longer than what is remembered would never be over, and nothing would ever be taken away.
fn stabilization(times: &TriggersSource, at: Origin<'_>, faults: &mut Faults) -> StabilizationWindow {
    let Some(window) = times.stabilization_window.map(seconds) else { return StabilizationWindow::BootTime };
    let period = times.evaluation_period.map_or(defaults::EVALUATION_PERIOD, period);
    let longest = longest_window(period);
    if window > longest {
        let rule = format!(
            "must be at most {} s where the group is evaluated every {} s: that is as far as is remembered",
            longest.as_secs(),
            period.as_secs()
        );
        let fix = format!("write {} or less, or leave it out for the learned boot time", longest.as_secs());
        at.error("triggers/stabilization_window", rule, fix, faults);
    }
    StabilizationWindow::Fixed(window)
}

fn change_window(policy: &PolicySource, at: Origin<'_>, faults: &mut Faults) -> Option<ChangeWindow> {
    const PATH: &str = "policy/change_window";
    let source = policy.change_window.as_ref()?;
    let times = Times {
        cron: source.cron.as_deref(),
        duration: source.duration,
        time_zone: source.time_zone.as_deref(),
        has_only_known: at.has_only(PATH, ChangeWindowSource::KEYS),
        always: "leave `change_window` out to allow changes always",
    };
    times.resolve(PATH, at, faults)
}

fn programs(
    source: Option<&ProgramsSource>,
    platform: Platform,
    at: Origin<'_>,
    faults: &mut Faults,
) -> Option<ProgramSet> {
    const PATH: &str = "programs";
    if platform != Platform::Standalone {
        if source.is_some() {
            at.warning(PATH, "has no effect on aws", "take it out, or set `platform` to standalone", faults);
        }
        return None;
    }
    let Some(source) = source else {
        if at.is_sound(&[PATH], faults) {
            let rule = "must be given on standalone: nothing else can describe or change the group";
            at.error(PATH, rule, "name the programs `describe`, `apply` and `metrics`", faults);
        }
        return None;
    };
    let timeout = source.timeout.map_or(defaults::PROGRAM_TIMEOUT, period);
    if timeout > LONGEST_PROGRAM && at.is_sound(&["programs/timeout"], faults) {
        let most = LONGEST_PROGRAM.as_secs();
        let rule = format!("must be at most {most}: a step is given up after little more");
        at.error(&format!("{PATH}/timeout"), rule, "start what takes longer, and answer at once", faults);
    }
    // An unknown key may be one of these under a wrong name.
    let has_only_known = at.has_only(PATH, ProgramsSource::KEYS);
    let mut argv = |key: &str, arguments: Option<&Vec<Argument>>| {
        let given = arguments.filter(|list| list.first().is_some_and(|program| !program.0.is_empty()));
        let path = format!("{PATH}/{key}");
        let is_untold = if at.gives(&path) { at.is_sound(&[&path], faults) } else { has_only_known };
        if given.is_none() && is_untold {
            let place = if arguments.is_some() { &path } else { PATH };
            let rule = format!("must have `{key}`, a list that begins with a program");
            at.error(place, rule, format!("write \"{key}\": [\"program\", \"argument\"]"), faults);
        }
        given.map(|list| list.iter().map(|argument| argument.0.clone()).collect::<Vec<_>>())
    };
    let (describe, apply, metrics) = (
        argv("describe", source.describe.as_ref()),
        argv("apply", source.apply.as_ref()),
        argv("metrics", source.metrics.as_ref()),
    );
    Some(ProgramSet { describe: describe?, apply: apply?, metrics: metrics?, timeout })
}
