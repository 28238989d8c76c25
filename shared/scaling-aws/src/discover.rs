//! Groups that exist, for whoever takes them over: what they are, and which of the usual metrics they have.

use aws_sdk_autoscaling::types::Filter;
use aws_sdk_cloudwatch::types::DimensionFilter;
use scaling_control::PortError;
use scaling_control::ports::GroupDescription;

use crate::error::Call;
use crate::groups::describe;
use crate::platform::AwsPlatform;

const LIST: Call = Call::cloudwatch("ListMetrics");

/// Pages of a listing of metrics that are looked through for one of a group.
const MOST_PAGES: usize = 20;

/// Which groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those of these names.
    Named(Vec<String>),
    /// Those that carry this tag.
    Tagged {
        /// Key.
        key: String,
        /// Value.
        value: String,
    },
}

/// A group that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is.
    pub description: GroupDescription,
    /// Its first target group as CloudWatch names it: `targetgroup/<name>/<id>`.
    pub target_group: Option<String>,
}

impl AwsPlatform {
    /// Looks groups up.
    ///
    /// # Errors
    /// As reading them does. Names that do not exist are absent from the answer.
    pub async fn find(&self, which: &Which) -> Result<Vec<Found>, PortError> {
        let client = self.clients().autoscaling().await;
        let groups = match which {
            Which::Named(names) if names.is_empty() => Vec::new(),
            Which::Named(names) => describe::by_name(client, names).await?,
            Which::Tagged { key, value } => {
                let filter = Filter::builder().name(format!("tag:{key}")).values(value).build();
                describe::by_filter(client, filter).await?
            }
        };
        let found = groups.iter().map(|group| {
            let arn = group.target_group_arns().first();
            Ok(Found {
                description: describe::description(group)?,
                target_group: arn.and_then(|arn| arn.rsplit(':').next()).map(str::to_owned),
            })
        });
        found.collect()
    }

    /// The application load balancer in front of a target group, as `app/<name>/<id>`: CloudWatch knows it once
    /// requests have come through.
    ///
    /// # Errors
    /// As ListMetrics.
    pub async fn load_balancer_of(&self, target_group: &str) -> Result<Option<String>, PortError> {
        let metrics =
            self.metrics_with("AWS/ApplicationELB", "RequestCount", ("TargetGroup", target_group)).await?;
        let balancers = metrics.into_iter().flatten().filter(|(name, _)| name == "LoadBalancer");
        Ok(balancers.map(|(_, value)| value).find(|value| value.starts_with("app/")))
    }

    /// Whether the CloudWatch agent publishes the memory of the group as a whole.
    ///
    /// # Errors
    /// As ListMetrics.
    pub async fn publishes_memory(&self, group: &str) -> Result<bool, PortError> {
        let metrics =
            self.metrics_with("CWAgent", "mem_used_percent", ("AutoScalingGroupName", group)).await?;
        Ok(metrics.iter().any(|dimensions| dimensions.len() == 1))
    }

    /// Dimensions of the metrics of this name that carry one dimension.
    async fn metrics_with(
        &self,
        namespace: &str,
        name: &str,
        (dimension, value): (&str, &str),
    ) -> Result<Vec<Vec<(String, String)>>, PortError> {
        let client = self.clients().cloudwatch().await;
        let filter = DimensionFilter::builder().name(dimension).value(value).build();
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let answer = client
                .list_metrics()
                .namespace(namespace)
                .metric_name(name)
                .dimensions(filter.clone())
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| LIST.error("the metrics", error))?;
            found.extend(answer.metrics().iter().map(|metric| {
                let dimensions = metric.dimensions().iter();
                let pair = |text: Option<&str>| text.unwrap_or_default().to_owned();
                dimensions.map(|dimension| (pair(dimension.name()), pair(dimension.value()))).collect()
            }));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }
}
