//! The environment of a client that is to reach an emulator and nothing else.

use std::ffi::OsString;

/// Region of every emulator that tests start.
pub const REGION: &str = "us-east-1";

/// Variables for a client in a process of its own, whose environment is otherwise empty: the endpoint, made-up
/// credentials, and no profile, no instance metadata and no proxy of the machine that the test runs on.
pub fn client(endpoint: &str) -> Vec<(&'static str, OsString)> {
    let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
    vec![
        ("AWS_ENDPOINT_URL", endpoint.into()),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        ("AWS_REGION", REGION.into()),
        ("AWS_DEFAULT_REGION", REGION.into()),
        ("AWS_CONFIG_FILE", nowhere.into()),
        ("AWS_SHARED_CREDENTIALS_FILE", nowhere.into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_PAGER", "".into()),
        ("NO_PROXY", "127.0.0.1".into()),
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
    ]
}
