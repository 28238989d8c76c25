//! Links the small functions without the tables for unwinding.
//!
//! Nothing unwinds where a panic aborts. `force-unwind-tables=no` alone keeps the tables out of code that is compiled
//! module by module, but link-time optimisation puts it together with the standard library, whose debug information makes
//! LLVM describe the frames of every function again: a seventh of the package. So the linker throws them away.

use std::env;

/// The level that only the functions' own profile has, in which a panic aborts: see `functions/.cargo/config.toml`. What a
/// profile says of panics, a build script is not told. All other profiles may unwind.
const SMALL: &str = "z";

fn main() {
    println!("cargo::rerun-if-changed=../unwinding.ld");
    let of = |name: &str| env::var(name).unwrap_or_default();
    if of("OPT_LEVEL") == SMALL && of("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}/../unwinding.ld", of("CARGO_MANIFEST_DIR"));
    }
}
