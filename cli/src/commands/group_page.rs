//! What the console shows of a group, in lines for a terminal: what runs, the load of each trigger with its band, the next
//! possible change, the figures over time with operations marked, and what it has cost and saved to date.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::text_chart::{Grid, bar, held, line};

/// How far back the rows over time reach, in seconds. The console's charts reach a week back.
const SIGHT: i64 = 24 * 3600;

/// Cells of a row over time.
const WIDTH: usize = 60;

/// A look stands for the half hour after it, at most: of what is long ago the look with the highest demand of each quarter of an
/// hour is kept, so that two may be nearly so far apart.
const NEAR: i64 = 1800;

/// Operations and decisions that are listed.
pub(super) const LISTED: usize = 6;

/// Kinds of changes: as the console names them, its sign in a row, and in words.
const CHANGES: [(&str, char, &str); 3] =
    [("up", '▲', "more replicas"), ("down", '▼', "fewer replicas"), ("retype", '◆', "another type")];

const TRIGGERS: [&str; 4] = ["cpu_usage", "memory_usage", "request_count", "request_latency"];

/// Lines under a head.
struct Section(Vec<String>);

impl Section {
    fn new(head: impl Into<String>) -> Self {
        Self(vec![head.into()])
    }

    fn add(&mut self, name: &str, said: impl AsRef<str>) {
        self.0.push(format!("  {name:<15} {}", said.as_ref()).trim_end().to_owned());
    }

    fn text(self) -> String {
        self.0.join("\n") + "\n"
    }
}

/// What runs now, what it costs, and what it has come to.
pub(super) fn now(group: &Value) -> String {
    let text = |pointer: &str| group.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    let mut section = Section::new(format!(
        "{} at {}: control {}, {}",
        text("/name"),
        moment(&group["at"]),
        text("/control"),
        text("/mode")
    ));
    if text("/trouble") != "-" {
        section.add("trouble", text("/trouble"));
    }
    for said in standing(group) {
        section.add("set", said);
    }
    let count = |pointer: &str| group.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let arriving = count("/replicas/arriving");
    let arriving = if arriving > 0 { format!(", {arriving} arriving") } else { String::new() };
    section.add(
        "runs",
        format!(
            "{} x {} of {} desired{arriving}; {} to {} allowed",
            count("/replicas/serving"),
            text("/type"),
            count("/replicas/desired"),
            count("/bounds/min"),
            count("/bounds/max")
        ),
    );
    section.add("demand", demand(group["wanted"].as_f64(), group["capacity"].as_f64()));
    section.add("cost", cost(group["cost"].as_f64(), group["savings"].as_f64()));
    section.add("to date", to_date(group));
    section.text()
}

/// What people have set that holds now: the kill switch, a pause, an override, the calendar. It is the interface's word, which
/// knows it at once; the page is as of the last look.
pub(super) fn standing(group: &Value) -> Vec<String> {
    let switch = &group["kill_switch"];
    let said = |member: &str| switch[member].as_str().unwrap_or("-");
    let thrown = (!switch.is_null()).then(|| format!("kill switch on by {}: {}", said("by"), said("reason")));
    let in_force = group["in_force"].as_array().into_iter().flatten().filter_map(Value::as_str);
    thrown.into_iter().chain(in_force.map(str::to_owned)).collect()
}

/// The same under a head; empty where there is nothing.
pub(super) fn in_lines(group: &Value) -> String {
    let said = standing(group);
    if said.is_empty() {
        return String::new();
    }
    let mut section = Section::new("Set by people");
    for said in &said {
        section.add("set", said);
    }
    section.text()
}

/// Why nothing at all is changed at this moment, and until when where that is known.
fn stopped(group: &Value) -> Option<(&'static str, Option<Timestamp>)> {
    if !group["kill_switch"].is_null() {
        return Some(("the kill switch is on", None));
    }
    (!group["pause"].is_null()).then(|| ("paused", parsed(&group["pause"]["until"])))
}

