//! Running one program: JSON in, JSON out, a time-out, and a decided meaning for every way it can end.

use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use scaling_control::PortError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// The exit code that says "another change is running, ask again" (`EX_TEMPFAIL` of sysexits).
const ANOTHER_CHANGE: i32 = 75;

/// Most that is read of an answer, in bytes.
const MOST_OUTPUT: u64 = 1 << 20;

/// Longest explanation that is taken over from a program.
const LONGEST_MESSAGE: usize = 2000;

/// Runs `arguments` with `input` on its standard input and reads its standard output as JSON. An empty answer reads
/// as `null`. The program is killed, with what it has started in its process group, when `timeout` has passed or the caller
/// gives up.
pub async fn run<Answer: DeserializeOwned>(
    operation: &'static str,
    arguments: &[String],
    input: &impl Serialize,
    timeout: Duration,
) -> Result<Answer, PortError> {
    let input = serde_json::to_vec(input)
        .map_err(|error| unavailable(operation, "its input cannot be written as JSON", error))?;
    let child = start(operation, arguments)?;
    let output = tokio::time::timeout(timeout, talk(child, input)).await.map_err(|elapsed| {
        unavailable(operation, &format!("{} did not end within {timeout:?}", shown(arguments)), elapsed)
    })?;
    let output =
        output.map_err(|error| unavailable(operation, &format!("{}: {error}", shown(arguments)), error))?;
    if !output.status.success() {
        return Err(failed(operation, arguments, output.status.code(), &output.stderr));
    }
    let text = if output.stdout.trim_ascii().is_empty() { b"null".as_slice() } else { &output.stdout };
    serde_json::from_slice(text).map_err(|error| {
        unavailable(
            operation,
            &format!("{} did not print the expected JSON: {error}", shown(arguments)),
            error,
        )
    })
}

fn start(operation: &'static str, arguments: &[String]) -> Result<Child, PortError> {
    let Some((program, rest)) = arguments.split_first() else {
        return Err(PortError::Invalid { operation, message: "no program is configured".to_owned() });
    };
    Command::new(program)
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .map_err(|error| unavailable(operation, &format!("{program} could not be started: {error}"), error))
}

async fn talk(mut child: Child, input: Vec<u8>) -> std::io::Result<Output> {
    let mut group = Group::of(&child);
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input may close it; what counts is how it ends.
        let _ = stdin.write_all(&input).await;
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::try_join!(answer(stdout), words(stderr), child.wait())?;
    group.has_ended();
    Ok(Output { status, stdout, stderr })
}

/// All of its answer, up to what no answer needs.
async fn answer(stdout: Option<ChildStdout>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stdout) = stdout {
        stdout.take(MOST_OUTPUT + 1).read_to_end(&mut bytes).await?;
    }
    let is_too_long = u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_OUTPUT);
    if is_too_long { Err(std::io::Error::other("it printed more than 1 MiB")) } else { Ok(bytes) }
}

/// The beginning of its explanation. The rest is read and forgotten: nobody should wait for it to be read.
async fn words(stderr: Option<ChildStderr>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stderr) = stderr {
        (&mut stderr).take(MOST_OUTPUT).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

/// The process group of a program that runs. It is ended with it when the program hangs or nobody waits any more, so that
/// what a shell has started does not stay behind.
struct Group(Option<Pid>);

impl Group {
    /// A program is the leader of its group.
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// The program ended by itself; what it left running was meant to stay.
    fn has_ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Gone already is as good.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }
}

fn failed(operation: &'static str, arguments: &[String], code: Option<i32>, stderr: &[u8]) -> PortError {
    let words: String = String::from_utf8_lossy(stderr).trim().chars().take(LONGEST_MESSAGE).collect();
    if code == Some(ANOTHER_CHANGE) {
        return PortError::Conflict { operation, message: words };
    }
    let ended =
        code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("ended with code {code}"));
    PortError::Unavailable {
        operation,
        message: format!("{} {ended}: {words}", shown(arguments)),
        source: None,
    }
}

fn unavailable(
    operation: &'static str,
    message: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> PortError {
    PortError::Unavailable { operation, message: message.to_owned(), source: Some(Box::new(source)) }
}

fn shown(arguments: &[String]) -> String {
    arguments.first().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn shell(script: &str, timeout: Duration) -> Result<Value, PortError> {
        let arguments = ["sh", "-c", script].map(str::to_owned);
        run("metrics", &arguments, &json!({"group": "web"}), timeout).await
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_goes_in_comes_out() {
        assert_eq!(shell("cat", LONG).await.unwrap(), json!({"group": "web"}));
        assert_eq!(shell("true", LONG).await.unwrap(), Value::Null);
    }

    #[tokio::test]
    async fn a_failure_carries_code_and_words() {
        let error = shell("echo no such pool >&2; exit 3", LONG).await.unwrap_err();
        assert_eq!(error.kind(), "unavailable");
        assert!(error.to_string().contains("code 3: no such pool"), "{error}");
    }

    #[tokio::test]
    async fn code_75_is_another_change() {
        assert_eq!(shell("exit 75", LONG).await.unwrap_err().kind(), "conflict");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended() {
        let error = shell("sleep 3600", Duration::from_millis(50)).await.unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_program_that_hangs_has_started_is_ended_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 3600 & echo $! > {}; wait", file.display());
        shell(&script, Duration::from_millis(300)).await.unwrap_err();
        let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let has_ended = || !stat().contains("(sleep) S");
        for _ in 0..200 {
            if has_ended() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it still runs: {}", stat());
    }

    #[tokio::test]
    async fn an_answer_without_end_is_refused_and_an_explanation_without_end_is_cut() {
        let error = shell("cat /dev/zero", LONG).await.unwrap_err();
        assert!(error.to_string().contains("more than 1 MiB"), "{error}");
        let error = shell("head -c 3000000 /dev/zero >&2; exit 3", LONG).await.unwrap_err();
        assert!(error.to_string().len() < 3 * LONGEST_MESSAGE, "{}", error.to_string().len());
    }

    #[tokio::test]
    async fn nonsense_and_missing_programs_are_named() {
        assert!(shell("echo {", LONG).await.unwrap_err().to_string().contains("expected JSON"));
        let missing = ["no-such-program".to_owned()];
        let error = run::<Value>("apply", &missing, &json!({}), LONG).await.unwrap_err();
        assert!(error.to_string().contains("no-such-program could not be started"), "{error}");
    }
}
