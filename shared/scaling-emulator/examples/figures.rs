//! The emulator's figures, for `scripts/emulator_figures`.
//!
//! - `start`: seconds from the start of this program's emulator to its first answer
//! - `memory`: 10,000 groups with 100,000 instances, and what the program then holds
//! - `day`: a simulated day of 1,000 groups under load
//! - `rate ENDPOINT SECONDS`: the mix of ten calls against an endpoint, by as many clients as there are processors

use std::time::{Duration, Instant};

use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use scaling_emulator::{Emulator, GroupSetup, Settings, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Http = Client<HttpConnector, Full<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = match arguments.as_slice() {
        ["start"] => start().await?,
        ["memory"] => memory().await?,
        ["day"] => day().await?,
        ["rate", endpoint, seconds] => rate(endpoint, seconds.parse()?).await?,
        _ => return Err("one of: start, memory, day, rate ENDPOINT SECONDS".into()),
    };
    #[expect(clippy::print_stdout, reason = "the figures are what this is for")]
    {
        println!("{told}");
    }
    Ok(())
}

async fn start() -> Result<String, Fault> {
    let begun = Instant::now();
    let emulator = Emulator::start(Settings::default()).await?;
    call(&client(), &emulator.endpoint(), &MIX[0]).await?;
    Ok(format!("first answer after {:.1} ms", begun.elapsed().as_secs_f64() * 1e3))
}

async fn memory() -> Result<String, Fault> {
    let emulator = Emulator::start(Settings::default()).await?;
    emulator.with_region(|region| {
        (0..10_000).try_for_each(|number| {
            GroupSetup::new(&format!("group-{number:05}"), "m7i.large", (1, 40, 10)).make(region)
        })
    })?;
    emulator.advance(Duration::from_secs(3600)).await?;
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")?
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    Ok(format!("10,000 groups with 100,000 instances, an hour old: {} MB resident", pages * 4096 / 1_000_000))
}

async fn day() -> Result<String, Fault> {
    let emulator = Emulator::start(Settings::default()).await?;
    let now = emulator.now();
    for number in 0..1_000_u32 {
        let name = format!("group-{number:04}");
        emulator.with_region(|region| GroupSetup::new(&name, "m7i.large", (1, 20, 4)).make(region))?;
        let rates = (0..24).map(|hour| 20.0 + f64::from((number + hour * 7) % 60)).collect();
        let load = Load::new(now, Duration::from_secs(3600), rates);
        emulator.set_workload(&name, Workload::new(load, ServiceModel::demo()));
    }
    let begun = Instant::now();
    emulator.advance(Duration::from_secs(86_400)).await?;
    Ok(format!("a day of 1,000 groups in {:.1} s", begun.elapsed().as_secs_f64()))
}

/// One call: the service in the credential's scope, and the form.
struct Kind {
    service: &'static str,
    form: &'static str,
}

const fn kind(service: &'static str, form: &'static str) -> Kind {
    Kind { service, form }
}

/// Calls that prepare what the mix reads. A second run finds some of it made already.
const SCENE: [Kind; 2] = [
    kind(
        "ec2",
        "Action=CreateLaunchTemplate&Version=2016-11-15&LaunchTemplateName=figures\
         &LaunchTemplateData.ImageId=ami-12345678&LaunchTemplateData.InstanceType=m5.large",
    ),
    kind(
        "autoscaling",
        "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=figures&MinSize=1&MaxSize=10\
         &DesiredCapacity=3&LaunchTemplate.LaunchTemplateName=figures&AvailabilityZones.member.1=us-east-1a",
    ),
];

/// The mix of ten calls: what a controller asks in a pass.
const MIX: [Kind; 10] = [
    kind("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
    kind(
        "autoscaling",
        "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=figures",
    ),
    kind("autoscaling", "Action=DescribeAutoScalingInstances&Version=2011-01-01"),
    kind(
        "autoscaling",
        "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=figures&DesiredCapacity=3",
    ),
    kind("autoscaling", "Action=DescribePolicies&Version=2011-01-01&AutoScalingGroupName=figures"),
    kind("autoscaling", "Action=DescribeTags&Version=2011-01-01"),
    kind("ec2", "Action=DescribeLaunchTemplates&Version=2016-11-15"),
    kind("ec2", "Action=DescribeInstances&Version=2016-11-15"),
    kind(
        "monitoring",
        "Action=PutMetricData&Version=2010-08-01&Namespace=Figures&MetricData.member.1.MetricName=A\
         &MetricData.member.1.Value=1",
    ),
    kind("monitoring", "Action=DescribeAlarms&Version=2010-08-01"),
];

fn client() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn call(client: &Http, endpoint: &str, kind: &Kind) -> Result<u16, Fault> {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260105/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0",
        kind.service
    );
    let request = Request::post(endpoint)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", scope)
        .body(Full::new(Bytes::from_static(kind.form.as_bytes())))?;
    let answer = client.request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}

async fn rate(endpoint: &str, seconds: f64) -> Result<String, Fault> {
    for prepared in &SCENE {
        call(&client(), endpoint, prepared).await?;
    }
    let clients = std::thread::available_parallelism()?.get();
    let until = Instant::now() + Duration::try_from_secs_f64(seconds)?;
    let begun = Instant::now();
    let running: Vec<_> = (0..clients)
        .map(|_| {
            let endpoint = endpoint.to_owned();
            tokio::spawn(async move {
                let (client, mut taken, mut failed) = (client(), Vec::new(), 0_usize);
                'all: loop {
                    for kind in &MIX {
                        if Instant::now() >= until {
                            break 'all;
                        }
                        let before = Instant::now();
                        let status = call(&client, &endpoint, kind).await?;
                        taken.push(before.elapsed().as_secs_f64() * 1e3);
                        failed += usize::from(status != 200);
                    }
                }
                Ok::<_, Fault>((taken, failed))
            })
        })
        .collect();
    let (mut taken, mut failed) = (Vec::new(), 0);
    for task in running {
        let (times, failures) = task.await??;
        taken.extend(times);
        failed += failures;
    }
    let passed = begun.elapsed().as_secs_f64();
    taken.sort_by(f64::total_cmp);
    let at = |share: usize| taken.get(taken.len() * share / 100).copied().unwrap_or(f64::NAN);
    Ok(format!(
        "{:.0} requests/s by {clients} clients, median {:.2} ms, p99 {:.2} ms, {failed} of {} not answered with 200",
        taken.len() as f64 / passed,
        at(50),
        at(99),
        taken.len()
    ))
}
