"""Prints the deployment template as JSON, each short intrinsic function (!Ref, !Sub) written out as a mapping."""

import json
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
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


Template.add_multi_constructor("!", intrinsic)

with open(sys.argv[1], encoding="utf-8") as file:
    json.dump(yaml.load(file, Template), sys.stdout, default=str)
