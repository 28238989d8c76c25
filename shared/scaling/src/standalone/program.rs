//! Running one program: JSON in, JSON out, a time-out, and a decided meaning for every way it can end.

use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use scaling_control::PortError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// The exit code that says "another change is running, ask again" (`EX_TEMPFAIL` of sysexits).
const ANOTHER_CHANGE: i32 = 75;

/// Most that is read of an answer, in bytes.
const MOST_OUTPUT: u64 = 1 << 20;

/// Longest explanation that is taken over from a program.
const LONGEST_MESSAGE: usize = 2000;

/// Longest name of a program with its first argument, in characters.
const LONGEST_NAME: usize = 120;

/// How long what is left of a program's words is read once it has ended. What it has written itself is there by then; only
/// what it left running can keep the reader waiting.
const LEFT_TO_READ: Duration = Duration::from_secs(1);

/// Runs `arguments` with `input` on its standard input and reads its standard output as JSON. An empty answer reads
/// as `null`. The program is killed, with what it has started in its process group, when `timeout` has passed or the caller
/// gives up. Once it has ended by itself, what it left running is let be, even where that holds on to the program's standard
/// output; nobody reads there any more a second later.
pub async fn run<Answer: DeserializeOwned>(
    operation: &'static str,
    arguments: &[String],
    input: &impl Serialize,
    timeout: Duration,
) -> Result<Answer, PortError> {
    let input = serde_json::to_vec(input)
        .map_err(|error| unavailable(operation, "its input cannot be written as JSON", error))?;
    let child = start(operation, arguments)?;
    let output = talk(child, &input, timeout)
        .await
        .map_err(|error| unavailable(operation, &format!("{}: {error}", shown(arguments)), error))?;
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

async fn talk(mut child: Child, input: &[u8], timeout: Duration) -> std::io::Result<Output> {
    let mut group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut said, mut explained) = (Vec::new(), Vec::new());
    // At the same time: a program may answer before it has read everything.
    let mut words = Box::pin(async {
        tokio::try_join!(told(stdin, input), answer(stdout, &mut said), explanation(stderr, &mut explained))
    });
    let until_it_ends = async {
        tokio::select! {
            all = &mut words => {
                all?;
                Ok((child.wait().await?, true))
            }
            status = child.wait() => Ok::<_, std::io::Error>((status?, false)),
        }
    };
    let ended = tokio::time::timeout(timeout, until_it_ends).await;
    let (status, all) =
        ended.map_err(|_| std::io::Error::other(format!("it did not end within {timeout:?}")))??;
    group.has_ended();
    if !all && let Ok(all) = tokio::time::timeout(LEFT_TO_READ, &mut words).await {
        all?;
    }
    drop(words);
    Ok(Output { status, stdout: said, stderr: explained })
}

/// Writes its input. A program that does not read it may close it; what counts is how it ends.
async fn told(stdin: Option<ChildStdin>, input: &[u8]) -> std::io::Result<()> {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
    Ok(())
}

/// All of its answer, up to what no answer needs.
async fn answer(stdout: Option<ChildStdout>, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    if let Some(stdout) = stdout {
        stdout.take(MOST_OUTPUT + 1).read_to_end(bytes).await?;
    }
    let is_too_long = u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_OUTPUT);
    if is_too_long { Err(std::io::Error::other("it printed more than 1 MiB")) } else { Ok(()) }
}

/// The beginning of its explanation. The rest is read and forgotten: nobody should wait for it to be read.
async fn explanation(stderr: Option<ChildStderr>, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    if let Some(mut stderr) = stderr {
        (&mut stderr).take(MOST_OUTPUT).read_to_end(bytes).await?;
        tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

/// The process group of a program that runs. It is ended with it when the program hangs or nobody waits any more, so that
/// what a shell has started does not stay behind. What a program that ended by itself has started stays.
struct Group(Option<Pid>);

impl Group {
    /// A program is the leader of its group.
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// The program ended by itself; what it left running was meant to stay: a replica, perhaps.
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

/// The program and its first argument, which is often what tells it from another: `python3 metrics.py`.
fn shown(arguments: &[String]) -> String {
    let words: Vec<&str> = arguments.iter().take(2).map(String::as_str).collect();
    let shown = words.join(" ");
    if shown.chars().count() <= LONGEST_NAME {
        return shown;
    }
    shown.chars().take(LONGEST_NAME).chain(['…']).collect()
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
    async fn a_failure_names_the_program_and_its_script() {
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        for (text, said) in [
            ("exit 3", "ended with code 3"),
            ("echo {", "did not print the expected JSON"),
            ("sleep 3600", "it did not end within"),
        ] {
            let path = script("metrics.sh", text);
            let arguments = ["sh".to_owned(), path.clone(), "web".to_owned()];
            let timeout = if text.starts_with("sleep") { Duration::from_millis(50) } else { LONG };
            let error =
                run::<Value>("metrics", &arguments, &json!({}), timeout).await.unwrap_err().to_string();
            assert!(error.contains(&format!("sh {path}")) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_long_argument_is_cut() {
        let arguments = ["sh".to_owned(), "é".repeat(500), "web".to_owned()];
        assert_eq!(shown(&arguments).chars().count(), LONGEST_NAME + 1);
        assert_eq!(shown(&[]), "");
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
        for _ in 0..12_000 {
            if has_ended() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it still runs: {}", stat());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_program_that_ends_leaves_running_stays_though_it_holds_on_to_the_output() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        for end in ["", "sleep 0.2", "exit 75"] {
            let script = format!("sleep 3600 & echo $! > {}; echo '{{}}'; {end}", file.display());
            // An answer, since a call that waits for what is left running does not end within its time.
            let answer = shell(&script, LONG).await;
            match end {
                "exit 75" => assert_eq!(answer.unwrap_err().kind(), "conflict"),
                _ => assert_eq!(answer.unwrap(), json!({})),
            }
            let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
            // A kill would have been sent before the answer came.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
            assert!(stat.contains("(sleep) S"), "{end:?}: {stat:?}");
        }
    }

    #[tokio::test]
    async fn a_long_answer_comes_before_a_long_input_is_read() {
        let arguments =
            ["sh", "-c", "printf '\"'; head -c 300000 /dev/zero | tr '\\0' x; printf '\"'; cat > /dev/null"];
        let input = json!("y".repeat(300_000));
        let answer: Value = run("metrics", &arguments.map(str::to_owned), &input, LONG).await.unwrap();
        assert_eq!(answer.as_str().unwrap().len(), 300_000);
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