/// What a group has cost and saved since it was first seen.
pub(super) fn to_date(group: &Value) -> String {
    let totals = &group["totals"];
    let (Some(spent), Some(saved)) = (totals["cost"].as_f64(), totals["saved"].as_f64()) else {
        return "-".to_owned();
    };
    let since = totals["since"].as_str().map_or_else(String::new, |_| {
        let (from, to) = (parsed(&totals["since"]), parsed(&group["now"]));
        let span = from.zip(to).map_or_else(String::new, |(from, to)| format!(", {}", span(from, to)));
        format!(" since {}{span}", moment(&totals["since"]))
    });
    format!("{} spent, {} saved{since}", usd(spent), usd(saved))
}

fn demand(wanted: Option<f64>, capacity: Option<f64>) -> String {
    let of =
        |vcpu: Option<f64>| vcpu.map_or_else(|| "not known".to_owned(), |vcpu| format!("{vcpu:.1} vCPU"));
    format!("{}; capacity {}", of(wanted), of(capacity))
}

fn cost(cost: Option<f64>, savings: Option<f64>) -> String {
    let Some(cost) = cost else { return "not known".to_owned() };
    let saved = savings
        .map_or_else(String::new, |saved| format!("; {} an hour saved against a fixed fleet", usd(saved)));
    format!("{} an hour{saved}", usd(cost))
}

/// Each trigger: its load with the band from the target to the limit, its reading, and whether it asks.
pub(super) fn loads(group: &Value) -> String {
    let target = group["target_load"].as_f64().unwrap_or(0.75);
    let head = format!("Load by trigger (▒ from the target of {} to the limit)", percent(target));
    let mut section = Section::new(head);
    for reading in group["readings"].as_array().into_iter().flatten() {
        let text = |member: &str| reading[member].as_str().unwrap_or("-");
        if text("state") == "unbound" {
            continue;
        }
        let asks = match (reading["asks"] == true, reading["priority"] == true) {
            (true, true) => "asks, urgently",
            (true, false) => "asks",
            (false, _) => "only reported",
        };
        let name = text("trigger");
        let data = match (text("state"), reading["age"].as_f64()) {
            ("fresh", Some(age)) => format!("{age:.0} s old"),
            (state, _) => state.to_owned(),
        };
        let (value, limit) = (in_unit(name, &reading["value"]), in_unit(name, &reading["threshold"]));
        let each = if name == "request_count" { " each" } else { "" };
        section.add(
            name,
            format!("{}  {value} of {limit}{each}, {data}; {asks}", drawn(reading["load"].as_f64(), target)),
        );
    }
    section.text()
}

fn drawn(load: Option<f64>, target: f64) -> String {
    load.map_or_else(
        || format!("{:>6}  {}", "-", bar(0.0, target)),
        |load| format!("{:>6}  {}", percent(load), bar(load, target)),
    )
}

/// Each kind of change: from when on it is possible, and what it waits for.
pub(super) fn outlook(group: &Value) -> String {
    let mut section = Section::new("The next possible change");
    for (kind, _, words) in CHANGES {
        if let Some(said) = possible(group, kind) {
            section.add(words, said);
        }
    }
    section.text()
}

/// From when on a kind of change is possible, and what it waits for; `None` where the group does not know it.
fn possible(group: &Value, kind: &str) -> Option<String> {
    let change = group["outlook"].as_array()?.iter().find(|change| change["change"] == kind)?;
    let seen = (change["waits_for"].as_str().unwrap_or_default(), parsed(&change["from"]));
    let (why, from) = match stopped(group) {
        // The one of both that lasts longer.
        Some((why, Some(until))) if seen.0.is_empty() || seen.1.is_some_and(|from| from < until) => {
            (why, Some(until))
        }
        Some((why, None)) => (why, None),
        _ => seen,
    };
    if why.is_empty() {
        return Some("now, when the load asks for it".to_owned());
    }
    let Some(from) = from else { return Some(format!("not by itself: {why}")) };
    let wait = parsed(&group["now"]).map_or_else(String::new, |now| format!("in {} ", span(now, from)));
    Some(format!("{wait}({}): {why}", from.strftime("%H:%M:%S")))
}

