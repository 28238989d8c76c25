//! Under which conditions `scaling simulate` plays, from its arguments, and in words.

use std::time::Duration;

use anyhow::{Result, ensure};
use scaling_fleet::fleet::BootModel;
use scaling_fleet::service::QueueModel;
use scaling_simulator::conditions::Feed;
use scaling_simulator::world::{HIGH_REPLICAS, MachineType, REFERENCE_VCPU};
use scaling_simulator::{Conditions, STEP_SECONDS, Trace};

use super::inputs::TYPE;
use super::left_out;
use crate::arguments::{MetricFeed, Planned, Queue, SimulateArguments};

/// The 95th percentile of an exponential time over its mean, ln 20 rounded up: even an idle instance is no quicker.
const IDLE_P95: f64 = 3.0;

/// What the arguments say.
pub(super) fn of(arguments: &SimulateArguments) -> Result<Conditions> {
    let planned = &arguments.planned;
    check(arguments)?;
    let mut conditions = match arguments.metrics {
        MetricFeed::Cloudwatch => Conditions::product(),
        MetricFeed::Prompt => Conditions::prompt(),
    };
    conditions.feed = feed(conditions.feed, planned)?;
    let queue = match arguments.queue {
        Queue::Own => QueueModel::Own,
        Queue::Shared => QueueModel::Shared,
    };
    conditions.service.service_seconds = planned.service_time;
    let boot = Duration::from_secs(planned.boot);
    Ok(Conditions {
        boot: BootModel { shortest: boot, longest: boot },
        warm_up: Duration::from_secs(planned.warm_up),
        latency_target: planned.latency_target,
        min: planned.min,
        max: planned.max,
        noise: planned.noise,
        cpu_threshold: arguments.cpu_threshold.unwrap_or(conditions.cpu_threshold),
        scale: arguments.scale,
        seed: arguments.seed,
        ..conditions.with_queue(queue)
    })
}

/// Refuses what makes no sense.
fn check(arguments: &SimulateArguments) -> Result<()> {
    let SimulateArguments { scale, cpu_threshold, planned, .. } = arguments;
    let Planned { noise, service_time, latency_target, min, max, .. } = planned;
    ensure!(*scale > 0.0 && *scale <= 1000.0, "--scale must be over 0 and at most 1000, not {scale}");
    if let Some(threshold) = cpu_threshold {
        ensure!(
            *threshold > 0.0 && *threshold <= 1.0,
            "--cpu-threshold must be over 0 and at most 1, not {threshold}"
        );
    }
    ensure!((0.0..=1.0).contains(noise), "--noise must be from 0 to 1, not {noise}");
    ensure!(
        (0.001..=60.0).contains(service_time),
        "--service-time must be from 0.001 to 60 seconds, not {service_time}"
    );
    // To the microsecond, as a person reckons it: 3 times 0.05 is 0.15, and not a little more.
    let (idle, target) = (thousandths(IDLE_P95 * service_time), thousandths(*latency_target));
    ensure!(
        target > idle && *latency_target <= 10.0,
        "--latency-target must be over {} and at most 10 seconds, not {latency_target}: with {service_time} s a \
         request even an idle instance has its 95th percentile there, and requests are given up after 10 s",
        idle / 1000.0
    );
    ensure!(min <= max, "--min is {min} and over --max, which is {max}");
    Ok(())
}

/// A feed with what the arguments say otherwise.
fn feed(usual: Feed, planned: &Planned) -> Result<Feed> {
    let Planned { interval, metric_period, metric_delay, .. } = planned;
    for (name, value) in [("--interval", interval), ("--metric-period", metric_period)] {
        if let Some(seconds) = value {
            ensure!(
                seconds.is_multiple_of(STEP_SECONDS),
                "{name} must be a multiple of {STEP_SECONDS} seconds, the interval of the simulation, not {seconds}"
            );
        }
    }
    Ok(Feed {
        period: metric_period.unwrap_or(usual.period),
        delay: metric_delay.unwrap_or(usual.delay),
        tick: interval.unwrap_or(usual.tick),
    })
}

