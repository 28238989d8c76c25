//! Which traces say nothing of what is said over many of them.

use scaling_simulator::Trace;
use scaling_simulator::ranking::Counting;
use scaling_simulator::trace::PROFILE;

/// Which of these traces are in medians.
pub(super) fn counting(traces: &[Trace]) -> Counting {
    Counting::of(traces.iter().map(|trace| (trace.name.as_str(), trace.days())))
}

/// What is said of traces that are in no median and in no count of traces held, while others are. Where some were held out
/// of the tuning, the conditions say it of the others.
pub(super) fn of_medians(traces: &[Trace], held_out: &[String]) -> Option<String> {
    let counting = counting(traces);
    let is_told = |trace: &&Trace| held_out.is_empty() || held_out.contains(&trace.name);
    let told: Vec<String> = traces
        .iter()
        .filter(is_told)
        .filter_map(|trace| {
            Some(format!("{} ({})", trace.name, counting.left_out(&trace.name, trace.days())?))
        })
        .collect();
    (!told.is_empty())
        .then(|| format!("In no median, and not counted among the traces held: {}", told.join(", ")))
}

/// What is said where cases of the type choice were asked for and none of the traces has any.
pub(super) fn of_type_cases(traces: &[Trace], asked: bool, cases: usize) -> Option<String> {
    let drawn = if traces.iter().any(|trace| trace.name == PROFILE) {
        ", and the shipped profile is drawn"
    } else {
        ""
    };
    (asked && cases == 0).then(|| {
        format!(
            "--type-cases shows nothing: its cases are of traces of a day or more, and there is none{drawn}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(name: &str, minutes: usize) -> Trace {
        let mut trace = Trace { name: name.to_owned(), ..Trace::profile(1) };
        trace.values.truncate(minutes);
        trace
    }

    #[test]
    fn a_trace_that_is_in_no_median_is_named_where_another_is_in_them() {
        let of = |traces: &[Trace]| of_medians(traces, &[]);
        let (long, brief, drawn) = (trace("long", 1440), trace("brief", 58), trace(PROFILE, 1440));
        let begin = "In no median, and not counted among the traces held:";
        assert_eq!(
            of(&[long.clone(), brief.clone()]),
            Some(format!("{begin} brief (is shorter than a day)"))
        );
        assert_eq!(
            of(&[brief.clone(), drawn.clone()]),
            Some(format!("{begin} {PROFILE} (is drawn)")),
            "where there are only brief ones, they count"
        );
        for all_count in [vec![long.clone()], vec![brief.clone()], vec![drawn], Vec::new()] {
            assert_eq!(of(&all_count), None);
        }
    }

    #[test]
    fn where_some_were_held_out_those_of_them_are_named_that_are_in_no_median() {
        let traces = [trace("long", 1440), trace("brief", 58), trace("other", 1440)];
        let of = |held_out: &str| of_medians(&traces, &[held_out.to_owned()]);
        assert!(of("brief").unwrap().ends_with(": brief (is shorter than a day)"));
        assert_eq!(of("long"), None, "the conditions say it of those that were not");
    }

    #[test]
    fn cases_of_the_type_choice_that_no_trace_has_are_told() {
        let brief = [trace("brief", 58)];
        let told = of_type_cases(&brief, true, 0).unwrap();
        assert!(told.contains("--type-cases") && !told.contains("profile"), "{told}");
        assert!(of_type_cases(&[Trace::profile(1)], true, 0).unwrap().contains("profile is drawn"));
        assert_eq!((of_type_cases(&brief, false, 0), of_type_cases(&brief, true, 1)), (None, None));
    }
}
