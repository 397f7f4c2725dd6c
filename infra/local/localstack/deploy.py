"""Deploys a SAM template with its nested stacks to the running LocalStack. Runs in LocalStack's environment (boto3, PyYAML)."""

import io
import json
import os
import shlex
import sys
import time
import zipfile
from pathlib import Path

import boto3
import template as templates
from botocore.config import Config

BUCKET = "pipworks-packages"
STACK_LIMIT_S = 600
POLL_S = 0.3
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class DeployError(Exception):
    """The stack was not created; the message says which resources failed and why."""


class Cloud:
    """The clients, all pointed at the running LocalStack."""

    def __init__(self, endpoint, environment):
        session = boto3.session.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
        self.endpoint = endpoint
        for service in ("s3", "cloudformation", "apigateway"):
            setattr(self, service, session.client(service, endpoint_url=endpoint, config=config))


def package(executable, kind):
    """A Lambda package as bytes. `link` holds a script that runs the executable where it is, `zip` the executable itself.

    A link costs nothing to make, upload and unpack, and the function is the same process either way.
    """
    content = executable.read_bytes() if kind == "zip" else b"#!/bin/sh\nexec %s\n" % shlex.quote(str(executable)).encode()
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, content, compresslevel=1)
    return buffer.getvalue()


def upload_packages(cloud, names, folder, kind):
    """Uploads one package for each executable; returns their keys."""
    missing = [name for name in names if not os.access(folder / name, os.X_OK)]
    if missing:
        raise templates.TemplateError("%s has no executable %s" % (folder, ", ".join(missing)))
    cloud.s3.create_bucket(Bucket=BUCKET)
    keys = {name: "%s.zip" % name for name in names}
    for name, key in keys.items():
        cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=package((folder / name).resolve(), kind))
    return keys


def upload_template(cloud, key, template):
    """Uploads a template as `sam package` does; returns its address."""
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
    return "%s/%s/%s" % (cloud.endpoint, BUCKET, key)


def create_stack(cloud, name, url, parameters):
    """Creates the stack and waits; raises with the failed events when it fails."""
    cloud.cloudformation.create_stack(
        StackName=name,
        TemplateURL=url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=CAPABILITIES,
        DisableRollback=True,
    )
    deadline = time.monotonic() + STACK_LIMIT_S
    reported = 0
    while True:
        stack = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        done = [r for r in all_resources_of(cloud, name) if r["ResourceStatus"] == "CREATE_COMPLETE"]
        if len(done) >= reported + 20:
            reported = len(done)
            print("  %d resources" % reported, file=sys.stderr, flush=True)
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return stack
        if "FAILED" in stack["StackStatus"] or "ROLLBACK" in stack["StackStatus"] or time.monotonic() > deadline:
            raise DeployError("stack %s is %s\n%s" % (name, stack["StackStatus"], failures(cloud, name, stack)))
        time.sleep(POLL_S)


def resources_of(cloud, name):
    return cloud.cloudformation.describe_stack_resources(StackName=name)["StackResources"]


def all_resources_of(cloud, name):
    """The resources of a stack and of those nested in it; logical ids mean one thing in all of them."""
    own = resources_of(cloud, name)
    nested = [r["PhysicalResourceId"] for r in own if r["ResourceType"] == templates.STACK and r.get("PhysicalResourceId")]
    return own + [resource for stack in nested for resource in resources_of(cloud, stack)]


def failures(cloud, name, stack):
    """One line for each event that failed, of the nested stacks too."""
    nested = [r.get("PhysicalResourceId") for r in resources_of(cloud, name) if r["ResourceType"] == templates.STACK]
    events = []
    for stack_name in [name, *filter(None, nested)]:
        events += reversed(cloud.cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"])
    failed = [e for e in events if "FAILED" in e["ResourceStatus"] and e["ResourceType"] != templates.STACK]
    lines = [
        "  %s (%s): %s" % (e["LogicalResourceId"], e["ResourceType"], e.get("ResourceStatusReason", "no reason given"))
        for e in failed
    ]
    return "\n".join(lines) or "  " + stack.get("StackStatusReason", "no failed event; see LocalStack's own log")


def describe(cloud, stack):
    """What a caller needs to use the stack, as plain data."""
    resources = all_resources_of(cloud, stack["StackName"])
    apis = {}
    for resource in resources:
        if resource["ResourceType"] == "AWS::ApiGateway::RestApi":
            api_id = resource["PhysicalResourceId"]
            stages = [s["stageName"] for s in cloud.apigateway.get_stages(restApiId=api_id)["item"]]
            urls = {s: "%s/_aws/execute-api/%s/%s" % (cloud.endpoint, api_id, s) for s in stages}
            apis[resource["LogicalResourceId"]] = {"id": api_id, "urls": urls}
    return {
        "stack": stack["StackName"],
        "endpoint": cloud.endpoint,
        "outputs": {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        "apis": apis,
        "resources": {r["LogicalResourceId"]: r.get("PhysicalResourceId") for r in resources},
    }


def deploy(options, state, environment):
    """The whole deployment; returns the description of the stack."""
    cloud = Cloud(state["endpoint"], environment)
    begun = time.monotonic()
    root, nested = templates.read(Path(options.template))
    functions = [binary for template in (root, *nested.values()) for binary in templates.binaries_of(template).values()]
    keys = upload_packages(cloud, sorted(set(functions)), Path(options.binaries), options.package)
    urls = {
        path: upload_template(cloud, "%s/%s" % (options.stack, path), templates.point_at_packages(template, BUCKET, keys))
        for path, template in nested.items()
    }
    root = templates.point_at_templates(templates.point_at_packages(root, BUCKET, keys), urls)
    url = upload_template(cloud, "%s/template.json" % options.stack, root)
    title = "  creating stack %s with %d functions in %d nested stacks ..."
    print(title % (options.stack, len(functions), len(nested)), file=sys.stderr, flush=True)
    stack = create_stack(cloud, options.stack, url, options.param)
    print("  stack %s: %.1f s" % (options.stack, time.monotonic() - begun), file=sys.stderr, flush=True)
    return describe(cloud, stack)