/// Which of the traces the policy may have been tuned on, where some were held out of it. Traces that are left out of
/// medians are in neither part, unless they were held out: of those it is told apart that they are in no median.
fn split(traces: &[Trace], held_out: &[String]) -> String {
    if held_out.is_empty() {
        return String::new();
    }
    let names = |which: &dyn Fn(&Trace) -> bool| {
        let of: Vec<&str> =
            traces.iter().filter(|trace| which(trace)).map(|trace| trace.name.as_str()).collect();
        if of.is_empty() { "none of these".to_owned() } else { of.join(", ") }
    };
    let counting = left_out::counting(traces);
    let is_held_out = |trace: &Trace| held_out.contains(&trace.name);
    let counts = |trace: &Trace| counting.left_out(&trace.name, trace.days()).is_none();
    let is_in_neither = |trace: &Trace| !is_held_out(trace) && !counts(trace);
    let neither = if traces.iter().any(is_in_neither) {
        format!(" In neither, and in no median: {}.", names(&is_in_neither))
    } else {
        String::new()
    };
    format!(
        " Tuned on: {}. Held out of the tuning: {}.{neither}",
        names(&|trace| !is_held_out(trace) && counts(trace)),
        names(&is_held_out)
    )
}

/// What holds for all of the comparison, in sentences.
pub(super) fn in_words(
    conditions: &Conditions,
    types: &[MachineType],
    (traces, held_out): (&[Trace], &[String]),
) -> String {
    let feed = conditions.feed;
    let queue = match conditions.service.queue {
        QueueModel::Own => "a queue for each instance",
        QueueModel::Shared => "one queue for all instances",
    };
    format!(
        "Metrics of {} s readable after {} s, looked at every {} s{}; {} ms a request, {queue}; 95th percentile within \
         {} ms; boot {} s{}; at least {} replicas; highest load at {} replicas of {REFERENCE_VCPU} vCPU, on {}; seed {}.{}{}",
        feed.period,
        feed.delay,
        feed.tick,
        noise(conditions.noise),
        thousandths(conditions.service.service_seconds),
        thousandths(conditions.latency_target),
        conditions.boot.longest.as_secs(),
        warm_up(conditions.warm_up),
        conditions.min,
        (HIGH_REPLICAS * conditions.scale * 10.0).round() / 10.0,
        types.first().map_or(TYPE, |machine| machine.name.as_str()),
        conditions.seed,
        choice(types),
        split(traces, held_out),
    )
}

fn thousandths(seconds: f64) -> f64 {
    (seconds * 1_000_000.0).round() / 1000.0
}

fn noise(share: f64) -> String {
    let percent = (share * 100_000.0).round() / 1000.0;
    if share > 0.0 { format!(", measured to within {percent} %") } else { String::new() }
}

fn warm_up(time: Duration) -> String {
    if time.is_zero() { String::new() } else { format!(" and warm-up {} s", time.as_secs()) }
}

