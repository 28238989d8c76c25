//! The emulator's figures, for `scripts/emulator_figures`: each is printed beside the bound that it has to hold, and one that
//! does not hold it ends the program with status 1.
//!
//! - `rate OURS THEIRS SECONDS`: the mix of ten calls against two endpoints, by as many clients as there are processors
//! - `start PROGRAM ARGUMENTS`: from the start of a process, which prints where it listens, to its first answer
//! - `memory`: 10,000 groups with 100,000 instances, and what the program then holds
//! - `day`: a simulated day of 1,000 groups under load

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
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

/// What was measured, and whether it holds its bound.
struct Figure {
    told: String,
    holds: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let figure = match arguments.as_slice() {
        ["rate", ours, theirs, seconds] => beside(ours, theirs, seconds.parse()?).await?,
        ["start", program, arguments @ ..] => start(program, arguments).await?,
        ["memory"] => memory().await?,
        ["day"] => day().await?,
        _ => return Err("one of: rate OURS THEIRS SECONDS, start PROGRAM ARGUMENTS, memory, day".into()),
    };
    #[expect(clippy::print_stdout, reason = "the figures are what this is for")]
    {
        println!("{}{}", figure.told, if figure.holds { "" } else { " MISSED" });
    }
    Ok(if figure.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Both servers on the same calls, in turn: five spans each, so that what else the machine does meets both.
async fn beside(ours: &str, theirs: &str, seconds: f64) -> Result<Figure, Fault> {
    const SPANS: u32 = 5;
    let (mut emulator, mut moto) = (Taken::default(), Taken::default());
    for _ in 0..SPANS {
        moto.add(rate(theirs, seconds / f64::from(SPANS)).await?);
        emulator.add(rate(ours, seconds / f64::from(SPANS)).await?);
    }
    let times = emulator.per_second() / moto.per_second();
    let p99 = emulator.quantile(99);
    Ok(Figure {
        told: format!(
            "moto's server: {moto}\nthe emulator:  {emulator}\n{times:.0} times the rate (at least 30), p99 {p99:.2} ms \
             (under 5)"
        ),
        holds: times >= 30.0 && p99 < 5.0 && emulator.failed == 0,
    })
}

/// The median of several starts.
async fn start(program: &str, arguments: &[&str]) -> Result<Figure, Fault> {
    let mut taken = Vec::new();
    for _ in 0..11 {
        let begun = Instant::now();
        let mut process =
            Command::new(program).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("the process has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let answered = call(&client(), line.trim(), &MIX[0]).await;
        taken.push(begun.elapsed().as_secs_f64() * 1e3);
        process.kill()?;
        process.wait()?;
        answered?;
    }
    taken.sort_by(f64::total_cmp);
    let (median, slowest) = (taken[taken.len() / 2], taken[taken.len() - 1]);
    Ok(Figure {
        told: format!(
            "from start to first answer: {median:.1} ms, the slowest of {} {slowest:.1} ms (under 50)",
            taken.len()
        ),
        holds: slowest < 50.0,
    })
}

async fn memory() -> Result<Figure, Fault> {
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
    let megabytes = pages * 4096 / 1_000_000;
    Ok(Figure {
        told: format!(
            "10,000 groups with 100,000 instances, an hour old: {megabytes} MB resident (under 500)"
        ),
        holds: (1..500).contains(&megabytes),
    })
}

async fn day() -> Result<Figure, Fault> {
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
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Figure { told: format!("a day of 1,000 groups in {seconds:.1} s (under 60)"), holds: seconds < 60.0 })
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

/// Calls that were made.
#[derive(Default)]
struct Taken {
    /// Milliseconds of each.
    milliseconds: Vec<f64>,
    /// How many were not answered with 200.
    failed: usize,
    seconds: f64,
    clients: usize,
}

impl Taken {
    fn add(&mut self, other: Self) {
        self.milliseconds.extend(other.milliseconds);
        self.milliseconds.sort_by(f64::total_cmp);
        self.failed += other.failed;
        self.seconds += other.seconds;
        self.clients = other.clients;
    }

    fn per_second(&self) -> f64 {
        self.milliseconds.len() as f64 / self.seconds
    }

    fn quantile(&self, percent: usize) -> f64 {
        let at = self.milliseconds.len() * percent / 100;
        self.milliseconds.get(at).copied().unwrap_or(f64::NAN)
    }
}

impl std::fmt::Display for Taken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:.0} requests/s by {} clients, median {:.2} ms, p99 {:.2} ms, {} of {} not answered with 200",
            self.per_second(),
            self.clients,
            self.quantile(50),
            self.quantile(99),
            self.failed,
            self.milliseconds.len()
        )
    }
}

async fn rate(endpoint: &str, seconds: f64) -> Result<Taken, Fault> {
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
    let mut all = Taken { clients, ..Taken::default() };
    for task in running {
        let (times, failures) = task.await??;
        all.milliseconds.extend(times);
        all.failed += failures;
    }
    all.seconds = begun.elapsed().as_secs_f64();
    Ok(all)
}
