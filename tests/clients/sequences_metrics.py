"""Sequences over metrics, alarms and dashboards."""

NAMES = ["web", "api"]
ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:{}"
TOPIC = "arn:aws:sns:us-east-1:123456789012:people"


def nothing(_draw):
    return ()


def an_alarm_and_a_dashboard(_draw):
    yield "cloudwatch", "put_metric_alarm", {
        "AlarmName": "web",
        "Namespace": "Shop",
        "MetricName": "Orders",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    yield "cloudwatch", "put_dashboard", {"DashboardName": "web", "DashboardBody": '{"widgets":[]}'}


def metrics(draw, now):
    """Values put and read back. Whole minutes, so that both servers cut them alike."""
    name, shop = draw.choice(["Orders", "Errors"]), draw.choice(NAMES)
    dimensions = [{"Name": "Shop", "Value": shop}]
    minute = now // 60 * 60
    datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": minute - 60 * draw.randint(1, 9), "Unit": "Count"}
    yield 6, "cloudwatch", "put_metric_data", {
        "Namespace": "Shop",
        "MetricData": [{
            **datum,
            **draw.choice([
                {"Value": float(draw.randint(-1, 6))},
                {"Values": [1.0, 5.0], "Counts": [2.0, 1.0]},
                {"Values": [3.0]},
                {"StatisticValues": {"SampleCount": 4.0, "Sum": 12.0, "Minimum": 1.0, "Maximum": 6.0}},
                {"Values": [1.0, 2.0], "Counts": [1.0]},
                {"Value": 1.0, "Values": [2.0]},
            ]),
        }],
    }
    span = {"StartTime": minute - 3600, "EndTime": draw.choice([minute, minute, minute, minute - 3600, minute - 7200])}
    metric = {"Namespace": "Shop", "MetricName": name, "Dimensions": dimensions}
    every = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]
    yield 5, "cloudwatch", "get_metric_statistics", {
        **metric, **span, "Period": 60, "Statistics": draw.sample(every, draw.randint(1, 5)),
    }
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **draw.choice([{}, {"Label": "shop"}, {"ReturnData": number == 0}])}
        for number, stat in enumerate(draw.sample(every, 2))
    ]
    yield 5, "cloudwatch", "get_metric_data", {
        **span, "MetricDataQueries": queries, **draw.choice([{}, {"ScanBy": "TimestampAscending"}, {"ScanBy": "TimestampDescending"}]),
    }
    yield 1, "cloudwatch", "get_metric_data", {**span, "MetricDataQueries": [*queries[:1], {"Id": "e", "Expression": "m0"}]}
    yield 3, "cloudwatch", "list_metrics", draw.choice([
        {"Namespace": "Shop"},
        {"Namespace": "Shop", "MetricName": name},
        {"Namespace": "Shop", "Dimensions": dimensions},
        {"Namespace": "Nobody"},
    ])


def alarms(draw, _now):
    """Alarms and dashboards, which nothing sets off."""
    name = draw.choice(NAMES)
    metric = {"Namespace": "Shop", "MetricName": draw.choice(["Orders", "Errors"]), "Dimensions": [{"Name": "Shop", "Value": name}]}
    plain = {**metric, "Statistic": draw.choice(["Sum", "Average"]), "Period": draw.choice([60, 300])}
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    by_query = {"Metrics": [
        {"Id": "a", "MetricStat": stat, "ReturnData": False},
        {"Id": "b", "Expression": "a*2", "Label": "twice", "ReturnData": True},
    ]}
    percentile = {**metric, "ExtendedStatistic": "p90", "Period": 60, "EvaluateLowSampleCountPercentile": "ignore"}
    yield 6, "cloudwatch", "put_metric_alarm", {
        "AlarmName": name,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": draw.choice(["GreaterThanThreshold", "LessThanOrEqualToThreshold"]),
        **draw.choice([plain, plain, by_query, percentile]),
        **draw.choice([
            {},
            {"DatapointsToAlarm": 2},
            {"TreatMissingData": "notBreaching"},
            {"AlarmDescription": "too much", "Unit": "Count"},
            {"AlarmActions": [TOPIC], "OKActions": [TOPIC], "InsufficientDataActions": [TOPIC]},
            {"ActionsEnabled": False},
            {"Tags": [{"Key": "a", "Value": "x"}]},
        ]),
    }
    yield 5, "cloudwatch", "describe_alarms", draw.choice([
        {"AlarmNames": [name]},
        {"AlarmNamePrefix": name[:1]},
        {"StateValue": draw.choice(["OK", "ALARM", "INSUFFICIENT_DATA"])},
        {"ActionPrefix": "arn:aws:sns"},
        {},
    ])
    yield 2, "cloudwatch", "describe_alarms_for_metric", {**metric, "Statistic": "Sum"}
    yield 3, "cloudwatch", "set_alarm_state", {
        "AlarmName": name,
        "StateValue": draw.choice(["OK", "ALARM", "INSUFFICIENT_DATA"]),
        "StateReason": "test",
        **draw.choice([{}, {"StateReasonData": '{"a":1}'}]),
    }
    yield 1, "cloudwatch", "enable_alarm_actions", {"AlarmNames": [name]}
    yield 2, "cloudwatch", "disable_alarm_actions", {"AlarmNames": [name]}
    yield 1, "cloudwatch", "delete_alarms", {"AlarmNames": [name]}
    yield 2, "cloudwatch", "tag_resource", {"ResourceARN": ALARM.format(name), "Tags": [{"Key": draw.choice("ab"), "Value": draw.choice("xy")}]}
    yield 1, "cloudwatch", "untag_resource", {"ResourceARN": ALARM.format(name), "TagKeys": ["a"]}
    yield 2, "cloudwatch", "list_tags_for_resource", {"ResourceARN": ALARM.format(name)}
    body = draw.choice(['{"widgets":[]}', '{"widgets":[{"type":"text","properties":{"markdown":"hi"}}]}', "no json"])
    yield 2, "cloudwatch", "put_dashboard", {"DashboardName": name, "DashboardBody": body}
    yield 2, "cloudwatch", "get_dashboard", {"DashboardName": name}
    yield 1, "cloudwatch", "list_dashboards", draw.choice([{}, {"DashboardNamePrefix": "w"}])
    yield 1, "cloudwatch", "delete_dashboards", {"DashboardNames": [name]}


METRICS, ALARMS = (nothing, metrics), (an_alarm_and_a_dashboard, alarms)
