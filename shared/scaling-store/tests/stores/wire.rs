//! What the DynamoDB store sends, and what it makes of answers that a test server does not give.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, HttpClient, Region};
use aws_smithy_http_client::test_util::{NeverClient, ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord, StateStore};
use scaling_store::DynamoStore;
use scaling_store::dynamo::protect_table;
use serde_json::{Value, json};

use super::connections::{LosesFirstAnswer, Refused};

fn record(key: &str) -> NewRecord {
    NewRecord { key: key.to_owned(), body: "{}".to_owned(), expires: None }
}

fn answer(status: u16, body: &Value) -> ReplayEvent {
    let response = http::Response::builder().status(status).body(SdkBody::from(body.to_string())).unwrap();
    ReplayEvent::new(http::Request::new(SdkBody::empty()), response)
}

fn refusal(code: &str, message: &str) -> ReplayEvent {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    answer(400, &json!({ "__type": kind, "message": message }))
}

fn client(connection: impl HttpClient + 'static) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .http_client(connection);
    Client::from_conf(config.build())
}

fn store_over(connection: impl HttpClient + 'static) -> DynamoStore {
    let client = client(connection);
    DynamoStore::new("state", move || std::future::ready(Ok(client.clone())))
}

/// A store that gets these answers, one after the other.
fn store(answers: Vec<ReplayEvent>) -> (DynamoStore, StaticReplayClient) {
    let replay = StaticReplayClient::new(answers);
    (store_over(replay.clone()), replay)
}

/// What was sent: operation and body.
fn sent(replay: &StaticReplayClient) -> Vec<(String, Value)> {
    let requests = replay.actual_requests().map(|request| {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        (operation, serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap())
    });
    requests.collect()
}

#[tokio::test]
async fn reads_are_consistent() {
    let (store, replay) =
        store(vec![answer(200, &json!({})), answer(200, &json!({})), answer(200, &json!({ "Items": [] }))]);
    store.get("state/web").await.unwrap();
    store.get_many(&["state/web".to_owned()]).await.unwrap();
    store.list("decision/web/2026", None, 5).await.unwrap();
    let sent = sent(&replay);
    let key = json!({ "pk": { "S": "state/web" }, "sk": { "S": "-" } });
    assert_eq!(sent[0].0, "GetItem");
    assert_eq!((&sent[0].1["ConsistentRead"], &sent[0].1["Key"]), (&json!(true), &key));
    assert_eq!(sent[1].0, "BatchGetItem");
    assert_eq!(sent[1].1["RequestItems"]["state"], json!({ "ConsistentRead": true, "Keys": [key] }));
    let (operation, query) = &sent[2];
    assert_eq!(operation, "Query");
    assert_eq!((&query["ConsistentRead"], &query["Limit"]), (&json!(true), &json!(5)));
    assert_eq!(query["KeyConditionExpression"], "#pk = :pk AND begins_with(#sk, :sk)");
    assert_eq!(query["ExpressionAttributeValues"][":pk"], json!({ "S": "decision/web" }));
    assert_eq!(query["ExpressionAttributeValues"][":sk"], json!({ "S": "/2026" }));
}

