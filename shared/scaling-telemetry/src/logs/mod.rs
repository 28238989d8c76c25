//! Log output: JSON lines for a Lambda function, a readable terminal and three files for a process of its own.
//!
//! How much is logged is one setting for all outputs: directives such as `info` or `info,scaling::integration=debug`
//! ([`directives`] takes them from the environment).

#[cfg(feature = "otlp")]
mod otlp;
mod rotating;
mod terminal;

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

pub use rotating::{KEPT_FILES, LARGEST_FILE, RotatingFile};

use crate::targets;

/// The environment variable that names an OpenTelemetry collector, as OpenTelemetry has it.
pub const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What is logged where nothing is said.
pub const DEFAULT_DIRECTIVES: &str = "info";

/// Environment variables with directives, the strongest first. The last is what Lambda's own log settings set.
pub const VARIABLES: [&str; 3] = ["SCALING_LOG", "RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"];

/// Why logging could not start.
#[derive(Debug, Error)]
pub enum LogError {
    /// The directives make no sense.
    #[error(
        "cannot read the log directives {directives:?}: {source}; write one such as info,scaling::monitor=debug"
    )]
    Directives {
        /// As given.
        directives: String,
        /// What is wrong with them.
        #[source]
        source: ParseError,
    },
    /// A log file cannot be written.
    #[error("cannot write the log file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Spans cannot be exported.
    #[error("spans cannot be exported to {endpoint}: {message}")]
    Collector {
        /// The collector's address.
        endpoint: String,
        /// Why.
        message: String,
    },
    /// Somebody else has set the process's subscriber.
    #[error("logging has been started already")]
    AlreadyStarted,
}

/// How a process of its own logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandaloneLogs {
    /// How much, see the module.
    pub directives: String,
    /// Folder of the three files, made when it is missing; `None` writes none.
    pub folder: Option<PathBuf>,
    /// Whether lines go to standard error as well. A live view owns the terminal and says no.
    pub terminal: bool,
    /// Whether those lines are coloured: ask whether standard error is a terminal.
    pub colour: bool,
    /// Address of an OpenTelemetry collector, such as `http://127.0.0.1:4318`, that spans are exported to. Has no effect
    /// in a build without the feature `otlp`, which warns of it.
    pub collector: Option<String>,
}

/// Keeps the files' writers alive. What is still buffered is written when it is dropped: hold it to the end of `main`.
#[derive(Debug, Default)]
#[must_use = "dropping the guard ends the log files"]
pub struct LogGuard {
    writers: Vec<WorkerGuard>,
    #[cfg(feature = "otlp")]
    exporting: Option<otlp::Exporting>,
}

/// The directives that hold, given how to look up an environment variable.
pub fn directives(variable: impl Fn(&str) -> Option<String>) -> String {
    directives_or(DEFAULT_DIRECTIVES, variable)
}

/// The same with other ones where nothing is said.
pub fn directives_or(default: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    VARIABLES
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(|| default.to_owned())
}

/// Starts logging for a Lambda function: one JSON object a line on standard output.
///
/// # Errors
/// Directives that cannot be read, or a second start.
pub fn init_lambda(directives: &str) -> Result<(), LogError> {
    install(lambda(directives, io::stdout)?)
}

/// Starts logging for a process of its own.
///
/// # Errors
/// Directives that cannot be read, files that cannot be written, or a second start.
pub fn init_standalone(settings: &StandaloneLogs) -> Result<LogGuard, LogError> {
    let (subscriber, guard) = standalone(settings, io::stderr)?;
    install(subscriber)?;
    #[cfg(not(feature = "otlp"))]
    if let Some(collector) = &settings.collector {
        tracing::warn!(collector, "no spans are exported: this program was built without the feature `otlp`");
    }
    Ok(guard)
}

/// The subscriber of [`init_lambda`], writing to any writer.
///
/// # Errors
/// Directives that cannot be read.
pub fn lambda<W>(directives: &str, writer: W) -> Result<impl Subscriber + Send + Sync + use<W>, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let json = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer);
    // Levels by target are all that a function needs; filters over the fields of spans would bring regular expressions
    // into its package.
    let levels: Targets = directives
        .parse()
        .map_err(|source| LogError::Directives { directives: directives.to_owned(), source })?;
    Ok(Registry::default().with(json.with_filter(levels)))
}

/// The subscriber of [`init_standalone`], with any writer in the place of the terminal.
///
/// # Errors
/// Directives that cannot be read, and files that cannot be written.
pub fn standalone<W>(
    settings: &StandaloneLogs,
    terminal: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, LogGuard), LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter(&settings.directives)?;
    let mut guard = LogGuard::default();
    let mut files = Vec::new();
    for (name, prefixes) in targets::FILES {
        let Some(folder) = &settings.folder else { continue };
        let path = folder.join(name);
        let file = RotatingFile::open(&path, LARGEST_FILE, KEPT_FILES)
            .map_err(|source| LogError::File { path, source })?;
        let (writer, worker) = tracing_appender::non_blocking(file);
        guard.writers.push(worker);
        files.push(file_layer(writer, prefixes));
    }
    #[cfg(feature = "otlp")]
    let spans = {
        let exported = settings.collector.as_deref().map(otlp::layer).transpose()?;
        let (layer, exporting) = exported.unzip();
        guard.exporting = exporting;
        layer
    };
    #[cfg(not(feature = "otlp"))]
    let spans: Option<tracing_subscriber::layer::Identity> = None;
    let terminal = settings.terminal.then(|| {
        let lines = fmt::layer().compact().with_ansi(settings.colour);
        lines.fmt_fields(terminal::Fields::default()).with_writer(terminal)
    });
    // No files as a list of none would let nothing through to the terminal either.
    let files = (!files.is_empty()).then_some(files);
    Ok((Registry::default().with(files).with(terminal).with(spans).with(filter), guard))
}

fn filter(directives: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|source| LogError::Directives { directives: directives.to_owned(), source })
}

fn file_layer<S>(writer: NonBlocking, prefixes: &[&str]) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let of_file: Targets =
        prefixes.iter().map(|prefix| (*prefix, tracing::level_filters::LevelFilter::TRACE)).collect();
    fmt::layer().with_ansi(false).with_writer(writer).with_filter(of_file).boxed()
}

fn install(subscriber: impl Subscriber + Send + Sync) -> Result<(), LogError> {
    tracing::subscriber::set_global_default(subscriber).map_err(|_already| LogError::AlreadyStarted)
}

#[cfg(test)]
mod tests;
