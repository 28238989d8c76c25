//! Every metric with its name, kind and meaning. The names are a contract: a golden test holds them.

/// What kind of value a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, until the process starts anew. Its name ends in `_total`.
    Counter,
    /// A distribution with fixed buckets.
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name, in every format.
    pub name: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Meaning and unit, one sentence.
    pub help: &'static str,
    /// Label names, in order.
    pub labels: &'static [&'static str],
}

macro_rules! metrics {
    ($($constant:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: Metric = Metric {
            name: $name, kind: Kind::$kind, help: $help, labels: &[$($label),*],
        };)*
        /// Every metric, in the order in which they are rendered.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    CPU_USAGE: Gauge "scaling_cpu_usage" ["group"] "Mean CPU utilisation of the serving replicas, 0 to 100.";
    MEMORY_USAGE: Gauge "scaling_memory_usage" ["group"] "Mean memory utilisation of the serving replicas, 0 to 100.";
    REQUEST_LATENCY: Gauge "scaling_request_latency" ["group"] "Response time in seconds, 95th percentile unless configured otherwise.";
    REQUEST_COUNT: Gauge "scaling_request_count" ["group"] "Requests of the whole group in the last complete period.";
    REQUESTS_TOTAL: Counter "scaling_requests_total" ["group"] "Requests of the whole group since the controller started.";
    OPERATIONS_TOTAL: Counter "scaling_operations_total" ["group", "kind", "outcome"] "Operations that ended, by kind (up, down, retype) and outcome (verified, failed, rolled_back, superseded).";
    OPERATION_DURATION: Histogram "scaling_operation_duration" ["group", "kind"] "Seconds from the plan of an operation to its end.";
    COST: Gauge "scaling_cost" ["group"] "What everything that runs or boots costs, in USD per hour.";
    COST_TOTAL: Counter "scaling_cost_usd_total" ["group"] "Cost since the controller started, in USD.";
    SAVINGS: Gauge "scaling_savings" ["group"] "Cost of a fixed fleet for the highest demand of 14 days less the cost now, in USD per hour.";
    SAVINGS_TOTAL: Counter "scaling_savings_usd_total" ["group"] "Savings since the controller started, in USD, while there were any.";
    EXCESS_TOTAL: Counter "scaling_excess_usd_total" ["group"] "Cost above the fixed fleet since the controller started, in USD; net savings are savings less excess.";
    REPLICAS: Gauge "scaling_replicas" ["group", "state"] "Replicas: desired, serving, and arriving (ordered and not serving yet).";
    LOAD: Gauge "scaling_load" ["group", "trigger"] "Reading over threshold; 1 is at the limit.";
    INFO: Gauge "scaling_group_info" ["group", "instance_type", "mode", "control"] "Always 1: the launch type of a group, its mode and how far the controller may go.";
    THRESHOLD: Gauge "scaling_threshold" ["group", "trigger"] "Threshold of a trigger: a fraction of 1 for CPU and memory, requests per minute and reference replica, seconds of latency.";
    SERVING_VCPU: Gauge "scaling_serving_vcpu" ["group"] "vCPU of the replicas that serve.";
    WANTED_VCPU: Gauge "scaling_wanted_vcpu" ["group"] "vCPU that would carry the load at the target load.";
    DATA_AGE: Gauge "scaling_data_age" ["group", "trigger"] "Seconds since the end of the period that was last read.";
    DECISIONS_TOTAL: Counter "scaling_decisions_total" ["group", "action", "reason"] "Decisions by action (hold, up, down, retype) and reason.";
    EVALUATION_ERRORS_TOTAL: Counter "scaling_evaluation_errors_total" ["group", "kind"] "Evaluations that came to no decision or whose step failed.";
    GROUPS: Gauge "scaling_groups" [] "Groups of the last tick: looked at, left over, or not due.";
    GROUPS_LEFT_OVER: Gauge "scaling_groups_left_over" [] "Groups that the deadline of the last tick left over.";
    TICK_DURATION: Histogram "scaling_tick_duration" [] "Seconds that a tick took.";
    LAST_TICK: Gauge "scaling_last_tick_timestamp_seconds" [] "When the last tick ended, in seconds since 1970.";
    CONFIG_VERSION: Gauge "scaling_config_version" [] "Version of the configuration that the last tick ran under.";
    PORT_CALLS_TOTAL: Counter "scaling_port_calls_total" ["port", "operation", "outcome"] "Calls to platform, metrics and state store, by outcome (ok, or the kind of error).";
    PORT_CALL_DURATION: Histogram "scaling_port_call_duration" ["port", "operation"] "Seconds that a call to platform, metrics or state store took, retries included.";
    CLOUD_CALLS_TOTAL: Counter "scaling_cloud_calls_total" ["operation", "outcome"] "Calls to the cloud's own interface by its operation and by outcome (ok, failed), each once however often it was tried.";
    CLOUD_THROTTLES_TOTAL: Counter "scaling_cloud_throttles_total" ["operation"] "Answers of the cloud that asked for fewer calls, by its operation; most are followed by a retry that succeeds.";
    CONTROLLER_COST: Gauge "scaling_controller_cost" [] "What the controller's reading of metrics costs, and in CloudWatch its own metrics too, in USD per month of 730 hours.";
    UNKNOWN_ALARMS_TOTAL: Counter "scaling_unknown_alarms_total" [] "Alarms that belong to no configured group.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract with dashboards and alerts. A name here is never changed, only added to.
    #[test]
    fn names_are_fixed() {
        let golden = "\
gauge scaling_cpu_usage{group}
gauge scaling_memory_usage{group}
gauge scaling_request_latency{group}
gauge scaling_request_count{group}
counter scaling_requests_total{group}
counter scaling_operations_total{group,kind,outcome}
histogram scaling_operation_duration{group,kind}
gauge scaling_cost{group}
counter scaling_cost_usd_total{group}
gauge scaling_savings{group}
counter scaling_savings_usd_total{group}
counter scaling_excess_usd_total{group}
gauge scaling_replicas{group,state}
gauge scaling_load{group,trigger}
gauge scaling_group_info{group,instance_type,mode,control}
gauge scaling_threshold{group,trigger}
gauge scaling_serving_vcpu{group}
gauge scaling_wanted_vcpu{group}
gauge scaling_data_age{group,trigger}
counter scaling_decisions_total{group,action,reason}
counter scaling_evaluation_errors_total{group,kind}
gauge scaling_groups{}
gauge scaling_groups_left_over{}
histogram scaling_tick_duration{}
gauge scaling_last_tick_timestamp_seconds{}
gauge scaling_config_version{}
counter scaling_port_calls_total{port,operation,outcome}
histogram scaling_port_call_duration{port,operation}
counter scaling_cloud_calls_total{operation,outcome}
counter scaling_cloud_throttles_total{operation}
gauge scaling_controller_cost{}
counter scaling_unknown_alarms_total{}
";
        let names: Vec<String> = ALL
            .iter()
            .map(|metric| {
                let kind = format!("{:?}", metric.kind).to_lowercase();
                format!("{kind} {}{{{}}}", metric.name, metric.labels.join(","))
            })
            .collect();
        assert_eq!(names, golden.lines().collect::<Vec<_>>());
    }

    #[test]
    fn exactly_the_counters_end_in_total() {
        for metric in ALL {
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        }
    }
}