/// The same in few words, a line for each kind of change, for a table.
pub(super) fn outlook_in_short(group: &Value) -> String {
    let lines = CHANGES.iter().filter_map(|(kind, sign, _)| {
        let said = possible(group, kind)?;
        Some(format!("{sign} {}", said.split(", when the load").next().unwrap_or_default()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The figures over time: one row each, all over the same time.
pub(super) fn over_time(group: &Value) -> String {
    let series = &group["series"];
    let at: Vec<i64> = series["at"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let (Some(first), Some(last)) = (at.first(), at.last()) else { return String::new() };
    let from = (*first).max(last - SIGHT);
    let grid = Grid::new(&at, from, WIDTH);
    let mut section = Section::new(format!("From {} to {}, highest of each cell", clock(from), clock(*last)));
    let values = |name: &str| -> Vec<Option<f64>> {
        series[name].as_array().into_iter().flatten().map(Value::as_f64).collect()
    };
    let mut rows = |rows: &[(&str, &str)], (least, most): (f64, f64), shown: fn(f64) -> String| {
        let gathered: Vec<_> =
            rows.iter().map(|(name, _)| held(&grid.gather(&values(name), f64::max))).collect();
        let top = gathered.iter().flatten().flatten().copied().fold(least, f64::max).min(most);
        for ((name, label), cells) in rows.iter().zip(&gathered) {
            let newest = values(name).last().copied().flatten();
            if cells.iter().any(Option::is_some) {
                let newest = newest.map_or_else(|| "not known".to_owned(), shown);
                section.add(label, format!("{}  now {newest}, row to {}", line(cells, top), shown(top)));
            }
        }
    };
    let any = (0.0, f64::INFINITY);
    rows(&[("wanted", "demand"), ("capacity", "capacity")], any, |vcpu| format!("{vcpu:.1} vCPU"));
    for trigger in TRIGGERS {
        // A response time may be twenty times over its limit for a minute, and would flatten the rest.
        rows(&[(trigger, trigger)], (1.0, 2.0), percent);
    }
    rows(&[("serving", "serving"), ("desired", "desired")], any, |count| format!("{count:.0}"));
    rows(&[("cost", "cost, an hour"), ("fixed", "a fixed fleet")], any, usd);
    rows(&[("saved", "saved to date")], any, usd);
    let (row, runs) = types(series, &at, &grid);
    section.add("type", row);
    section.add("operations", format!("{}  ▲ up ▼ down ◆ another type", marks(group, &at, &grid)));
    section.text() + &runs
}

/// Which type launched when: a letter in each cell, and the spans in words, the newest first.
fn types(series: &Value, at: &[i64], grid: &Grid) -> (String, String) {
    let places: Vec<Option<usize>> = series["type"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|place| usize::try_from(place.as_u64()?).ok())
        .collect();
    let letter = |place: usize| char::from(b'a' + u8::try_from(place % 26).unwrap_or_default());
    let cells = held(&grid.gather(&places, |_, last| last));
    let row: String = cells.into_iter().map(|place| place.map_or(' ', letter)).collect();
    let mut runs: Vec<(usize, i64, i64)> = Vec::new();
    for (place, at) in places.iter().zip(at).filter_map(|(place, at)| Some(((*place)?, *at))) {
        match runs.last_mut() {
            Some(run) if run.0 == place => run.2 = at,
            last => {
                if let Some(run) = last {
                    run.2 = at;
                }
                runs.push((place, at, at));
            }
        }
    }
    let mut section = Section::new("Types over time");
    for (place, from, to) in runs.iter().rev().take(LISTED) {
        let name = series["types"][place].as_str().unwrap_or("-");
        let span = span(second(*from), second(*to));
        section.add(&format!("{} {name}", letter(*place)), format!("from {} for {span}", clock(*from)));
    }
    (row, "\n".to_owned() + &section.text())
}

/// The signs of the operations in the cells in which they were planned; a change of type before one of the count.
fn marks(group: &Value, at: &[i64], grid: &Grid) -> String {
    let mut row = vec![' '; WIDTH];
    for mark in group["marks"].as_array().into_iter().flatten() {
        let kind = CHANGES.iter().find(|(kind, ..)| mark["kind"] == *kind);
        let place = parsed(&mark["at"]).and_then(|moment| grid.place(at, moment.as_second()));
        if let (Some((_, sign, _)), Some(place)) = (kind, place)
            && row[place] != '◆'
        {
            row[place] = *sign;
        }
    }
    row.into_iter().collect()
}

/// What the charts say of a moment: the look at it or before, where there is one within half an hour ([`NEAR`]).
pub(super) fn at(group: &Value, moment: Timestamp) -> Option<String> {
    let series = &group["series"];
    let at: Vec<i64> = series["at"].as_array()?.iter().filter_map(Value::as_i64).collect();
    let place = at.partition_point(|look| *look <= moment.as_second()).checked_sub(1)?;
    if moment.as_second() - at[place] > NEAR {
        return None;
    }
    let value = |name: &str| series[name][place].as_f64();
    let whole = |name: &str| series[name][place].as_u64().unwrap_or_default();
    let kind = usize::try_from(whole("type")).ok().and_then(|place| series["types"][place].as_str());
    let mut section = Section::new(format!("Seen at {}", clock(at[place])));
    let (serving, desired) = (whole("serving"), whole("desired"));
    section.add("ran", format!("{serving} x {} of {desired} desired", kind.unwrap_or("-")));
    section.add("demand", demand(value("wanted"), value("capacity")));
    let savings = value("fixed").zip(value("cost")).map(|(fixed, cost)| fixed - cost);
    section.add("cost", cost(value("cost"), savings));
    section.add(
        "to date",
        value("saved").map_or_else(|| "-".to_owned(), |saved| format!("{} saved", usd(saved))),
    );
    let target = group["target_load"].as_f64().unwrap_or(0.75);
    for trigger in TRIGGERS {
        if let Some(load) = value(trigger) {
            section.add(trigger, drawn(Some(load), target));
        }
    }
    Some(section.text())
}

/// Operations of the group, the newest first, as the REST interface writes them.
pub(super) fn operations(operations: &[Value]) -> String {
    let mut section = Section::new("Operations");
    for operation in operations.iter().take(LISTED) {
        let text = |member: &str| operation[member].as_str().unwrap_or("-");
        let ended = parsed(&operation["planned_at"]).zip(parsed(&operation["ended_at"]));
        let took = ended.map_or_else(String::new, |(from, to)| format!(" after {}", span(from, to)));
        let failure = operation["failure"].as_str().map_or_else(String::new, |why| format!(": {why}"));
        let kind = &operation["kind"];
        let side =
            |member: &str| kind[member].as_str().map_or_else(|| kind[member].to_string(), str::to_owned);
        let what = if kind["kind"] == "scale" { " replicas" } else { "" };
        section.0.push(format!(
            "  {}  {} -> {}{what}: {}{took}{failure}",
            moment(&operation["planned_at"]),
            side("from"),
            side("to"),
            text("phase").replace('_', " ")
        ));
    }
    section.text()
}

/// Decisions of the group, the newest first, as the REST interface writes them.
pub(super) fn decisions(decisions: &[Value]) -> String {
    let mut section = Section::new("Decisions that differed from the one before");
    for decision in decisions.iter().take(LISTED) {
        let action = &decision["action"];
        let done = match action["kind"].as_str() {
            Some("scale") => format!("{} -> {} replicas", action["from"], action["to"]),
            Some("retype") => format!(
                "{} x {} -> {} x {}",
                action["from_replicas"],
                action["from"].as_str().unwrap_or("-"),
                action["to_replicas"],
                action["to"].as_str().unwrap_or("-")
            ),
            _ => "hold".to_owned(),
        };
        let why = decision["explanation"].as_str().unwrap_or("-");
        section.0.push(format!("  {}  {done}: {why}", moment(&decision["at"])));
    }
    section.text()
}

fn parsed(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn moment(value: &Value) -> String {
    parsed(value).map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn clock(at: i64) -> String {
    second(at).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long from one moment to another, in words.
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).max(SignedDuration::ZERO).as_secs();
    match seconds {
        ..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

/// An amount with its sign before it; what rounds to nothing has none.
pub(super) fn usd(amount: f64) -> String {
    let sign = if amount <= -0.005 { "-" } else { "" };
    format!("{sign}{:.2} USD", amount.abs())
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn in_unit(trigger: &str, value: &Value) -> String {
    let Some(value) = value.as_f64() else { return "-".to_owned() };
    match trigger {
        "request_latency" => format!("{:.0} ms", value * 1000.0),
        "request_count" => format!("{value:.0} / min"),
        _ => percent(value),
    }
}

#[cfg(test)]
mod tests;
