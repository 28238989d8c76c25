"""Prints the deployment template as JSON, each short intrinsic function (!Ref, !Sub) written out as a mapping.

With `--expanded`, what CloudFormation is given: SAM's own resources written out as the roles, permissions, stages and
schedules that they stand for.
"""

import json
import os
import sys

import yaml


class Template(yaml.SafeLoader):
    """Reads the tags of CloudFormation."""


def intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


def expanded(template):
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from samtranslator.translator.transform import transform

    class Policies:
        """Managed policies are named in full where the template needs them, and asked for nowhere."""

        def load(self):
            return {}

    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return transform(template, {}, Policies())


Template.add_multi_constructor("!", intrinsic)

with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml.load(file, Template)
if "--expanded" in sys.argv[2:]:
    template = expanded(template)
json.dump(template, sys.stdout, default=str)
