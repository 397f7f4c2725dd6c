"""Reads a SAM template and points its functions at local packages. Needs PyYAML, so it runs in LocalStack's environment."""

import yaml

FUNCTION = "AWS::Serverless::Function"


class TemplateError(Exception):
    """The template or the folder of binaries does not hold what a deployment needs."""


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


def binaries_of(template):
    """The executable's name for each function: {logical id: Metadata.BuildProperties.Binary}."""
    found = {}
    for logical_id, resource in template.get("Resources", {}).items():
        if resource.get("Type") == FUNCTION:
            binary = resource.get("Metadata", {}).get("BuildProperties", {}).get("Binary")
            if not binary:
                raise TemplateError("function %s names no Metadata.BuildProperties.Binary" % logical_id)
            found[logical_id] = binary
    return found


def point_at_packages(template, bucket, keys):
    """Sets each function's code to its package in `bucket`; `keys` maps an executable's name to its key.

    The architecture goes too: the packages hold this machine's binaries.
    """
    defaults = template.get("Globals", {}).get("Function", {})
    defaults.pop("Architectures", None)
    defaults.pop("CodeUri", None)
    for logical_id, binary in binaries_of(template).items():
        properties = template["Resources"][logical_id]["Properties"]
        properties.pop("Architectures", None)
        properties["CodeUri"] = {"Bucket": bucket, "Key": keys[binary]}
    return template
