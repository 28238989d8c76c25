//! The program `scaling`: a thin command line over the library.

mod arguments;
mod commands;
mod demo;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};

/// Ended by Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// The controller refused a request, and said why.
#[derive(Debug, thiserror::Error)]
#[error("refused: {0}")]
pub(crate) struct Refused(pub(crate) String);

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
            Command::Run(arguments) => commands::run::run(&arguments).await,
            Command::Emulate(arguments) => commands::emulate::emulate(&arguments).await,
            Command::Init(arguments) => commands::init::init(&arguments).await,
            Command::Validate(arguments) => commands::validate::validate(&arguments),
            Command::Plan(arguments) => commands::plan::plan(&arguments).await,
            Command::Scale(arguments) => commands::remote::scale(&arguments).await,
            Command::Status(arguments) => commands::remote::status(&arguments).await,
            Command::Completions { shell } => {
                clap_complete::generate(shell, &mut Arguments::command(), "scaling", &mut std::io::stdout());
                Ok(())
            }
        }
    })
}

/// The documented exit codes.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Interrupted>() {
        return ExitCode::from(130);
    }
    if error.is::<Refused>() {
        return ExitCode::from(4);
    }
    let faults =
        error.chain().any(|cause| cause.downcast_ref::<scaling_policy::config::ConfigError>().is_some());
    ExitCode::from(if faults { 3 } else { 1 })
}
