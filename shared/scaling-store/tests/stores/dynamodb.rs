//! DynamoDB holds the contract of the state store, on a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use scaling_control::PortError;
use scaling_control::fakes::SteppedClock;
use scaling_control::fakes::store_contract::SharedStore;
use scaling_control::ports::{Expected, NewRecord, StateStore};
use scaling_store::DynamoStore;
use scaling_store::dynamo::create_table;

use super::dynalite::{self, Dynalite};

async fn store() -> SharedStore {
    Arc::new(dynalite::store().await)
}

scaling_control::store_contract_tests!(store);

fn record(key: &str, body: &str) -> NewRecord {
    NewRecord { key: key.to_owned(), body: body.to_owned(), expires: None }
}

#[tokio::test]
async fn creating_a_table_again_changes_nothing() {
    let server = Arc::new(Dynalite::start());
    let clock = Arc::new(scaling_control::ports::SystemClock);
    let store = dynalite::store_on(Arc::clone(&server), "state", clock).await;
    store.put(record("fleet", "{}"), Expected::Absent).await.unwrap();
    create_table(&server.client(), "state").await.unwrap();
    assert!(store.get("fleet").await.unwrap().is_some());
}

#[tokio::test]
async fn a_table_with_another_key_is_refused() {
    let server = Dynalite::start();
    let client = server.client();
    let attribute = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let element = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let request = client.create_table().table_name("other").billing_mode(BillingMode::PayPerRequest);
    request.attribute_definitions(attribute).key_schema(element).send().await.unwrap();
    let error = create_table(&client, "other").await.unwrap_err();
    assert!(matches!(error, PortError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("exists with another key (id)"), "{error}");
}

#[tokio::test]
async fn a_server_without_transactions_is_told_as_such_and_not_asked_again() {
    let store = dynalite::store().await;
    let along = vec![record("audit/all/1", "{}")];
    let error = store.put_with(record("fleet", "{}"), Expected::Absent, along).await.unwrap_err();
    assert!(matches!(error, PortError::Invalid { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("TransactWriteItems") && text.contains("UnknownOperationException"), "{text}");
    assert!(store.get("fleet").await.unwrap().is_none(), "all or none");
}

#[tokio::test]
async fn a_missing_table_is_named_with_the_fix_by_every_call() {
    let server = Dynalite::start();
    let client = server.client();
    let store = DynamoStore::new("nowhere", move || std::future::ready(Ok(client.clone())));
    let errors = [
        store.get("a").await.unwrap_err(),
        store.get_many(&["a".to_owned()]).await.unwrap_err(),
        store.put(record("a", "{}"), Expected::Absent).await.unwrap_err(),
        store.append(vec![record("a", "{}")]).await.unwrap_err(),
        store.list("a/b/", None, 1).await.unwrap_err(),
        store.delete("a").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, PortError::NotFound { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("nowhere") && text.contains("template.yaml"), "{text}");
        assert!(text.contains("`aws dynamodb create-table`") && text.contains("pk and sk"), "{text}");
        // It writes a configuration, and makes no table.
        assert!(!text.contains("scaling init"), "{text}");
    }
}

#[tokio::test]
async fn the_client_is_made_once_and_at_the_first_call() {
    let server = Dynalite::start();
    create_table(&server.client(), "state").await.unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    let (client, count) = (server.client(), Arc::clone(&made));
    let store = DynamoStore::new("state", move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(client.clone()))
    });
    assert_eq!(store.get_many(&[]).await.unwrap(), []);
    assert_eq!(made.load(Ordering::SeqCst), 0);
    let (one, two) = tokio::join!(store.get("a"), store.get("b"));
    assert_eq!((one.unwrap(), two.unwrap()), (None, None));
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_record_over_the_limit_is_refused_and_one_within_it_is_taken() {
    let store = dynalite::store().await;
    let key = "config/version/00000001";
    // What the item has besides the body is well under 200 bytes.
    let fits = "x".repeat(400 * 1024 - 200);
    assert_eq!(store.put(record(key, &fits), Expected::Absent).await.unwrap(), 1);
    let over = "x".repeat(400 * 1024);
    for result in [
        store.put(record(key, &over), Expected::Version(1)).await.map(drop),
        store.append(vec![record(key, &over)]).await,
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, PortError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains(key), "{error}");
    }
    assert_eq!(store.get(key).await.unwrap().map(|kept| kept.body.len()), Some(fits.len()));
}

#[tokio::test]
async fn keys_left_unprocessed_are_asked_for_again() {
    let store = dynalite::store().await;
    // Four megabytes, and the server gives one at a time.
    let keys: Vec<String> = (0..12).map(|n| format!("large/{n}")).collect();
    let body = "x".repeat(350_000);
    store.append(keys.iter().map(|key| record(key, &body)).collect()).await.unwrap();
    assert_eq!(store.get_many(&keys).await.unwrap().len(), keys.len());
}

#[tokio::test]
async fn a_page_is_filled_past_records_that_expired_and_are_still_in_the_table() {
    let clock = Arc::new(SteppedClock::at("2026-03-02T08:00:00Z".parse().unwrap()));
    let store = dynalite::store_on(Arc::new(Dynalite::start()), "state", clock.clone()).await;
    let expires = Some("2026-03-02T08:01:00Z".parse().unwrap());
    let short = (0..30).map(|n| NewRecord { expires, ..record(&format!("decision/web/{n:02}"), "{}") });
    store.append(short.chain([record("decision/web/30", "{}")]).collect()).await.unwrap();
    assert_eq!(store.list("decision/web/", None, 2).await.unwrap()[0].key, "decision/web/00");
    clock.advance_seconds(61);
    let found = store.list("decision/web/", None, 2).await.unwrap();
    assert_eq!(found.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["decision/web/30"]);
}

#[tokio::test]
async fn items_have_the_documented_shape() {
    let server = Arc::new(Dynalite::start());
    let clock = Arc::new(scaling_control::ports::SystemClock);
    let store = dynalite::store_on(Arc::clone(&server), "state", clock).await;
    let expires = Some("2200-01-01T00:00:00.25Z".parse().unwrap());
    store.append(vec![NewRecord { expires, ..record("decision/web/1/2", "{}") }]).await.unwrap();
    store.append(vec![record("decision/web", "{}")]).await.unwrap();
    let items = server.client().scan().table_name("state").send().await.unwrap().items.unwrap();
    let of = |sort: &str| {
        let sort = AttributeValue::S(sort.to_owned());
        items.iter().find(|item| item["sk"] == sort).expect("the item is there")
    };
    let (whole, part) = (of("-"), of("/1/2"));
    assert_eq!(part["pk"], AttributeValue::S("decision/web".to_owned()));
    assert_eq!(whole["pk"], AttributeValue::S("decision/web".to_owned()));
    assert_eq!(part["version"], AttributeValue::N("1".to_owned()));
    assert_eq!(part["body"], AttributeValue::S("{}".to_owned()));
    // Seconds since 1970, as the time to live wants them, and rounded up.
    assert_eq!(part["expires"], AttributeValue::N("7258118401".to_owned()));
    assert!(!whole.contains_key("expires"));
}
