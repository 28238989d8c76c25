//! One file a command.

pub(crate) mod emulate;
pub(crate) mod init;
pub(crate) mod plan;
pub(crate) mod remote;
pub(crate) mod run;
pub(crate) mod validate;
