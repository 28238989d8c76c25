use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::request::from_str;
use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
use scaling_control::{ControlLoop, Ports};
use scaling_policy::config::{Config, Layers};
use serde_json::{Value, json};

use super::*;

fn interface() -> Interface {
    interface_behind(Balancer::Authenticated)
}

fn interface_behind(balancer: Balancer) -> Interface {
    let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
    let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
    let ports = Ports {
        groups: Arc::new(platform.clone()),
        writer: Arc::new(platform.clone()),
        metrics: Arc::new(platform),
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock,
    };
    let source = br#"{"mode": "horizontal", "control": "act", "group": "web"}"#;
    let config = Config::parse(source, &Layers::none()).unwrap().config;
    Interface::new(Function::new(Arc::new(ControlLoop::new(ports, config))), balancer)
}

/// The event that API Gateway's REST kind sends, with the path as it is behind the stage.
fn rest(method: &str, path: &str, body: Option<&Value>) -> Value {
    json!({
        "resource": "/{path+}", "path": path, "httpMethod": method,
        "headers": {"Host": "abc.execute-api.us-east-1.amazonaws.com", "Content-Type": "application/json"},
        "multiValueHeaders": {},
        "queryStringParameters": (method == "GET").then(|| json!({"limit": "3"})),
        "requestContext": {
            "stage": "v1", "resourcePath": "/{path+}", "httpMethod": method, "requestId": "1", "accountId": "1",
            "identity": {"userArn": "arn:aws:iam::123456789012:user/ada", "sourceIp": "192.0.2.1"},
        },
        "body": body.map(Value::to_string), "isBase64Encoded": false,
    })
}

/// The event of API Gateway's REST kind behind a domain of one's own: all of the path that was asked for, and what of it the
/// resource matched.
fn behind_a_domain(path: &str, (resource, matched): (&str, Option<&str>)) -> Value {
    let mut event = rest("GET", path, None);
    event["resource"] = resource.into();
    event["pathParameters"] = matched.map_or(Value::Null, |matched| json!({"path": matched}));
    event["requestContext"]["resourcePath"] = resource.into();
    event["requestContext"]["path"] = path.into();
    event
}

/// The event of API Gateway's HTTP kind, whose path holds the stage unless that is `$default`.
fn http(path: &str, stage: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "limit=3",
        "headers": {"host": "abc.execute-api.us-east-1.amazonaws.com"},
        "requestContext": {
            "accountId": "1", "apiId": "abc", "stage": stage, "requestId": "1", "timeEpoch": 0,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"},
        },
        "isBase64Encoded": false,
    })
}

/// The same event from a route of its own, with what of the path a variable for all of it has matched.
fn http_by_route(path: &str, (key, matched): (&str, Option<&str>), stage: &str) -> Value {
    let mut event = http(path, stage);
    event["routeKey"] = key.into();
    event["requestContext"]["routeKey"] = key.into();
    if let Some(matched) = matched {
        event["pathParameters"] = json!({"proxy": matched});
    }
    event
}

/// The event of an Application Load Balancer.
fn balancer(path: &str) -> Value {
    json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/api/1"}},
        "httpMethod": "GET", "path": path, "queryStringParameters": {"limit": "3"},
        "headers": {"host": "api.example"}, "body": "", "isBase64Encoded": false,
    })
}

async fn ask(interface: &Interface, event: &Value) -> (u16, Body) {
    let request = from_str(&event.to_string()).unwrap();
    let response = interface.answer(request).await.unwrap().into_response().await;
    (response.status().as_u16(), response.into_body())
}