/// What may be chosen where there is more than one type, and what restricts the oracle in it.
fn choice(types: &[MachineType]) -> String {
    if types.len() < 2 {
        return String::new();
    }
    let names: Vec<&str> = types.iter().map(|machine| machine.name.as_str()).collect();
    format!(
        " Types to choose from: {}; everybody begins on the first. The oracle changes the type at most hourly and never mixes \
         two; the noise-blind one keeps to the first.",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::commands::simulate::inputs;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        arguments: SimulateArguments,
    }

    fn arguments(text: &str) -> Result<SimulateArguments, clap::Error> {
        let words = ["simulate", "--profile", "1"].into_iter().chain(text.split_whitespace());
        Program::try_parse_from(words).map(|program| program.arguments)
    }

    #[test]
    fn without_arguments_the_conditions_are_those_of_the_product() {
        assert_eq!(of(&arguments("").unwrap()).unwrap(), Conditions::product());
        assert_eq!(of(&arguments("--metrics prompt").unwrap()).unwrap(), Conditions::prompt());
    }

    #[test]
    fn each_argument_is_a_condition() {
        let text = "--interval 30 --metric-period 15 --metric-delay 5 --noise 0.1 --boot 60 --warm-up 45 --service-time 0.02 \
                    --latency-target 0.1 --min 3 --max 50";
        let found = of(&arguments(text).unwrap()).unwrap();
        assert_eq!(found.feed, Feed { period: 15, delay: 5, tick: 30 });
        assert_eq!((found.min, found.max, found.noise), (3, 50, 0.1));
        assert_eq!((found.latency_target, found.service.service_seconds), (0.1, 0.02));
        assert_eq!((found.boot.shortest.as_secs(), found.warm_up.as_secs()), (60, 45));
        let words = in_words(&found, &[], (&[], &[]));
        for said in [
            "every 30 s, measured to within 10 %",
            "20 ms a request",
            "within 100 ms",
            "boot 60 s and warm-up 45 s",
        ] {
            assert!(words.contains(said), "{words}");
        }
    }

    #[test]
    fn a_share_is_said_as_it_was_given() {
        for (given, said) in [("0.07", "7 %"), ("0.29", "29 %"), ("0.0725", "7.25 %"), ("1", "100 %")] {
            let found = of(&arguments(&format!("--noise {given}")).unwrap()).unwrap();
            let words = in_words(&found, &[], (&[], &[]));
            assert!(words.contains(&format!("measured to within {said};")), "{given}: {words}");
        }
    }

    #[test]
    fn the_latency_target_is_more_than_three_times_the_service_time() {
        for (service, three_times, more) in [
            ("0.05", "0.15", "0.151"),
            ("0.1", "0.3", "0.301"),
            ("0.0333", "0.0999", "0.1"),
            ("3", "9", "9.1"),
        ] {
            let with = |target: &str| {
                of(&arguments(&format!("--service-time {service} --latency-target {target}")).unwrap())
            };
            let error = with(three_times).unwrap_err().to_string();
            assert!(error.contains(&format!("must be over {three_times} and")), "{error}");
            assert!(with(more).is_ok(), "{service} s, {more} s");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        for (text, expected) in [
            ("--scale 0", "--scale must be over 0"),
            ("--noise 1.5", "--noise must be from 0 to 1, not 1.5"),
            ("--noise NaN", "--noise must be from 0 to 1, not NaN"),
            ("--interval 40", "--interval must be a multiple of 15 seconds"),
            ("--metric-period 100", "--metric-period must be a multiple of 15 seconds"),
            ("--service-time 0", "--service-time must be from 0.001 to 60 seconds"),
            ("--latency-target 0.1", "must be over 0.15 and at most 10 seconds, not 0.1"),
            ("--min 9 --max 8", "--min is 9 and over --max, which is 8"),
        ] {
            let error = of(&arguments(text).unwrap()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        for text in ["--min 0", "--interval 5", "--boot 4000", "--warm-up -1", "--metric-delay 5000"] {
            assert!(arguments(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_size_of_the_load_is_said_in_vcpu_and_the_choice_of_the_type_with_its_limits() {
        let words = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            in_words(&Conditions::product(), &inputs::types(&names).unwrap(), (&[], &[]))
        };
        assert!(words(&["c7i.large"]).contains("at 40 replicas of 4 vCPU, on c7i.large; seed 1."));
        assert!(!words(&["c7i.large"]).contains("Types to choose from"));
        let both = words(&["c7i.large", "m7i.large"]);
        assert!(
            both.contains("Types to choose from: c7i.large, m7i.large;") && both.contains("at most hourly"),
            "{both}"
        );
    }

    #[test]
    fn the_split_names_what_was_tuned_on_and_what_was_held_out() {
        let trace = |name: &str| Trace { name: name.to_owned(), ..Trace::profile(1) };
        let brief = |name: &str| {
            let mut brief = trace(name);
            brief.values.truncate(58);
            brief
        };
        let traces = [trace("a"), trace("b"), trace("c")];
        let held_out = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(split(&traces, &[]), "");
        assert_eq!(split(&traces, &held_out(&["b"])), " Tuned on: a, c. Held out of the tuning: b.");
        assert_eq!(
            split(&traces, &held_out(&["a", "b", "c"])),
            " Tuned on: none of these. Held out of the tuning: a, b, c."
        );
        assert_eq!(
            split(&[trace("a"), trace("b"), brief("c")], &held_out(&["b"])),
            " Tuned on: a. Held out of the tuning: b. In neither, and in no median: c."
        );
        assert_eq!(
            split(&[brief("a"), brief("b")], &held_out(&["b"])),
            " Tuned on: a. Held out of the tuning: b.",
            "where there are only brief ones, they count"
        );
    }
}
