#!/usr/bin/env python3
"""Puts into a SAM template what API Gateway needs of the OpenAPI document that it includes.

    api_body.py target/sam/template.yaml      rewrites the file, as JSON

API Gateway reads OpenAPI 3.0 and refuses 3.1, and of the contract it needs no more than which function answers which operation.
Needs PyYAML, so it runs with the Python of the SAM CLI or of LocalStack.
"""

import json
import sys
from pathlib import Path

import yaml

API = "AWS::Serverless::Api"
INTEGRATION = "x-amazon-apigateway-integration"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method")


class TemplateError(Exception):
    """The template, or what it includes, does not hold what a deployment needs."""


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: dates stay text, and `!Ref x` is `{"Ref": x}`."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else "Fn::" + suffix: value}


_Loader.add_multi_constructor("!", _short_tag)


def load(text):
    """The template as plain data, every short tag in its long form; it can be written as JSON."""
    return yaml.load(text, Loader=_Loader)


def put_in_bodies(template, folder):
    """Replaces each included API body by the gateway's part of the document; paths are relative to `folder`."""
    for resource in template.get("Resources", {}).values():
        if resource.get("Type") == API:
            body = resource["Properties"].get("DefinitionBody", {})
            include = body.get("Fn::Transform", {})
            if include.get("Name") == "AWS::Include":
                document = load((folder / include["Parameters"]["Location"]).read_text())
                resource["Properties"]["DefinitionBody"] = gateway_part(document)
    return template


def gateway_part(document):
    """Paths, methods and integrations as OpenAPI 3.0, and nothing else."""
    paths = {}
    for path, item in document["paths"].items():
        paths[path] = {method: _operation(path, method, item[method]) for method in METHODS if method in item}
    info = {"title": document["info"]["title"], "version": document["info"]["version"]}
    return {"openapi": "3.0.1", "info": info, "paths": paths}


def _operation(path, method, operation):
    if INTEGRATION not in operation:
        raise TemplateError("%s %s: no %s says which function answers" % (method.upper(), path, INTEGRATION))
    return {"responses": {}, INTEGRATION: operation[INTEGRATION]}


def main(path):
    template = put_in_bodies(load(path.read_text()), path.parent)
    path.write_text(json.dumps(template, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except (TemplateError, OSError) as error:
        sys.exit("error: %s" % error)
