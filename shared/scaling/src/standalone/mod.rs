//! The platform `standalone`: groups driven by programs that the configuration names.
//!
//! Three programs a group, each started without a shell, JSON on standard input and output, ended after the group's
//! time-out:
//!
//! | program | standard input | standard output |
//! |---|---|---|
//! | `describe` | `{"group": NAME}` | the group's state, see [`platform::Description`] |
//! | `apply` | `{"group": NAME, "step": STEP}` with a [`Step`](scaling_policy::operation::Step) | nothing, or `{"id": TEXT}` |
//! | `metrics` | `{"group": NAME, "from": TIME, "to": TIME, "period": SECONDS}` | `{"cpu_usage": [[TIME, VALUE], ...], ...}` |
//!
//! Only programs of the configuration that the process was started with are run ([`AllowedPrograms`]).
//!
//! A step states wanted values, so a program that is called twice does nothing the second time. Exit code 75
//! (`EX_TEMPFAIL`) says that another change is running; any other non-zero code is a failure, and what the program
//! wrote to standard error is its explanation.
//!
//! A program that is still running at its time-out is ended with all that it has started (its process group). One that ends by
//! itself may leave replicas running, `./worker & echo '{}'`: they stay. Such a replica should not write to the program's
//! own standard output or error (`./worker > worker.log 2>&1 &`). While it holds on to them, the call takes a second longer,
//! because more of the answer might come; after that nobody reads, and who still writes is ended by the system.

mod allowed;
pub mod platform;
pub mod program;

pub use allowed::AllowedPrograms;
pub use platform::StandalonePlatform;
