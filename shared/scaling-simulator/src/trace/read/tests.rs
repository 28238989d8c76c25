use super::*;

fn values(text: &str) -> Vec<f64> {
    read(text).map(|read| read.values).unwrap()
}

#[test]
fn times_are_dates_or_seconds() {
    for text in [
        "timestamp,value\n2026-01-05T00:00:00Z,120\n2026-01-05T00:01:00Z,60\n",
        "timestamp,value\n0,120\n60,60\n",
        "\u{feff}time,requests\n# a remark\n0,120\n60,60\n",
    ] {
        let read = read(text).unwrap();
        assert_eq!((read.values, read.step.as_secs()), (vec![120.0, 60.0], 60), "{text}");
    }
}

#[test]
fn what_can_be_put_right_is_put_right_and_named() {
    let unsorted = read("t,v\n60,2\n0,1\n120,3\n").unwrap();
    assert_eq!((unsorted.values, unsorted.repairs), (vec![1.0, 2.0, 3.0], vec![Repair::Sorted]));
    let repeated = read("t,v\n0,1\n60,2\n60,2\n120,3\n").unwrap();
    assert_eq!(repeated.repairs, vec![Repair::Repeated { rows: 1 }]);
    let row = |row: u32| format!("{},{row}\n", row * 60);
    let rows: Vec<String> = (0..20).filter(|number| *number != 7).map(row).collect();
    let rows = rows.concat();
    let gap = read(&format!("t,v\n{rows}")).unwrap();
    assert_eq!((gap.values[7], gap.repairs), (7.0, vec![Repair::Filled { rows: 1, line: 9 }]));
}

#[test]
fn the_line_of_the_highest_value_is_known() {
    assert_eq!(
        read("t,v\n60,1e15\n0,1\n120,\n180,1e15\n240,3\n300,1\n360,1\n420,2\n480,2\n540,1\n600,1\n")
            .unwrap()
            .highest,
        Some(2)
    );
}

#[test]
fn an_empty_value_is_a_gap() {
    let row = |row: u32| if row == 3 { "180,\n".to_owned() } else { format!("{},{row}\n", row * 60) };
    let rows: Vec<String> = (0..20).map(row).collect();
    let rows = rows.concat();
    assert_eq!(values(&format!("t,v\n{rows}"))[3], 3.0);
}

#[test]
fn each_fault_names_its_line() {
    for (text, expected) in [
        ("timestamp,value\n0,1\nsoon,2\n", RowError::Time { line: 3, text: "soon".into() }.into()),
        (
            "timestamp,value\n0,1\n60,1e300\n",
            RowError::Value { line: 3, text: "1e300".into(), largest: LARGEST }.into(),
        ),
        ("timestamp,value\n0,1\n60,1\n60,2\n", TraceError::Twice { line: 4 }),
        (
            "timestamp,value\n0,1\n60,1\n120,1\n130,1\n180,1\n",
            TraceError::Grid { line: 5, step: 60, keep: 2, distances: 4 },
        ),
        ("timestamp,value\n0,1\n60,1\n120,1\n600,1\n", TraceError::Gaps { missing: 7, rows: 11, line: 5 }),
        ("timestamp,value\n0,1\n60,\n120,1\n180,1\n", TraceError::Gaps { missing: 1, rows: 4, line: 3 }),
        ("0,1\n60,1\n", RowError::Header.into()),
        ("timestamp,value\n0,1\n", TraceError::TooShort),
        ("timestamp,value\n", TraceError::TooShort),
        ("", TraceError::TooShort),
    ] {
        assert_eq!(read(text).err(), Some(expected), "{text:?}");
    }
}

#[test]
fn two_resolutions_in_one_trace_are_refused_whichever_comes_first() {
    let minutes = "0,1\n60,1\n120,1\n180,1\n";
    let fine = "190,1\n200,1\n";
    let coarse_first = read(&format!("t,v\n{minutes}{fine}"));
    assert_eq!(coarse_first.err(), Some(TraceError::Mixed { line: 6, before: 60, after: 10 }));
    let fine_first = read("t,v\n0,1\n10,1\n20,1\n30,1\n90,1\n150,1\n");
    let fault = fine_first.err().unwrap();
    let told = fault.to_string();
    assert_eq!(fault, TraceError::Mixed { line: 6, before: 10, after: 60 });
    assert!(told.contains("10 s apart above it and 60 s from it on"), "{told}");
}

/// Rows of these distances from 0 on.
fn with_distances(distances: impl IntoIterator<Item = f64>) -> String {
    let mut seconds = 0.0;
    let later = distances.into_iter().map(|distance| {
        seconds += distance;
        seconds
    });
    let rows: Vec<String> = std::iter::once(0.0).chain(later).map(|at| format!("{at},1\n")).collect();
    format!("t,v\n{}", rows.concat())
}

