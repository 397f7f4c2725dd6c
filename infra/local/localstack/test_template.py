#!/usr/bin/env python3
"""The rewrite of the templates, and how many resources SAM makes of them: python3 infra/local/localstack/test_template.py"""

import collections
import json
import logging
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import setup  # noqa: E402

try:
    import yaml  # noqa: F401
except ImportError:
    python = setup.setup_localstack()
    os.execv(python, [str(python), __file__, *sys.argv[1:]])

import api_body  # noqa: E402
import template  # noqa: E402

INFRA = Path(__file__).resolve().parents[2]
# CloudFormation takes 500; relations.rs asks the same of its own count on every cargo test, here SAM itself counts
STACK_RESOURCES_MAX = 200

SAM = """
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Conditions:
  HasMail: !Not [!Equals [!Ref Mail, '']]
Globals:
  Function:
    Architectures: [arm64]
    CodeUri: ../
    Timeout: 10
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  Relay:
    Type: AWS::Serverless::Function
    Condition: HasMail
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: ops_relay}}
    Properties:
      CodeUri: ../functions/ops
      Architectures: [arm64]
      Environment:
        Variables:
          TABLE: !Ref Table
          STREAM: !GetAtt Table.StreamArn
          NAME: !Sub
            - '${Stage}-${Name}'
            - {Name: !ImportValue shared}
          LEVEL: !If [HasMail, !Select [0, !Split [',', 'a,b']], !Ref AWS::NoValue]
"""


class Rewrite(unittest.TestCase):
    def setUp(self):
        self.template = template.load(SAM)

    def rewritten(self):
        return template.point_at_packages(self.template, "packages", {"ops_relay": "ops_relay.zip"})

    def test_short_tags_become_their_long_form(self):
        variables = self.template["Resources"]["Relay"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(variables["TABLE"], {"Ref": "Table"})
        self.assertEqual(variables["STREAM"], {"Fn::GetAtt": ["Table", "StreamArn"]})
        self.assertEqual(variables["NAME"], {"Fn::Sub": ["${Stage}-${Name}", {"Name": {"Fn::ImportValue": "shared"}}]})
        first = {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}
        self.assertEqual(variables["LEVEL"], {"Fn::If": ["HasMail", first, {"Ref": "AWS::NoValue"}]})
        self.assertEqual(self.template["Conditions"]["HasMail"], {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]})

    def test_the_result_can_be_written_as_json_with_dates_as_text(self):
        self.assertEqual(json.loads(json.dumps(self.rewritten()))["AWSTemplateFormatVersion"], "2010-09-09")

    def test_functions_get_their_package_and_lose_the_architecture(self):
        properties = self.rewritten()["Resources"]["Relay"]["Properties"]
        self.assertEqual(properties["CodeUri"], {"Bucket": "packages", "Key": "ops_relay.zip"})
        self.assertNotIn("Architectures", properties)
        self.assertEqual(self.template["Globals"]["Function"], {"Timeout": 10})

    def test_everything_else_is_left_alone(self):
        before = template.load(SAM)
        after = self.rewritten()
        self.assertEqual(after["Resources"]["Table"], before["Resources"]["Table"])
        self.assertEqual(after["Resources"]["Relay"]["Condition"], "HasMail")
        self.assertEqual(
            after["Resources"]["Relay"]["Properties"]["Environment"],
            before["Resources"]["Relay"]["Properties"]["Environment"],
        )

    def test_a_function_without_a_binary_is_refused_by_name(self):
        del self.template["Resources"]["Relay"]["Metadata"]
        with self.assertRaisesRegex(template.TemplateError, "Relay"):
            template.binaries_of(self.template)


DOCUMENT = """
openapi: 3.1.0
info: {title: a, version: 1.0.0, summary: not in 3.0}
paths:
  /a/{id}:
    parameters: [{$ref: '#/components/parameters/Id'}]
    get:
      summary: not for the gateway
      responses: {'200': {content: {application/json: {schema: {type: [string, 'null']}}}}}
      x-amazon-apigateway-integration: {type: aws_proxy, uri: {Fn::Sub: 'arn:${AWS::Partition}:a'}}
"""


class Body(unittest.TestCase):
    def test_the_gateway_gets_paths_methods_and_integrations_as_openapi_3_0(self):
        part = api_body.gateway_part(api_body.load(DOCUMENT))
        self.assertEqual((part["openapi"], part["info"]), ("3.0.1", {"title": "a", "version": "1.0.0"}))
        integration = {"type": "aws_proxy", "uri": {"Fn::Sub": "arn:${AWS::Partition}:a"}}
        operation = {"responses": {}, "x-amazon-apigateway-integration": integration}
        self.assertEqual(part["paths"], {"/a/{id}": {"get": operation}})

    def test_an_operation_that_nobody_answers_is_refused_by_name(self):
        document = api_body.load(DOCUMENT)
        del document["paths"]["/a/{id}"]["get"]["x-amazon-apigateway-integration"]
        with self.assertRaisesRegex(api_body.TemplateError, "GET /a/{id}"):
            api_body.gateway_part(document)

    def test_a_built_template_is_rewritten_with_the_body_in_it(self):
        with tempfile.TemporaryDirectory() as folder:
            built = Path(folder) / "target" / "template.yaml"
            built.parent.mkdir()
            (Path(folder) / "openapi.yaml").write_text(DOCUMENT)
            include = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: ../openapi.yaml}}}"
            built.write_text("Resources: {Api: {Type: AWS::Serverless::Api, Properties: {DefinitionBody: %s}}}" % include)
            api_body.main(built)
            body = json.loads(built.read_text())["Resources"]["Api"]["Properties"]["DefinitionBody"]
        self.assertEqual(list(body["paths"]), ["/a/{id}"])


class Stacks(unittest.TestCase):
    """The real ones."""

    def setUp(self):
        self.root, self.nested = template.read(INFRA / "template.yaml")

    def test_each_nested_template_is_found_and_gets_its_address(self):
        self.assertEqual(sorted(self.nested), sorted("stacks/" + path.name for path in (INFRA / "stacks").iterdir()))
        root = template.point_at_templates(self.root, {path: "http://there/" + path for path in self.nested})
        self.assertTrue(all(url.startswith("http://there/stacks/") for url in template.nested_urls(root)))

    def test_no_stack_has_more_than_200_resources_when_sam_has_transformed_it(self):
        counts = {"template.yaml": resources_after_sam(self.root)}
        counts.update((path, resources_after_sam(nested)) for path, nested in self.nested.items())
        for path, kinds in sorted(counts.items()):
            print("%-24s %3d resources" % (path, sum(kinds.values())))
        self.assertLessEqual(max(sum(kinds.values()) for kinds in counts.values()), STACK_RESOURCES_MAX)


def resources_after_sam(one):
    """How many resources of each type SAM makes of a template."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.disable(logging.WARNING)
    from samtranslator.translator.transform import transform

    document = json.loads(json.dumps(one))
    document["Resources"].update(
        (name, dict(resource, Properties=dict(resource["Properties"], CodeUri={"Bucket": "b", "Key": "k"})))
        for name, resource in document["Resources"].items()
        if resource["Type"] == template.FUNCTION
    )
    document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    transformed = document
    if document.get("Transform"):
        values = {name: parameter.get("Default", "given") for name, parameter in document["Parameters"].items()}
        transformed = transform(document, values, ManagedPolicies())
    return collections.Counter(resource["Type"] for resource in transformed["Resources"].values())


class ManagedPolicies:
    """Ours are written out; SAM asks all the same."""

    def load(self):
        return {}


if __name__ == "__main__":
    unittest.main()
