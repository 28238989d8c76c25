//! The program as a user meets it: the built binary, its standard output, its exit codes.

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod config;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod described;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod emulate;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod init;
#[cfg(test)]
mod local_process;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod process;
#[cfg(test)]
mod run;
#[cfg(test)]
mod secured;
#[cfg(test)]
mod seeing;
#[cfg(test)]
mod server;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod table;
#[cfg(test)]
mod validate;
