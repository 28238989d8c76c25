//! The guide's chapter on problems: every type of the code, when it comes, and what to do about it.

use std::path::{Path, PathBuf};

use scaling_api::problem::{Kind, MEDIA_TYPE, TYPE_PREFIX};

const HEAD: &str = "\
# Problems of the REST interface

Every refusal and failure is a problem detail (RFC 9457, MEDIA_TYPE): `type`, `title`, `status`, `detail` with a sentence
about this very case, and `instance` with the request's id, by which the logs find it. `type` is `TYPE_PREFIX` and the name
in the table; a name never changes. Where `Retry-After` is set, the same request may succeed after so many seconds.
`GET /openapi.json` says which endpoint answers with which.

On AWS the gateway refuses before the functions are asked: without a signature, a policy or an API key with 403, and beyond
the usage plan with 429, both with its own `{\"message\": ...}`.

This chapter is generated from the code.

| Name | Status | When | What to do |
|---|---|---|---|
";

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/src/problems.md")
}

/// (When it comes, what to do about it).
#[expect(clippy::too_many_lines, reason = "an arm for each kind, so that the compiler tells of a new one")]
const fn told(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::MalformedBody => (
            "The body is no JSON, ends early, does not arrive within 30 seconds, or is not UTF-8; of `POST /config` that is \
             `invalid-configuration`",
            "Send JSON; `detail` says where it breaks off",
        ),
        Kind::BadParameter => (
            "A query parameter, a header or a name in the path cannot be",
            "Correct what `detail` names; take a page's cursor from the page before",
        ),
        Kind::Unauthorized => (
            "No token, or one that is not known (any more)",
            "Send `Authorization: Bearer TOKEN` with a token of the token file",
        ),
        Kind::Forbidden => {
            ("The token's role does not cover the request", "Use a token of the role that `needed` names")
        }
        Kind::CrossOrigin => (
            "A page of another origin wants to write",
            "Write from the console, or without an `Origin` header",
        ),
        Kind::NotFound => (
            "No such path, group or operation",
            "`GET /groups` and `GET /operations` list what there is; operations are kept for 90 days",
        ),
        Kind::MethodNotAllowed => (
            "The path is there and does not take this method",
            "Use one of those that the header `Allow` lists",
        ),
        Kind::NotAcceptable => (
            "`Accept` asks for a format that is not written here",
            "Ask for `application/json`, or for the text formats of `/metrics` and the stream of `/events`",
        ),
        Kind::Paused => (
            "A person has paused the group",
            "`POST /groups/NAME/resume`, once the reason is gone; `GET /groups/NAME/decisions` and the audit say who",
        ),
        Kind::KillSwitch => (
            "The kill switch is on: no change is asked for, and what the platform has begun goes on",
            "`DELETE /kill-switch`, once the reason is gone",
        ),
        Kind::OperationRunning => (
            "A type change of the group is under way, and fewer replicas or another type are asked for",
            "Follow it with `GET /operations/ID`, and ask again when it has ended; more replicas may be asked for now",
        ),
        Kind::CountOnly => (
            "The platform cannot change this group's type; `detail` says why",
            "Ask for a count, or mend the group as `detail` says",
        ),
        Kind::Conflict => (
            "Another writer was quicker, the group is being changed at this moment, or an override would be ended by the \
             way",
            "Look at what is there now, and ask again; after `Retry-After`, where it is set, or as `detail` says",
        ),
        Kind::InProgress => (
            "The first request with this `Idempotency-Key` is not answered yet",
            "Ask again with the same key after `Retry-After`; its answer comes then",
        ),
        Kind::VersionMismatch => (
            "`If-Match` names another version than the active one",
            "`GET /config`, put your change into what it shows, and send its `ETag`",
        ),
        Kind::BodyTooLarge => {
            ("The body is larger than any request needs", "Send less; `detail` says how much")
        }
        Kind::WrongHost => (
            "`Host` names no loopback address although the server listens on one",
            "Call 127.0.0.1 or localhost; for other names give `scaling run` a certificate and tokens",
        ),
        Kind::UnsupportedMediaType => (
            "The body's type is not JSON, its encoding not UTF-8, or it is compressed",
            "Send `Content-Type: application/json`, and UTF-8 as it is, without `Content-Encoding`",
        ),
        Kind::InvalidRequest => (
            "The body is JSON of the wrong form",
            "Correct the member that `pointer` points at, as `detail` says",
        ),
        Kind::GroupRequired => ("There is more than one group, and none is named", "Name one of `groups`"),
        Kind::OutOfBounds => (
            "More or less than configuration, calendar, override and the group itself allow",
            "Stay within `bounds`, or change them: configuration, override, or the group's own minimum and maximum",
        ),
        Kind::InvalidConfiguration => (
            "The configuration has faults; the one in force stays",
            "Mend all that `faults` lists; each has its place and a fix",
        ),
        Kind::KeyReused => (
            "The `Idempotency-Key` was used for another request within a day",
            "Make a new key for each new request",
        ),
        Kind::IfMatchRequired => (
            "The configuration demands `If-Match` with every change of it",
            "`GET /config` and send its `ETag` as `If-Match`",
        ),
        Kind::TooManyRequests => {
            ("The client has used up its share", "Go on after `Retry-After`; `--rate-limit` sets the share")
        }
        Kind::Internal => {
            ("A fault of this program", "Look for the request's id in the logs, and report what stands there")
        }
        Kind::PlatformRefused => (
            "Platform or store refused a call",
            "`detail` has its words: a permission, a name or a limit; `scaling doctor` looks at all of them",
        ),
        Kind::PlatformUnavailable => (
            "Platform or store did not answer in time, or wants fewer calls",
            "Ask again after `Retry-After`",
        ),
        Kind::NotTicking => (
            "The control loop has not run for longer than it should",
            "Look at the log of `scaling run` and at `platform_error` of `GET /validation`: mostly the platform refuses. A \
             loop that hangs has to be started anew",
        ),
    }
}

fn chapter() -> String {
    let rows = Kind::ALL.iter().map(|kind| {
        let (when, what_to_do) = told(*kind);
        format!("| `{}` | {} | {when} | {what_to_do} |\n", kind.name(), kind.status().as_u16())
    });
    HEAD.replace("MEDIA_TYPE", MEDIA_TYPE).replace("TYPE_PREFIX", TYPE_PREFIX) + &rows.collect::<String>()
}

/// `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_guide_tells_every_problem_of_the_code() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(place(), chapter()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(place()).unwrap(), chapter());
}
