#!/usr/bin/env python3
"""The rewrite of the template: python3 infra/local/localstack/test_template.py"""

import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import setup  # noqa: E402

try:
    import yaml  # noqa: F401
except ImportError:
    python = setup.setup_localstack()
    os.execv(python, [str(python), __file__, *sys.argv[1:]])

import template  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
