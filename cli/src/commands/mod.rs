//! One file a command; [`rest`] is what those share that ask a running controller.

pub(crate) mod alarms;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod doctor;
pub(crate) mod emulate;
pub(crate) mod explain;
mod gateway;
mod group_page;
pub(crate) mod init;
mod past;
pub(crate) mod plan;
mod protection;
pub(crate) mod report;
mod rest;
pub(crate) mod run;
pub(crate) mod scale;
pub(crate) mod simulate;
pub(crate) mod status;
mod text_chart;
pub(crate) mod validate;
