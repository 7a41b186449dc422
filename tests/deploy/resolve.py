"""Prints the documents of a YAML file as JSON, with the intrinsic functions of CloudFormation worked out.

    resolve.py FILE [PARAMETER=VALUE…]

What only AWS knows (an ARN of a resource that is not there yet) stands as an ARN of the right form.
"""

import json
import re
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


def tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", tagged)
# The version of a template or a policy is a text.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

NOTHING = object()
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": NOTHING}
ARNS = {
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/{}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::KMS::Key": "arn:aws:kms:us-east-1:111122223333:key/{}",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:111122223333:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:111122223333:log-group:{}:*",
    "AWS::ECS::Cluster": "arn:aws:ecs:us-east-1:111122223333:cluster/{}",
    "AWS::ECS::TaskDefinition": "arn:aws:ecs:us-east-1:111122223333:task-definition/{}:1",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:111122223333:{}",
}


class Template:
    def __init__(self, document, given):
        self.document = document
        self.values = dict(PSEUDO)
        for name, parameter in document.get("Parameters", {}).items():
            value = given.get(name, parameter.get("Default", name.lower()))
            self.values[name] = str(value).split(",") if parameter["Type"] == "CommaDelimitedList" else value
        self.values.update(given if not document.get("Parameters") else {k: v for k, v in given.items() if k in PSEUDO})

    def named(self, name):
        if name in self.values:
            return self.values[name]
        resource = self.document["Resources"][name]
        return ARNS["AWS::ECS::TaskDefinition"].format(name) if resource["Type"] == "AWS::ECS::TaskDefinition" else name.lower()

    def attribute(self, name, attribute):
        kind = self.document["Resources"][name]["Type"]
        return ARNS[kind].format(name.lower()) if attribute == "Arn" else f"{name.lower()}-{attribute.lower()}"

    def substitute(self, text, extra):
        def one(found):
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in extra:
                return str(extra[name])
            if "." in name:
                return self.attribute(*name.split("."))
            return str(self.named(name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.document["Conditions"][condition])
        (function, inner), = condition.items()
        if function == "Condition":
            return self.holds(inner)
        if function == "Fn::Equals":
            left, right = (self.resolve(side) for side in inner)
            return str(left) == str(right)
        if function == "Fn::Not":
            return not self.holds(inner[0])
        if function == "Fn::And":
            return all(self.holds(part) for part in inner)
        if function == "Fn::Or":
            return any(self.holds(part) for part in inner)
        raise SystemExit(f"unknown condition {function}")

    def resolve(self, node):
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, inner), = node.items()
            if function == "Ref":
                return self.named(inner)
            if function == "Fn::Sub":
                text, extra = inner if isinstance(inner, list) else (inner, {})
                return self.substitute(text, self.resolve(extra))
            if function == "Fn::GetAtt":
                return self.attribute(*(inner.split(".") if isinstance(inner, str) else inner))
            if function == "Fn::If":
                return self.resolve(inner[1] if self.holds(inner[0]) else inner[2])
            if function == "Fn::Join":
                return inner[0].join(self.resolve(inner[1]))
            if function.startswith("Fn::"):
                raise SystemExit(f"unknown function {function}")
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NOTHING}

    def resources(self):
        return {
            name: self.resolve(resource)
            for name, resource in self.document["Resources"].items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }


def main(path, *given):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.load_all(file, Loader) if document]
    given = dict(pair.split("=", 1) for pair in given)
    print(json.dumps([Template(document, given).resources() if "AWSTemplateFormatVersion" in document else document for document in documents]))


main(*sys.argv[1:])
