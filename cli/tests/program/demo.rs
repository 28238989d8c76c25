use std::process::Stdio;

use crate::process::{ended, program};

/// Runs a program on a terminal of its own, presses Ctrl-C as soon as the whole view was drawn, and says how it ended.
const ON_A_TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
seen, pressed = b"", False
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if not pressed and b"decisions" in seen:
        pressed = True
        os.write(terminal, b"\x03")
_, status = os.waitpid(child, 0)
print(pressed, os.waitstatus_to_exitcode(status), b"\x1b[?1049l" in seen)
"#;

/// A day of it, because the week is for a release build.
#[tokio::test]
async fn a_day_of_the_demo_holds_the_target_for_less_and_counts_every_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), None);
    command.args(["demo", "--json", "--days", "1", "--seed", "2"]);
    let ended = ended(command).await;
    // It ends with an error where its SDK's calls are not those of the emulator's request log.
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let answer = ended.json();
    let number = |pointer: &str| answer.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
    assert!(number("/requests") > 1_000_000.0, "{answer}");
    assert!(number("/requests_over_share") <= 0.005, "{answer}");
    assert_eq!(
        number("/requests"),
        number("/target_tracking/requests"),
        "both face the same arrivals: {answer}"
    );
    assert!(number("/cost_usd") < number("/target_tracking/cost_usd"), "{answer}");
    assert!(answer["not_verified"] == 0 && number("/operations") >= 1.0, "{answer}");
    // One description and one metric call a minute at the least.
    for call in ["DescribeAutoScalingGroups", "GetMetricData"] {
        assert!(number(&format!("/sdk_calls/{call}")) >= 1440.0, "{call}: {answer}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[tokio::test]
async fn ctrl_c_ends_the_live_view_and_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path(), None);
    let program = program.as_std();
    let mut command = tokio::process::Command::new("python3");
    command.args(["-c", ON_A_TERMINAL]).arg(program.get_program()).args(["demo", "--days", "3"]);
    command.env("TERM", "xterm-256color").current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let ended = ended(command).await;
    assert_eq!(ended.out.trim(), "True 130 True", "{ended:?}");
}

#[tokio::test]
async fn a_reader_of_the_lines_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), None);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.args(["demo", "--plain", "--days", "0.1"]).stdout(writer);
    let status = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().await.unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", String::from_utf8_lossy(&status.stderr));
}
