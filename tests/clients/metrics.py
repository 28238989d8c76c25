"""Metrics: those that a caller puts, and those of a group under load."""

import datetime

from emulator import advance, cloudwatch, control, make_group, make_template

MINUTE = datetime.timedelta(minutes=1)


def now():
    """The emulator's moment."""
    return datetime.datetime.fromisoformat(control("clock")["now"].replace("Z", "+00:00"))


# Own metrics, by period and statistic.
start = now()
advance(600)
points = [{"MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": "jobs"}], "Unit": "Count"} for _ in range(8)]
for minute, point in enumerate(points):
    point.update(Timestamp=start + minute * MINUTE, Value=float(minute))
cloudwatch.put_metric_data(Namespace="Shop", MetricData=points)
span = {"StartTime": start, "EndTime": start + 10 * MINUTE}
statistics = cloudwatch.get_metric_statistics(
    Namespace="Shop",
    MetricName="Depth",
    Dimensions=[{"Name": "Queue", "Value": "jobs"}],
    Period=240,
    Statistics=["Average", "Maximum", "SampleCount"],
    **span,
)
found = sorted(statistics["Datapoints"], key=lambda point: point["Timestamp"])
assert [(point["Average"], point["Maximum"], point["SampleCount"]) for point in found] == [
    (1.5, 3.0, 4.0),
    (5.5, 7.0, 4.0),
], found
assert found[0]["Unit"] == "Count" and found[0]["Timestamp"] == start, found

listed = cloudwatch.list_metrics(Namespace="Shop")["Metrics"]
depth = {"Namespace": "Shop", "MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": "jobs"}]}
assert listed == [depth], listed

# A group's own, under load.
make_template()
control("workload", {"group": "web", "load": {"constant": 40.0}})
make_group(size=(2, 2, 2))
advance(1800)


def query(identifier, namespace, name, dimension, statistic):
    """One query of GetMetricData."""
    dimensions = [{"Name": dimension, "Value": "web"}]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}


queries = [
    query("cpu", "AWS/EC2", "CPUUtilization", "AutoScalingGroupName", "Average"),
    query("memory", "CWAgent", "mem_used_percent", "AutoScalingGroupName", "Average"),
    {"Id": "busy", "Expression": "cpu / 100"},
]
end = now().replace(second=0)
span = {"StartTime": end - 20 * MINUTE, "EndTime": end - 10 * MINUTE, "ScanBy": "TimestampAscending"}
paginator = cloudwatch.get_paginator("get_metric_data")
collected = {}
page_count = 0
for page in paginator.paginate(MetricDataQueries=queries, PaginationConfig={"PageSize": 12}, **span):
    page_count += 1
    for result in page["MetricDataResults"]:
        collected.setdefault(result["Id"], []).extend(zip(result["Timestamps"], result["Values"]))
assert page_count > 1, page_count
assert {identifier: len(values) for identifier, values in collected.items()} == {
    "cpu": 10,
    "memory": 10,
    "busy": 10,
}, collected
times = [time for time, _ in collected["cpu"]]
assert times == [end - 20 * MINUTE + minute * MINUTE for minute in range(10)], times
assert all(0 < value < 100 for series in collected.values() for _, value in series), collected
for (_, percent), (_, share) in zip(collected["cpu"], collected["busy"]):
    assert abs(percent / 100 - share) < 1e-9, (percent, share)

# A metric that nobody published is no error and has no points.
nothing = query("nothing", "Shop", "Nothing", "AutoScalingGroupName", "Sum")
[empty] = cloudwatch.get_metric_data(MetricDataQueries=[nothing], **span)["MetricDataResults"]
assert (empty["Values"], empty["StatusCode"]) == ([], "Complete"), empty