#[test]
fn a_short_part_of_another_resolution_is_no_gap() {
    let (fine, coarse) = (vec![60.0; 1000], vec![300.0; 20]);
    for (distances, told) in [
        ([fine.clone(), coarse.clone()].concat(), "line 1003: the rows are 60 s apart above it and 300 s"),
        ([coarse.clone(), fine.clone()].concat(), "line 23: the rows are 300 s apart above it and 60 s"),
        ([fine.clone(), coarse, fine].concat(), "line 1003: the rows are 60 s apart above it and 300 s"),
    ] {
        let error = read(&with_distances(distances)).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
    }
    // The same with empty values in between, as a spreadsheet joins them.
    let row = |minute: u32| match minute {
        1000.. if !minute.is_multiple_of(5) => format!("{},\n", minute * 60),
        _ => format!("{},1\n", minute * 60),
    };
    let rows: Vec<String> = (0..1100).map(row).collect();
    let error = read(&format!("t,v\n{}", rows.concat())).err().unwrap().to_string();
    assert!(error.contains("60 s apart above it and 300 s from it on"), "{error}");
}

#[test]
fn gaps_that_lie_anywhere_are_repaired() {
    let scattered = |minute: &u32| !minute.is_multiple_of(13) && !(400..410).contains(minute);
    // Two alike at the end, and at the begin, are no resolution yet.
    let ends = |minute: &u32| ![1, 3, 996, 998].contains(minute);
    for (gaps, missing) in [(&scattered as &dyn Fn(&u32) -> bool, 76 + 9), (&ends, 4)] {
        let row = |minute: u32| format!("{},1\n", minute * 60);
        let rows: Vec<String> = (0..1000).filter(|minute| *minute == 0 || gaps(minute)).map(row).collect();
        let read = read(&format!("t,v\n{}", rows.concat())).unwrap();
        let Some(Repair::Filled { rows, .. }) = read.repairs.first() else { panic!("{:?}", read.repairs) };
        assert_eq!((*rows, read.values.len()), (missing, 1000));
    }
}

#[test]
fn times_that_are_all_a_little_off_keep_the_grid_that_they_have_in_all() {
    // Each off by up to 0.4 s on its own, and most distances a hair under a minute.
    let off = |minute: u32| [0.0, 0.4, 0.39, -0.4, 0.31, 0.3][minute as usize % 6];
    let rows = |step: f64| {
        let row = |minute: u32| format!("{:.2},1\n", 10.0 + f64::from(minute) * step + off(minute));
        (0..2880).map(row).collect::<Vec<_>>().concat()
    };
    let minutes = read(&format!("t,v\n{}", rows(60.0))).unwrap();
    assert_eq!((minutes.step.as_secs_f64(), minutes.values.len(), minutes.repairs), (60.0, 2880, vec![]));
    // A clock that is slow, told in whole seconds.
    let row = |row: u32| format!("{:.0},1\n", f64::from(row) * 60.4);
    let slow = read(&format!("t,v\n{}", (0..2880).map(row).collect::<Vec<_>>().concat())).unwrap();
    assert!((slow.step.as_secs_f64() - 60.4).abs() < 0.001 && slow.values.len() == 2880);
}

/// Rows a minute apart, each up to 0.6 s early or late, the first one by `first`.
fn jittered(first: f64, rows: u32) -> Vec<(f64, u32)> {
    let off = |row: u32| if row == 0 { first } else { f64::from(row * 37 % 121) / 100.0 - 0.6 };
    (0..rows).map(|row| (600.0 + 60.0 * f64::from(row) + off(row), row)).collect()
}

fn text(rows: &[(f64, u32)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(at, value)| format!("{at:.2},{value}\n")).collect();
    format!("t,v\n{}", rows.concat())
}

#[test]
fn it_is_no_matter_how_far_the_first_row_is_off() {
    for first in [-0.6, -0.55, 0.0, 0.55, 0.6] {
        for rows in [5, 300, 2880] {
            let read = read(&text(&jittered(first, rows))).unwrap();
            let expected: Vec<f64> = (0..rows).map(f64::from).collect();
            assert_eq!((read.step.as_secs_f64(), read.repairs), (60.0, vec![]), "{first}, {rows} rows");
            assert_eq!(read.values, expected, "{first}, {rows} rows");
        }
    }
}

#[test]
fn a_row_that_is_off_a_grid_of_jittered_rows_is_named_and_is_no_other_resolution() {
    let mut rows = jittered(0.55, 300);
    rows[200].0 += 20.0;
    let error = read(&text(&rows)).err().unwrap();
    assert!(matches!(error, TraceError::Grid { line: 202, step: 60, .. }), "{error}");
}

#[test]
fn a_short_part_of_another_resolution_is_no_gap_where_times_are_a_little_off() {
    let mut rows = jittered(0.55, 1100);
    rows.retain(|(_, row)| *row <= 1000 || row.is_multiple_of(5));
    let error = read(&text(&rows)).err().unwrap();
    assert!(matches!(error, TraceError::Mixed { line: 1003, .. }), "{error}");
}

