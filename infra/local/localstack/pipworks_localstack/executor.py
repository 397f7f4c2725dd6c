"""Runs a Lambda function as a plain process: LocalStack's executor without Docker."""

import json
import logging
import os
import time
from datetime import datetime, timezone
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from pipworks_localstack.function_process import FunctionProcess, Invocation

LOG = logging.getLogger(__name__)

INIT_LIMIT_S = 10
GATEWAY_HOST = "127.0.0.1"


class ProcessExecutor(RuntimeExecutor):
    """One execution environment: the function's process, started again after a crash or a time-out."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.process = None
        self.environment = {}

    def start(self, env_vars):
        self.environment = self._environment(env_vars)
        self.process = self._launch()
        failure = self.process.wait_until_ready(INIT_LIMIT_S)
        if failure is not None:
            self.process.stop()
            raise StatusErrorException("The function failed to start", payload=failure)

    def stop(self):
        if self.process:
            self.process.stop()

    def invoke(self, payload):
        """Hands one event to the function and waits for its answer, its end or its deadline."""
        limit_s = int(self.function_version.config.timeout)
        begun = time.monotonic()
        invocation = Invocation(
            request_id=payload["invoke-id"],
            arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            body=payload["payload"].encode(),
            deadline_ms=int((time.time() + limit_s) * 1000),
        )
        if not self.process.alive():
            self.process.stop()
            self.process = self._launch()
        self.process.log("START RequestId: %s Version: %s" % (invocation.request_id, self.function_version.id.qualifier))
        answer = self.process.answer(invocation, limit_s)
        if answer is None:
            self.process.stop()
            answer = (True, _timed_out(invocation.request_id, limit_s))
        is_error, body = answer
        duration_ms = (time.monotonic() - begun) * 1000
        self.process.log("END RequestId: %s" % invocation.request_id)
        self.process.log("REPORT RequestId: %s\tDuration: %.2f ms" % (invocation.request_id, duration_ms))
        return InvocationResult(invocation.request_id, body, is_error=is_error, logs=self.process.take_logs())

    def get_address(self):
        return GATEWAY_HOST

    def get_endpoint_from_executor(self):
        return GATEWAY_HOST

    def get_runtime_endpoint(self):
        return "http://%s:%d" % (GATEWAY_HOST, config.GATEWAY_LISTEN[0].port)

    def get_logs(self):
        return self.process.take_logs() if self.process else ""

    @classmethod
    def prepare_version(cls, function_version):
        code = function_version.config.code
        code.prepare_for_execution()
        bootstrap = code.get_unzipped_code_location() / "bootstrap"
        if not bootstrap.is_file():
            raise FileNotFoundError("the package of %s has no file `bootstrap`" % function_version.id.function_name)
        bootstrap.chmod(0o755)

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    def _launch(self):
        code = self.function_version.config.code.get_unzipped_code_location()
        log_file = Path(os.environ["PIPWORKS_LAMBDA_LOGS"]) / (self.function_version.id.function_name + ".log")
        return FunctionProcess(code / "bootstrap", self.environment, log_file)

    def _environment(self, env_vars):
        """What LocalStack would set in the container, plus what the container's init adds; nothing of this machine's."""
        environment = {key: str(value) for key, value in env_vars.items()}
        environment["LAMBDA_TASK_ROOT"] = str(self.function_version.config.code.get_unzipped_code_location())
        environment.setdefault("PATH", os.environ["PATH"])
        logging_config = self.function_version.config.logging_config or {}
        environment["AWS_LAMBDA_LOG_FORMAT"] = logging_config.get("LogFormat") or "Text"
        if level := logging_config.get("ApplicationLogLevel"):
            environment["AWS_LAMBDA_LOG_LEVEL"] = level
        return environment


def _timed_out(request_id, limit_s):
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    message = "%sZ %s Task timed out after %.2f seconds" % (now, request_id, limit_s)
    return json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": message}).encode()
