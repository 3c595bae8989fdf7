//! Tracing, configuration and the frame of a Lambda function, shared by the programs.

pub mod environment;
#[cfg(feature = "lambda")]
pub mod lambda;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For a person at a terminal.
    Plain,
    /// One JSON object a line, for a log store.
    Json,
}

/// Starts logging to standard error: what `DROPSCOPE_LOG` asks for (`info`, `debug`, `dropscope_launch=debug` …), else
/// warnings for a person, and what happened for a log store; never those of `s3s`, which takes every refused request
/// for an error of its own. A second call changes nothing.
pub fn start_logging(style: Style) {
    let usual = match style {
        Style::Plain => "warn,s3s=off",
        Style::Json => "info,s3s=off,aws_config=warn,lambda_runtime=warn,lambda_runtime::layers::panic=off",
    };
    let filter = EnvFilter::try_from_env("DROPSCOPE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error says that logging runs already.
    let _ = match style {
        Style::Plain => builder.without_time().with_target(false).try_init(),
        Style::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// An error with everything that led to it, each once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
