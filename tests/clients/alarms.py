"""Alarms: put, described, evaluated, set by hand, deleted."""

from emulator import advance, cloudwatch, control, make_group, make_template, refused

make_template()
control("workload", {"group": "web", "load": {"constant": 400.0}})
make_group(size=(1, 4, 1))


def put(name, threshold):
    """An alarm on the mean CPU of the group."""
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=["arn:aws:lambda:us-east-1:123456789012:function:alarm"],
    )


def state(name):
    """State of the alarm of this name."""
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm["StateValue"]


put("scaling/web/cpu_usage", 70.0)
put("scaling/web/never", 100.5)
[made] = cloudwatch.describe_alarms(AlarmNames=["scaling/web/cpu_usage"])["MetricAlarms"]
assert (made["StateValue"], made["Threshold"], made["Period"]) == ("INSUFFICIENT_DATA", 70.0, 60), made
assert made["AlarmArn"].endswith(":alarm:scaling/web/cpu_usage"), made

# One overloaded instance is over 70 % in two minutes in a row, and never over 100.5 %.
advance(1800)
assert (state("scaling/web/cpu_usage"), state("scaling/web/never")) == ("ALARM", "OK")
alarming = cloudwatch.describe_alarms(AlarmNamePrefix="scaling/web/", StateValue="ALARM")["MetricAlarms"]
assert [alarm["AlarmName"] for alarm in alarming] == ["scaling/web/cpu_usage"], alarming

# By hand, until the next evaluation.
cloudwatch.set_alarm_state(AlarmName="scaling/web/never", StateValue="ALARM", StateReason="a test")
assert state("scaling/web/never") == "ALARM"
advance(180)
assert state("scaling/web/never") == "OK"
refused("ResourceNotFound", cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="a test")

# Pages.
for number in range(7):
    put(f"more-{number}", 90.0)
paginator = cloudwatch.get_paginator("describe_alarms")
pages = [len(page["MetricAlarms"]) for page in paginator.paginate(PaginationConfig={"PageSize": 4})]
assert pages == [4, 4, 1], pages

# Gone; a name that does not exist is no obstacle.
cloudwatch.delete_alarms(AlarmNames=["scaling/web/never", "none", "scaling/web/cpu_usage"])
assert cloudwatch.describe_alarms(AlarmNamePrefix="scaling/")["MetricAlarms"] == []