#[test]
fn two_values_at_one_place_are_told_whichever_comes_first() {
    let rows = |twins: &str| {
        let row = |row: u32| if row == 10 { twins.to_owned() } else { format!("{},{row}\n", row * 60) };
        format!("t,v\n{}", (0..30).map(row).collect::<String>())
    };
    for twins in
        ["600,1e15\n600.9,100\n", "600,100\n600.9,1e15\n", "600.9,100\n600,1e15\n", "600,\n600.5,1\n"]
    {
        assert_eq!(read(&rows(twins)).err(), Some(TraceError::Twice { line: 13 }), "{twins}");
    }
    let same = read(&rows("600,10\n600.9,10\n600,10\n")).unwrap();
    assert_eq!(same.repairs, vec![Repair::Sorted, Repair::Repeated { rows: 2 }]);
    assert_eq!(same.values, (0..30).map(f64::from).collect::<Vec<_>>());
    // One that is there twice makes up for none that is missing.
    let gap = read(&rows("600,10\n600.9,10\n").replace("\n1200,20\n", "\n")).unwrap();
    let filled = Repair::Filled { rows: 1, line: 23 };
    assert_eq!(gap.repairs, vec![Repair::Repeated { rows: 1 }, filled]);
}

#[test]
fn a_clock_that_goes_wrong_by_and_by_is_told_as_that() {
    let error = read(&with_distances([vec![60.4; 300], vec![59.6; 300]].concat())).err().unwrap().to_string();
    assert!(error.contains("adds up") && !error.contains("keep it"), "{error}");
}

#[test]
fn more_than_ten_years_are_refused_before_they_are_spread_out() {
    let rows = |days: u32| {
        (0..=days * 2).map(|half| format!("{},1\n", u64::from(half) * 43_200)).collect::<Vec<_>>().concat()
    };
    let read = |days: u32| read(&format!("t,v\n{}", rows(days))).map(|read| read.values.len());
    assert_eq!(read(3_652), Ok(7_305));
    assert_eq!(read(83_900), Err(TraceError::TooWide { days: 83_900 }));
}

#[test]
fn a_grid_that_few_rows_keep_is_not_said_to_be_that_of_most() {
    let error = read("t,v\n0,1\n60,1\n120,1\n130,1\n155,1\n195,1\n").err().unwrap();
    assert_eq!(error, TraceError::Grid { line: 3, step: 40, keep: 1, distances: 5 });
    assert!(error.to_string().contains("(1 of 5 distances keep it)"), "{error}");
}

#[test]
fn times_in_another_unit_than_seconds_are_refused_with_a_question_for_the_unit() {
    for (first, second) in [
        ("1767571200000", "1767571260000"),             // milliseconds
        ("1767571200000000", "1767571260000000"),       // microseconds
        ("1767571200000000000", "1767571260000000000"), // nanoseconds
        ("253402207100", "253402207160"),               // the last days of 9999
        ("-400000000000", "-399999999940"),
        ("0", "9e17"),
        ("0", "60000"), // a minute in milliseconds since the start
    ] {
        let error = read(&format!("t,v\n{first},1\n{second},1\n")).err().unwrap();
        assert!(
            matches!(error, TraceError::Row(RowError::Era { .. }) | TraceError::Step { .. }),
            "{first}: {error}"
        );
        assert!(error.to_string().contains("are these milliseconds?"), "{error}");
    }
}

#[test]
fn the_years_from_1970_to_2200_and_rows_up_to_twelve_hours_apart_are_read() {
    for text in [
        "t,v\n1970-01-01T00:00:00Z,1\n1970-01-01T12:00:00Z,1\n",
        "t,v\n2199-12-31T23:58:00Z,1\n2199-12-31T23:59:00Z,1\n",
    ] {
        assert_eq!(values(text), vec![1.0, 1.0]);
    }
}

#[test]
fn less_than_a_minute_is_too_brief_and_a_minute_is_not() {
    assert_eq!(read("t,v\n0,1\n0.5,2\n1,3\n").err(), Some(TraceError::TooBrief { seconds: 2 }));
    assert_eq!(read("t,v\n0,1\n14,2\n28,3\n42,4\n").err(), Some(TraceError::TooBrief { seconds: 56 }));
    assert_eq!(values("t,v\n0,1\n15,2\n30,3\n45,4\n").len(), 4);
}

#[test]
fn more_rows_than_can_be_simulated_are_refused() {
    let text = "t,v\n0,1\n60,1\n120,1\n";
    assert!(rows(text, 3).is_ok());
    assert_eq!(rows(text, 2).err(), Some(TraceError::TooLong));
    assert!(TraceError::TooLong.to_string().contains("320000000"));
}
