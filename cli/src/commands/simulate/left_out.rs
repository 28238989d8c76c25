//! Which traces say nothing of what is said over many of them.

use scaling_simulator::Trace;
use scaling_simulator::ranking::LEAST_DAYS;
use scaling_simulator::trace::PROFILE;

/// What is said of traces that are in no median and in no count of traces held, while others are. Where some were held out
/// of the tuning, the conditions say it.
pub(super) fn of_medians(traces: &[Trace], held_out: &[String]) -> Option<String> {
    let any = |which: &dyn Fn(&Trace) -> bool| traces.iter().any(which);
    let any_real = any(&|trace| trace.name != PROFILE);
    let any_long = any(&|trace| trace.name != PROFILE && !is_brief(trace));
    let reason = |trace: &Trace| {
        if trace.name == PROFILE {
            any_real.then_some("is drawn")
        } else {
            (any_long && is_brief(trace)).then_some("is shorter than a day")
        }
    };
    let told: Vec<String> =
        traces.iter().filter_map(|trace| Some(format!("{} ({})", trace.name, reason(trace)?))).collect();
    (held_out.is_empty() && !told.is_empty())
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

fn is_brief(trace: &Trace) -> bool {
    trace.length().as_secs_f64() < LEAST_DAYS * 86_400.0
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
        assert_eq!(of_medians(&[long, brief], &["long".to_owned()]), None);
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