#[tokio::test]
async fn many_keys_are_asked_for_in_as_few_calls_as_possible_and_once_each() {
    let (store, replay) = store((0..3).map(|_| answer(200, &json!({}))).collect());
    let mut keys: Vec<String> = (0..250).map(|n| format!("state/{n}")).collect();
    keys.extend_from_within(..100);
    store.get_many(&keys).await.unwrap();
    let sent = sent(&replay);
    let asked = sent.iter().map(|(_, body)| body["RequestItems"]["state"]["Keys"].as_array().unwrap().len());
    assert_eq!(asked.collect::<Vec<_>>(), [100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn items_left_unprocessed_are_written_again_and_no_others() {
    let left = json!([{ "PutRequest": { "Item": { "pk": { "S": "x" }, "sk": { "S": "-" } } } }]);
    let (store, replay) = store(vec![
        answer(200, &json!({ "UnprocessedItems": { "state": left } })),
        answer(200, &json!({ "UnprocessedItems": {} })),
        answer(200, &json!({})),
    ]);
    store.append((0..26).map(|n| record(&format!("decision/web/{n}"))).collect()).await.unwrap();
    let sent = sent(&replay);
    let items = |n: usize| sent[n].1["RequestItems"]["state"].as_array().unwrap();
    assert_eq!((items(0).len(), items(1), items(2).len()), (25, left.as_array().unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_processes_nothing_is_given_up_as_throttled() {
    let stuck = || {
        let keys = json!([{ "pk": { "S": "state/web" }, "sk": { "S": "-" } }]);
        answer(200, &json!({ "UnprocessedKeys": { "state": { "Keys": keys } } }))
    };
    let (store, replay) = store((0..20).map(|_| stuck()).collect());
    let started = tokio::time::Instant::now();
    let error = store.get_many(&["state/web".to_owned()]).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { operation: "BatchGetItem" }), "{error}");
    assert_eq!(replay.actual_requests().count(), 7);
    assert!(started.elapsed().as_secs() < 4, "inside the lease");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_tried_four_times() {
    let throttled = || refusal("ProvisionedThroughputExceededException", "too fast");
    let (store, replay) = store((0..9).map(|_| throttled()).collect());
    let error = store.get("state/web").await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { operation: "GetItem" }), "{error}");
    assert_eq!(replay.actual_requests().count(), 4);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_by_what_the_caller_can_do() {
    for (code, kind) in [
        ("AccessDeniedException", "denied"),
        ("ConditionalCheckFailedException", "conflict"),
        ("ExpiredTokenException", "denied"),
        ("InternalServerError", "unavailable"),
        ("ResourceNotFoundException", "not_found"),
        ("RequestLimitExceeded", "throttled"),
        ("ThrottlingException", "throttled"),
        ("TransactionConflictException", "conflict"),
        ("UnrecognizedClientException", "denied"),
        ("ValidationException", "invalid"),
    ] {
        let (store, _) = store((0..4).map(|_| refusal(code, "because")).collect());
        let error = store.put(record("state/web"), Expected::Absent).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {error}");
        if !matches!(kind, "throttled" | "not_found") {
            assert!(error.to_string().contains("table state") && error.to_string().contains("because"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_known_as_its_own() {
    let connection = LosesFirstAnswer::default();
    let store = store_over(connection.clone());
    assert_eq!(store.put(record("state/web"), Expected::Version(3)).await.unwrap(), 4);
    assert_eq!(connection.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_write_that_meets_another_is_a_conflict() {
    let other = json!({ "pk": { "S": "state/web" }, "sk": { "S": "-" }, "writer": { "S": "another" } });
    let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let met = answer(400, &json!({ "__type": kind, "message": "no", "Item": other }));
    let (store, replay) = store(vec![answer(500, &json!({})), met]);
    let error = store.put(record("state/web"), Expected::Version(3)).await.unwrap_err();
    assert!(matches!(error, PortError::Conflict { .. }), "{error}");
    let sent = sent(&replay);
    assert_eq!(sent[0], sent[1], "the repetition is the same write");
    assert_eq!(sent[0].1["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(sent[0].1["Item"]["version"], json!({ "N": "4" }));
}

#[tokio::test(start_paused = true)]
async fn what_goes_along_is_one_transaction_whose_repetition_has_its_token() {
    let (store, replay) = store(vec![answer(500, &json!({})), answer(200, &json!({}))]);
    let along = vec![record("audit/all/1")];
    assert_eq!(store.put_with(record("state/web"), Expected::Version(3), along).await.unwrap(), 4);
    let sent = sent(&replay);
    assert_eq!(sent[0], sent[1]);
    let (operation, body) = &sent[0];
    assert_eq!(operation, "TransactWriteItems");
    assert!(body["ClientRequestToken"].is_string(), "{body}");
    let puts: Vec<&Value> =
        body["TransactItems"].as_array().unwrap().iter().map(|item| &item["Put"]).collect();
    assert_eq!(puts[0]["Item"]["version"], json!({ "N": "4" }));
    assert!(puts[0]["ConditionExpression"].as_str().unwrap().starts_with("#version = :version"));
    assert_eq!((&puts[1]["Item"]["pk"], puts.len()), (&json!({ "S": "audit/all" }), 2));
    assert!(puts[1]["ConditionExpression"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_transaction_is_told_by_its_reasons() {
    for (code, kind) in [
        ("ConditionalCheckFailed", "conflict"),
        ("TransactionConflict", "conflict"),
        ("ProvisionedThroughputExceeded", "throttled"),
        ("ThrottlingError", "throttled"),
        ("ValidationError", "invalid"),
        ("ItemCollectionSizeLimitExceeded", "invalid"),
        ("Whatever", "unavailable"),
    ] {
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": [{ "Code": "None" }, { "Code": code, "Message": "because" }],
        });
        let (store, _) = store((0..4).map(|_| answer(400, &body)).collect());
        let along = vec![record("audit/all/1")];
        let error = store.put_with(record("state/web"), Expected::Absent, along).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_is_unavailable_and_tells_why() {
    let error = store_over(Refused).get("state/web").await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { source: Some(_), .. }), "{error}");
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_given_up_within_ten_seconds() {
    let silent = NeverClient::new();
    let started = tokio::time::Instant::now();
    let error = store_over(silent.clone()).get("state/web").await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("timeout"), "{error}");
    // The clock is paused: this is the time that the time-outs add up to.
    assert!(started.elapsed() <= Duration::from_millis(10_100), "{:?}", started.elapsed());
    assert!((2..=4).contains(&silent.num_calls()), "{}", silent.num_calls());
}

#[tokio::test]
async fn protecting_a_table_twice_is_no_error() {
    let replay = StaticReplayClient::new(vec![
        refusal("ValidationException", "TimeToLive is already enabled"),
        answer(200, &json!({})),
    ]);
    protect_table(&client(replay.clone()), "state").await.unwrap();
    let sent = sent(&replay);
    let expiry = json!({ "Enabled": true, "AttributeName": "expires" });
    assert_eq!(sent[0].1["TimeToLiveSpecification"], expiry);
    let recovery = json!({ "PointInTimeRecoveryEnabled": true });
    assert_eq!(sent[1].1["PointInTimeRecoverySpecification"], recovery);
}
