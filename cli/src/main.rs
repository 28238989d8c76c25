//! The program `scaling`: a thin command line over the library.
//!
//! # Layout
//! - [`arguments`]: the command line; [`commands`]: one file a command; [`demo`]: the largest of them
//! - [`output`], [`failure`], [`interrupt`]: what is printed, how it ends, what ends it
//! - [`embedded`]: the demo's group on an emulator whose time passes by itself

mod arguments;
mod commands;
mod demo;
mod embedded;
mod failure;
mod interrupt;
mod output;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => demo::run(&arguments).await,
            Command::Simulate(arguments) => commands::simulate::simulate(&arguments),
            Command::Run(arguments) => commands::run::run(&arguments).await,
            Command::Emulate(arguments) => commands::emulate::emulate(&arguments).await,
            Command::Init(arguments) => commands::init::init(&arguments).await,
            Command::Validate(arguments) => commands::validate::validate(&arguments),
            Command::Plan(arguments) => commands::plan::plan(&arguments).await,
            Command::Scale(arguments) => commands::scale::scale(&arguments).await,
            Command::Status(arguments) => commands::status::status(&arguments).await,
            Command::Pause(arguments) => commands::control::pause(&arguments).await,
            Command::Resume(arguments) => commands::control::resume(&arguments).await,
            Command::Override(arguments) => commands::control::set_override(&arguments).await,
            Command::Hold(arguments) => commands::control::hold(&arguments).await,
            Command::KillSwitch(arguments) => commands::control::kill_switch(&arguments).await,
            Command::Explain(arguments) => commands::explain::explain(&arguments).await,
            Command::Report(arguments) => commands::report::report(&arguments).await,
            Command::Config(arguments) => commands::config::config(&arguments).await,
            Command::Alarms(arguments) => commands::alarms::alarms(&arguments).await,
            Command::Doctor(arguments) => commands::doctor::doctor(&arguments).await,
            Command::Completions(arguments) => {
                let mut script = Vec::new();
                clap_complete::generate(arguments.shell, &mut Arguments::command(), "scaling", &mut script);
                output::line(String::from_utf8(script)?.trim_end())
            }
        }
    })
}
