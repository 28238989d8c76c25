use axum::body::Body;
use http::Request;
use scaling_api::access::{ENDPOINTS, Endpoint};
use scaling_api::{Grant, Role};

use crate::stage::{Reply, Stage};

/// Who may call what, cell by cell: no grant, read, operate, admin. `+` is answered by the endpoint itself.
const TABLE: &str = "
GET  /health                    + + + +
GET  /openapi.json              - + + +
GET  /metrics                   - + + +
GET  /config                    - + + +
POST /config                    - - - +
GET  /config/schema             - + + +
GET  /validation                - + + +
GET  /groups                    - + + +
GET  /groups/{name}/decisions   - + + +
POST /groups/{name}/pause       - - + +
POST /groups/{name}/resume      - - + +
PUT  /groups/{name}/override    - - + +
DELETE /groups/{name}/override    - - + +
POST /groups/{name}/hold        - - + +
GET  /kill-switch               - + + +
PUT  /kill-switch               - - + +
DELETE /kill-switch               - - + +
POST /scale                     - - + +
GET  /operations                - + + +
GET  /operations/{id}           - + + +
GET  /events                    - + + +
GET  /audit                     - - - +
";

const GRANTS: [Option<Role>; 4] = [None, Some(Role::Read), Some(Role::Operate), Some(Role::Admin)];

async fn ask(stage: &Stage, method: &str, path: &str, grant: Option<Role>) -> Reply {
    let path = path.replace("{name}", "web").replace("{id}", "none");
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    if let Some(role) = grant {
        request.extensions_mut().insert(Grant(role));
    }
    stage.send(request).await
}

#[tokio::test]
async fn every_endpoint_is_open_to_the_roles_of_the_table_and_to_no_other() {
    let stage = Stage::guarded();
    let lines: Vec<Vec<&str>> = TABLE.trim().lines().map(|line| line.split_whitespace().collect()).collect();
    for line in &lines {
        let (method, path) = (line[0], line[1]);
        for (grant, cell) in GRANTS.into_iter().zip(&line[2..]) {
            let reply = ask(&stage, method, path, grant).await;
            let cell_of = format!("{method} {path} as {grant:?}: {reply:?}");
            match (*cell, grant) {
                ("+", _) => assert!(!matches!(reply.status.as_u16(), 401 | 403), "{cell_of}"),
                ("-", None) => {
                    reply.problem(401, "unauthorized");
                    assert_eq!(reply.header("www-authenticate"), "Bearer", "{cell_of}");
                }
                ("-", Some(role)) => assert_eq!(reply.problem(403, "forbidden")["role"], role.name()),
                other => panic!("{other:?}"),
            }
        }
    }
    let listed: Vec<[&str; 2]> = lines.iter().map(|line| [line[0], line[1]]).collect();
    let known: Vec<[&str; 2]> = ENDPOINTS.iter().map(|one| [one.method, one.path]).collect();
    assert_eq!(listed, known, "every endpoint is in the table");
}

#[tokio::test]
async fn head_needs_what_get_needs_and_other_methods_are_not_told_to_strangers() {
    let stage = Stage::guarded();
    assert_eq!(ask(&stage, "HEAD", "/groups", None).await.status.as_u16(), 401);
    assert_eq!(ask(&stage, "HEAD", "/groups", Some(Role::Read)).await.status.as_u16(), 200);
    assert_eq!(ask(&stage, "HEAD", "/audit", Some(Role::Read)).await.status.as_u16(), 403);
    ask(&stage, "DELETE", "/config", None).await.problem(401, "unauthorized");
    ask(&stage, "DELETE", "/config", Some(Role::Read)).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn where_a_layer_in_front_decides_no_grant_is_needed() {
    let stage = Stage::new();
    assert_eq!(ask(&stage, "POST", "/groups/web/pause", None).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    let stage = Stage::guarded();
    let before = stage.store.snapshot();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.is_write()) {
        let Endpoint { method, path, .. } = endpoint;
        ask(&stage, method, path, Some(Role::Read)).await.problem(403, "forbidden");
    }
    assert_eq!(stage.store.snapshot(), before);
}
