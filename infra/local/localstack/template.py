"""Reads a SAM template with its nested ones and points its functions at local packages. Needs PyYAML, so it runs in LocalStack's
environment."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from api_body import TemplateError, load, put_in_bodies  # noqa: E402

FUNCTION = "AWS::Serverless::Function"
STACK = "AWS::CloudFormation::Stack"


def read(path):
    """The template in a file, its API's body put in, and the templates nested in it by their TemplateURL."""
    root = put_in_bodies(load(path.read_text()), path.parent)
    return root, {url: _nested(path.parent / url) for url in nested_urls(root)}


def _nested(path):
    template = load(path.read_text())
    if nested_urls(template):
        raise TemplateError("%s nests stacks itself; only the root may" % path)
    return template


def nested_urls(template):
    return [resource["Properties"]["TemplateURL"] for resource in _stacks(template)]


def point_at_templates(root, urls):
    """Sets where each nested template is; `urls` maps its path to an address that CloudFormation reaches."""
    for resource in _stacks(root):
        resource["Properties"]["TemplateURL"] = urls[resource["Properties"]["TemplateURL"]]
    return root


def _stacks(template):
    return [resource for resource in template.get("Resources", {}).values() if resource.get("Type") == STACK]


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
