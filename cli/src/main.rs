//! The program `scaling`: a thin command line over the library.

mod arguments;
mod demo;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};

/// Ended by Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is where a command line program reports an error")]
            if !error.is::<Interrupted>() {
                eprintln!("scaling: {error:#}");
            }
            exit_code(&error)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => demo::run(&arguments).await,
            Command::Completions { shell } => {
                clap_complete::generate(shell, &mut Arguments::command(), "scaling", &mut std::io::stdout());
                Ok(())
            }
            _ => anyhow::bail!("not yet"),
        }
    })
}

/// The documented exit codes.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Interrupted>() {
        return ExitCode::from(130);
    }
    let faults = error.chain().any(|cause| cause.is::<scaling_policy::config::ConfigError>());
    ExitCode::from(if faults { 3 } else { 1 })
}
