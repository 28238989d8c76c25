use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::*;

/// Collects what is written.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn settings(folder: &Path, directives: &str) -> StandaloneLogs {
    StandaloneLogs {
        directives: directives.to_owned(),
        folder: Some(folder.to_owned()),
        terminal: true,
        colour: false,
        collector: None,
    }
}

/// Logs into this subscriber, one test at a time: `tracing` settles once for all threads who is interested in a line, and
/// forgets a subscriber that comes while another thread reaches that line for the first time.
fn log_into(subscriber: impl Subscriber + Send + Sync + 'static, lines: impl FnOnce()) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    tracing::subscriber::with_default(subscriber, lines);
}

/// One line for each target and one from nowhere in particular.
fn log_a_line_each() {
    tracing::info!(target: targets::INTEGRATION, "called");
    tracing::info!(target: targets::MONITOR, "decided");
    tracing::info!(target: targets::VALIDATOR, "checked");
    tracing::warn!(target: "scaling_control::pass", "from a module of the loop");
    tracing::info!(target: "elsewhere", "started");
    tracing::debug!(target: targets::MONITOR, "a detail");
}

#[test]
fn lambda_writes_one_json_object_a_line_with_its_span() {
    let sink = Sink::default();
    log_into(lambda("info", sink.clone()).unwrap(), || {
        let _span = tracing::info_span!("request", id = "r-1").entered();
        tracing::info!(target: targets::MONITOR, group = "web", replicas = 3, "scaled");
    });
    let line: Value = serde_json::from_str(sink.text().trim_end()).unwrap();
    assert_eq!(line["target"], "scaling::monitor");
    assert_eq!(
        (&line["message"], &line["group"], &line["replicas"]),
        (&"scaled".into(), &"web".into(), &3.into())
    );
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["span"]["id"], "r-1");
    assert!(line["timestamp"].is_string());
}

#[test]
fn standalone_sorts_lines_into_three_files_and_shows_all_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::default();
    let (subscriber, guard) = standalone(&settings(folder.path(), "info"), sink.clone()).unwrap();
    log_into(subscriber, log_a_line_each);
    drop(guard);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for (name, words) in [
        ("scaling_integration.log", &["called"][..]),
        ("scaling_monitor.log", &["decided", "from a module of the loop"]),
        ("scaling_validator.log", &["checked"]),
    ] {
        let text = read(name);
        assert_eq!(text.lines().count(), words.len(), "{name}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{name}: {text}");
        assert!(!text.contains('\u{1b}'), "{name} has colours in it");
    }
    assert_eq!(sink.text().lines().count(), 5, "{}", sink.text());
}

#[test]
fn a_field_that_is_known_later_stands_once_in_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::default();
    let settings = StandaloneLogs { colour: true, ..settings(folder.path(), "info") };
    let (subscriber, guard) = standalone(&settings, sink.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let later = tracing::field::Empty;
        let span = tracing::info_span!(target: targets::MONITOR, "group", action = later);
        span.record("action", "up");
        span.in_scope(|| tracing::info!(target: targets::MONITOR, "accepted"));
    });
    drop(guard);
    let file = std::fs::read_to_string(folder.path().join("scaling_monitor.log")).unwrap();
    for text in [sink.text(), file.clone()] {
        assert_eq!(text.matches("action").count(), 1, "{text}");
    }
    assert!(!file.contains('\u{1b}'), "the file has the terminal's colours: {file}");
}

#[test]
fn directives_hold_for_the_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let directives = "warn,scaling::monitor=debug";
    let (subscriber, guard) = standalone(&settings(folder.path(), directives), Sink::default()).unwrap();
    log_into(subscriber, log_a_line_each);
    drop(guard);
    let monitor = std::fs::read_to_string(folder.path().join("scaling_monitor.log")).unwrap();
    assert!(monitor.contains("a detail"), "{monitor}");
    assert_eq!(std::fs::read_to_string(folder.path().join("scaling_integration.log")).unwrap(), "");
}

#[test]
fn a_live_view_keeps_the_terminal_to_itself() {
    let sink = Sink::default();
    let quiet = StandaloneLogs {
        directives: "info".to_owned(),
        folder: None,
        terminal: false,
        colour: false,
        collector: None,
    };
    let (subscriber, _guard) = standalone(&quiet, sink.clone()).unwrap();
    log_into(subscriber, log_a_line_each);
    assert_eq!(sink.text(), "");
}

#[test]
fn bad_directives_and_folders_are_named() {
    let error = lambda("scaling=loud", Sink::default()).err().unwrap();
    assert!(error.to_string().contains("scaling=loud"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("logs");
    std::fs::write(&in_the_way, "a file").unwrap();
    let error = standalone(&settings(&in_the_way, "info"), Sink::default()).err().unwrap();
    assert!(error.to_string().contains("scaling_integration.log"), "{error}");
}

#[test]
fn the_strongest_variable_that_says_something_wins() {
    let of = |pairs: &'static [(&str, &str)]| {
        directives(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    };
    assert_eq!(of(&[]), "info");
    assert_eq!(of(&[("AWS_LAMBDA_LOG_LEVEL", "WARN")]), "WARN");
    assert_eq!(of(&[("RUST_LOG", "debug"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")]), "debug");
    assert_eq!(of(&[("SCALING_LOG", " "), ("RUST_LOG", "debug")]), "debug");
}

/// A collector that takes one request and hands out its first line and its body.
#[cfg(feature = "otlp")]
fn collector() -> (String, std::sync::mpsc::Receiver<(String, Vec<u8>)>) {
    use std::io::{BufRead, BufReader, Read};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(socket);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        sender.send((first, body)).unwrap();
    });
    (address, receiver)
}

#[cfg(feature = "otlp")]
#[test]
fn spans_reach_a_collector_with_their_names_and_fields() {
    let folder = tempfile::tempdir().unwrap();
    let (address, received) = collector();
    let settings = StandaloneLogs { collector: Some(address), ..settings(folder.path(), "info") };
    let (subscriber, guard) = standalone(&settings, Sink::default()).unwrap();
    log_into(subscriber, || {
        let _tick = tracing::info_span!("tick").entered();
        let _call = tracing::info_span!("call", port = "groups", operation = "describe").entered();
        tracing::info!(target: targets::INTEGRATION, "called");
    });
    drop(guard);
    let (first, body) = received.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!(first.trim(), "POST /v1/traces HTTP/1.1");
    let text = String::from_utf8_lossy(&body);
    for part in ["scaling", "tick", "call", "describe"] {
        assert!(text.contains(part), "{part} is not among the spans");
    }
}
