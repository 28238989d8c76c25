//! The group `web` on an emulator with a stepped clock, and the functions that control it.

use std::time::Duration;

use scaling_emulator::{Emulator, GroupSetup, Schedule, Settings, Workload};
use scaling_fleet::Catalogue;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use scaling_tests::{environment, project};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::functions::{Functions, free_port};

/// Replicas at the start, of type m7i.large with 2 vCPU each.
pub(crate) const REPLICAS: u32 = 2;

/// Emulator, functions and their folder.
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    pub(crate) functions: Functions,
    _folder: TempDir,
}

impl Stage {
    /// Two m7i.large under `rate` requests a second. With `every_minute` the function `schedule` is invoked.
    pub(crate) async fn new(mode: &str, rate: f64, every_minute: bool) -> Self {
        Self::with(mode, rate, every_minute, &[]).await
    }

    /// The same with more environment variables for the functions.
    pub(crate) async fn with(mode: &str, rate: f64, every_minute: bool, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "mode": mode,
            "control": "act",
            "replicas": {"min_replicas": 2, "max_replicas": 8, "target_replicas": 2},
            "policy": {"triggers": ["cpu_usage"]},
            "groups": [{"name": "web", "ladder": {"types": ["m7i.large", "m7i.xlarge"]}}],
        });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let port = free_port().await;
        let schedule = Schedule {
            function: "schedule".to_owned(),
            every: Duration::from_secs(60),
            payload: Value::Null,
        };
        let emulator = Emulator::start(Settings {
            lambda_endpoint: Some(format!("http://127.0.0.1:{port}")),
            schedules: if every_minute { vec![schedule] } else { vec![] },
            ..Settings::default()
        })
        .await
        .unwrap();
        let setup = GroupSetup::new("web", "m7i.large", (2, 8, REPLICAS));
        emulator.with_region(|region| setup.make(region)).unwrap();
        let load = Load::constant(emulator.now(), rate);
        emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
        let functions = Functions::start(port, folder.path(), &emulator.endpoint(), variables).await;
        Self { emulator, functions, _folder: folder }
    }

    /// Lets a quarter of a minute pass, with everything that falls due in it.
    pub(crate) async fn step(&self) {
        self.emulator.advance(Duration::from_secs(15)).await.unwrap();
    }

    /// Serving replicas by type, in order.
    pub(crate) fn serving(&self) -> Vec<String> {
        self.emulator.with_region(|region| {
            let members = region.group("web").unwrap().alive();
            let serving = members.filter(|member| member.is_in_service());
            let mut types: Vec<String> = serving.map(|member| member.instance_type.to_string()).collect();
            types.sort();
            types
        })
    }

    /// vCPU that serve.
    pub(crate) fn serving_vcpu(&self) -> f64 {
        let catalogue = Catalogue::embedded();
        self.serving().iter().map(|name| catalogue.get_str(name).unwrap().vcpu.0).sum()
    }

    /// Desired capacity.
    pub(crate) fn desired(&self) -> u32 {
        self.emulator.with_region(|region| region.group("web").unwrap().desired)
    }

    /// What the group costs, in USD an hour, as the function `api` sees it.
    pub(crate) async fn cost(&self) -> f64 {
        let (status, groups) = self.functions.api("GET", "/groups", None).await;
        assert_eq!(status, 200, "{groups}");
        groups["groups"][0]["figures"]["cost_usd_per_hour"].as_f64().unwrap()
    }

    /// The operation of this id.
    pub(crate) async fn operation(&self, id: &str) -> Value {
        let (status, operation) = self.functions.api("GET", &format!("/operations/{id}"), None).await;
        assert_eq!(status, 200, "{operation}");
        operation
    }

    /// Runs the aws CLI, and returns what it prints.
    pub(crate) async fn aws(&self, arguments: &[&str]) -> String {
        let output = Command::new(project::installed("aws").unwrap())
            .args(arguments)
            .env_clear()
            .envs(environment::client(&self.emulator.endpoint()))
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