fn parsed(body: Body) -> Value {
    let Body::Text(text) = body else { panic!("{body:?} is no text") };
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn all_three_gateways_reach_the_routes() {
    for event in [
        rest("GET", "/operations", None),
        http("/operations", "$default"),
        http("/v1/operations", "v1"),
        balancer("/operations"),
    ] {
        let (status, body) = ask(&interface(), &event).await;
        assert_eq!(status, 200, "{event}: {body:?}");
        assert_eq!(parsed(body)["operations"], json!([]));
    }
}

#[tokio::test]
async fn a_request_has_the_id_under_which_the_gateway_logs_it() {
    for (mut event, id) in [
        (rest("GET", "/operations", None), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
        (http("/operations", "$default"), "JKJaXmPLvHcESHA="),
    ] {
        event["requestContext"]["requestId"] = id.into();
        event["headers"]["x-request-id"] = "of-the-client".into();
        let request = from_str(&event.to_string()).unwrap();
        let response = interface().answer(request).await.unwrap().into_response().await;
        assert_eq!(response.headers()["x-request-id"], id, "{event}");
    }
}

#[tokio::test]
async fn a_path_that_begins_like_the_stage_is_left_alone() {
    let (status, _) = ask(&interface(), &http("/v1extra/health", "v1")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_stage_may_be_called_like_a_route() {
    let interface = interface();
    for (mut event, stage) in [
        (rest("GET", "/groups/web/decisions", None), "groups"),
        (rest("GET", "/operations", None), "operations"),
        (http("/groups/groups/web/decisions", "groups"), "groups"),
        (http("/operations/operations", "operations"), "operations"),
    ] {
        event["requestContext"]["stage"] = stage.into();
        let (status, body) = ask(&interface, &event).await;
        assert_eq!(status, 200, "{event}: {body:?}");
    }
}

#[tokio::test]
async fn behind_a_domain_of_ones_own_what_leads_to_the_stage_is_no_part_of_the_route() {
    let interface = interface();
    for (path, matched, stage) in [
        ("/v1/groups", "groups", "v1"),
        ("/v1/groups/web/decisions", "groups/web/decisions", "v1"),
        ("/v1/groups/w%65b/decisions", "groups/web/decisions", "v1"),
        ("/v1/groups/w%65b/decisions", "groups/w%65b/decisions", "v1"),
        ("/scaling/groups", "groups", "v1"),
        ("/a/b/groups", "groups", "v1"),
        ("/groups", "groups", "v1"),
        ("/groups", "groups", "groups"),
        ("/groups/groups", "groups", "groups"),
        ("/groups/web/decisions", "groups/web/decisions", "groups"),
    ] {
        let mut event = behind_a_domain(path, ("/{path+}", Some(matched)));
        event["requestContext"]["stage"] = stage.into();
        let (status, body) = ask(&interface, &event).await;
        assert_eq!(status, 200, "{path} at {stage}: {body:?}");
    }
    let (status, body) = ask(&interface, &behind_a_domain("/v1/health", ("/health", None))).await;
    assert_eq!(status, 200, "{body:?}");
}

/// IAM has decided on `/v1/audit` where the domain finds the stage by nothing: who may not read `/audit` must not read it so.
#[tokio::test]
async fn behind_a_domain_of_ones_own_what_only_looks_like_the_stage_is_a_part_of_the_route() {
    for (path, matched) in [
        ("/v1/audit", "v1/audit"),
        ("/v1/%61udit", "v1/audit"),
        ("/v1/v1/audit", "v1/audit"),
        ("/v1/groups/../audit", "groups/../audit"),
        ("//audit", "audit"),
        ("//audit", "/audit"),
        ("/v1//audit", "audit"),
        ("/v1//audit", "/audit"),
        ("//v1/audit", "audit"),
    ] {
        let (status, body) = ask(&interface(), &behind_a_domain(path, ("/{path+}", Some(matched)))).await;
        assert_eq!(status, 404, "{path}: {body:?}");
    }
}

/// An HTTP API leaves a mapping's key out and puts the stage in, whatever domain was asked; what its route has matched is the
/// path all the same, should the key be there.
#[tokio::test]
async fn behind_an_http_api_neither_stage_nor_mapping_is_a_part_of_the_route() {
    let interface = interface();
    for (path, route, stage) in [
        ("/groups", ("$default", None), "$default"),
        ("/groups", ("ANY /{proxy+}", Some("groups")), "$default"),
        ("/groups", ("GET /groups", None), "$default"),
        ("/v1/groups", ("$default", None), "v1"),
        ("/v1/groups", ("ANY /{proxy+}", Some("groups")), "v1"),
        ("/v1/groups", ("GET /groups", None), "v1"),
        ("/v1/groups/web/decisions", ("GET /groups/{name}/decisions", None), "v1"),
        ("/groups", ("ANY /{proxy+}", Some("groups")), "groups"),
        ("/groups/groups", ("ANY /{proxy+}", Some("groups")), "groups"),
        ("/scaling/groups", ("ANY /{proxy+}", Some("groups")), "v1"),
    ] {
        let (status, body) = ask(&interface, &http_by_route(path, route, stage)).await;
        assert_eq!(status, 200, "{path} by {route:?} at {stage}: {body:?}");
    }
}

/// IAM has decided on the path without the stage: who may not read `/audit` must not read it by another name.
#[tokio::test]
async fn behind_an_http_api_what_only_looks_like_the_stage_is_a_part_of_the_route() {
    let interface = interface();
    for (path, route, stage) in [
        ("/$default/audit", ("$default", None), "$default"),
        ("/$default/audit", ("ANY /{proxy+}", Some("$default/audit")), "$default"),
        ("/v1/v1/audit", ("$default", None), "v1"),
        ("/v1/v1/audit", ("ANY /{proxy+}", Some("v1/audit")), "v1"),
        ("/v1/audit", ("ANY /{proxy+}", Some("v1/audit")), "v1"),
        ("/v1/%61udit", ("ANY /{proxy+}", Some("v1/audit")), "v1"),
        ("//audit", ("ANY /{proxy+}", Some("audit")), "$default"),
        ("/v1//audit", ("ANY /{proxy+}", Some("audit")), "v1"),
    ] {
        let (status, body) = ask(&interface, &http_by_route(path, route, stage)).await;
        assert_eq!(status, 404, "{path} by {route:?} at {stage}: {body:?}");
    }
}

/// IAM decides on the path as it was sent: what it calls a group must not turn out to be something else.
#[tokio::test]
async fn dot_segments_lead_nowhere() {
    let interface = interface();
    for path in [
        "/groups/%2e%2e/audit",
        "/groups/../audit",
        "/groups/.%2E/audit",
        "/groups/..\\audit",
        "/groups/%2e%2e%2faudit",
        "/groups/web/../../audit",
        "/./audit",
    ] {
        for event in [rest("GET", path, None), http(path, "$default"), balancer(path)] {
            let (status, body) = ask(&interface, &event).await;
            assert_eq!(status, 404, "{path}: {body:?}");
        }
        let (status, body) = ask(&interface, &http(&format!("/v1{path}"), "v1")).await;
        assert_eq!(status, 404, "{path}: {body:?}");
    }
}

#[tokio::test]
async fn a_name_that_needs_encoding_is_found_however_the_gateway_passes_it_on() {
    let interface = interface();
    for path in ["/groups/no such group/decisions", "/groups/no%20such%20group/decisions"] {
        let (status, body) = ask(&interface, &rest("GET", path, None)).await;
        assert!(status == 404 && parsed(body).to_string().contains("no such group"), "{path}");
    }
}

#[tokio::test]
async fn a_write_is_by_the_principal_that_the_gateway_has_checked() {
    let interface = interface();
    let body = json!({"by": "somebody else", "reason": "release"});
    let (status, answer) = ask(&interface, &rest("POST", "/groups/web/pause", Some(&body))).await;
    assert_eq!(status, 200, "{answer:?}");
    let (_, groups) = ask(&interface, &rest("GET", "/groups", None)).await;
    assert!(parsed(groups).to_string().contains("arn:aws:iam::123456789012:user/ada"));
}

#[tokio::test]
async fn text_of_any_type_is_not_encoded() {
    for accept in ["text/plain", "application/openmetrics-text", "application/json"] {
        let mut event = rest("GET", "/metrics", None);
        event["headers"]["Accept"] = accept.into();
        let (status, body) = ask(&interface(), &event).await;
        assert!(status == 200 && matches!(body, Body::Text(_)), "{accept}: {status} {body:?}");
    }
}

/// The whole event of each gateway, as AWS sends it: a request for three replicas.
const EVENTS: [(&str, &str); 4] = [
    ("REST", include_str!("events/rest.json")),
    ("HTTP", include_str!("events/http.json")),
    ("load balancer", include_str!("events/balancer.json")),
    ("load balancer with lists of headers", include_str!("events/balancer_multi.json")),
];

/// Who asks, by the gateway's word; a load balancer knows nobody.
fn principal(gateway: &str) -> &'static str {
    let known = "arn:aws:sts::123456789012:assumed-role/operators/ada";
    if gateway.starts_with("load balancer") { "api" } else { known }
}

async fn answer(interface: &Interface, event: &str) -> Response<Body> {
    interface.answer(from_str(event).unwrap()).await.unwrap().into_response().await
}

#[tokio::test]
async fn the_events_of_every_gateway_scale_a_group() {
    for (gateway, event) in EVENTS {
        let interface = interface();
        let response = answer(&interface, event).await;
        assert_eq!(response.status(), 202, "{gateway}: {response:?}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let again = answer(&interface, event).await;
        assert_eq!(again.headers()["idempotency-replayed"], "true", "{gateway}");
        assert_eq!(again.headers()["location"], location.as_str());
        let scaled = parsed(response.into_body());
        assert_eq!(scaled["operation"]["kind"], json!({"kind": "scale", "from": 2, "to": 3}), "{gateway}");
        assert_eq!(scaled["operation"]["reason"]["by"], principal(gateway), "{gateway}");
        let (status, found) = ask(&interface, &rest("GET", &format!("/{location}"), None)).await;
        assert_eq!((status, &parsed(found)["id"]), (200, &scaled["operation"]["id"]));
    }
}

#[tokio::test]
async fn a_load_balancer_that_asks_nobody_gets_its_health_and_nothing_else() {
    for (gateway, event) in &EVENTS[2..] {
        let interface = interface_behind(Balancer::Unchecked);
        let refused = answer(&interface, event).await;
        assert_eq!(refused.status(), 401, "{gateway}");
        let problem = parsed(refused.into_body());
        assert!(problem["detail"].as_str().unwrap().contains("SCALING_ALB"), "{problem}");
        let mut health: Value = serde_json::from_str(event).unwrap();
        (health["httpMethod"], health["path"]) = ("GET".into(), "/health".into());
        assert_eq!(answer(&interface, &health.to_string()).await.status(), 200, "{gateway}");
    }
    let gateway = answer(&interface_behind(Balancer::Unchecked), EVENTS[0].1).await;
    assert_eq!(gateway.status(), 202, "API Gateway has asked who it is");
}

#[tokio::test]
async fn the_events_of_every_gateway_get_problems_as_problems() {
    for (gateway, event) in EVENTS {
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["body"] = "{".into();
        event["isBase64Encoded"] = false.into();
        let response = answer(&interface(), &event.to_string()).await;
        assert_eq!(response.status(), 400, "{gateway}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem = parsed(response.into_body());
        assert_eq!(problem["type"], "urn:scaling:problem:malformed-body");
        assert_eq!(problem["instance"], id);
    }
}

#[tokio::test]
async fn events_come_by_page_and_the_description_with_them_but_no_stream() {
    let interface = interface();
    let (status, page) = ask(&interface, &rest("GET", "/events", None)).await;
    assert_eq!((status, &parsed(page)["events"]), (200, &json!([])));
    let mut stream = rest("GET", "/events", None);
    stream["headers"]["Accept"] = "text/event-stream".into();
    assert_eq!(ask(&interface, &stream).await.0, 406);
    let mut description = rest("GET", "/openapi.json", None);
    description["queryStringParameters"] = Value::Null;
    let (status, body) = ask(&interface, &description).await;
    assert!(status == 200 && parsed(body)["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn a_path_s_escapes_reach_the_route() {
    let (status, body) = ask(&interface(), &http("/groups/no%20such%2Fgroup/decisions", "$default")).await;
    assert!(status == 404 && parsed(body).to_string().contains("no such/group"));
}
