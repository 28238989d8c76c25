//! Dashboards.

use serde_json::json;

use crate::support::{code, done, emulator};

#[tokio::test]
async fn dashboards_are_put_shown_listed_and_deleted() {
    let emulator = emulator().await;
    let body = json!({ "widgets": [] }).to_string();
    for name in ["shop", "shop-two", "other"] {
        done(&emulator, "PutDashboard", json!({ "DashboardName": name, "DashboardBody": body }));
    }
    let shown = done(&emulator, "GetDashboard", json!({ "DashboardName": "shop" }));
    assert_eq!(shown["DashboardBody"], json!(body));
    assert_eq!(shown["DashboardArn"], "arn:aws:cloudwatch::123456789012:dashboard/shop");
    let listed = done(&emulator, "ListDashboards", json!({ "DashboardNamePrefix": "shop" }));
    assert_eq!(listed["DashboardEntries"].as_array().unwrap().len(), 2);
    done(&emulator, "DeleteDashboards", json!({ "DashboardNames": ["shop", "other"] }));
    for operation in ["GetDashboard", "DeleteDashboards"] {
        let input = json!({ "DashboardName": "shop", "DashboardNames": ["shop"] });
        assert_eq!(code(&emulator, operation, input), "ResourceNotFound");
    }
    let pie = json!({ "widgets": [{ "type": "pie", "properties": {} }] }).to_string();
    let whole = json!({ "widgets": [] }).to_string();
    for (name, body) in
        [("with space", whole.as_str()), ("shop", "not json"), ("shop", "[]"), ("shop", "{}"), ("shop", &pie)]
    {
        let input = json!({ "DashboardName": name, "DashboardBody": body });
        assert_eq!(code(&emulator, "PutDashboard", input), "InvalidParameterInput");
    }
}
