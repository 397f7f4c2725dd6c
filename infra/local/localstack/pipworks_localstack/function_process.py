"""One operating system process of a function, and the Lambda Runtime API that it polls."""

import json
import queue
import subprocess
import threading
from collections import deque
from concurrent.futures import Future, InvalidStateError, TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = "/2018-06-01/runtime"
LOG_LINES_MAX = 10_000


@dataclass
class Invocation:
    """One event on its way to the function; `result` becomes (is_error, body)."""

    request_id: str
    arn: str
    trace_id: str
    body: bytes
    deadline_ms: int
    result: Future = field(default_factory=Future)


class FunctionProcess:
    """Starts the process with a Runtime API of its own, so that nothing of an earlier process can answer for it."""

    def __init__(self, bootstrap, environment, log_file):
        self.waiting = queue.SimpleQueue()
        self.current = None
        self.ready = Future()
        self._lines = deque(maxlen=LOG_LINES_MAX)
        self._log_file = open(log_file, "ab", buffering=0)
        self._api = RuntimeApi(self)
        address = "127.0.0.1:%d" % self._api.server_port
        self._process = subprocess.Popen(
            [str(bootstrap)],
            cwd=str(bootstrap.parent),
            env={**environment, "AWS_LAMBDA_RUNTIME_API": address},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read_output, name="function-output", daemon=True).start()

    def alive(self):
        return self._process.poll() is None

    def wait_until_ready(self, limit_s):
        """Returns nothing once the function polls for its first event, or the error that its initialisation ended with."""
        try:
            return self.ready.result(limit_s)
        except FutureTimeoutError:
            return _error("Sandbox.Timedout", "Task timed out after %.2f seconds of initialisation" % limit_s)

    def answer(self, invocation, limit_s):
        """Returns (is_error, body), or nothing when the function did not answer in time."""
        self.current = invocation
        if not self.alive():
            self._fail_current()
        self.waiting.put(invocation)
        try:
            return invocation.result.result(limit_s)
        except FutureTimeoutError:
            return None
        finally:
            self.current = None

    def stop(self):
        """Kills the process, which ends its output and with it the Runtime API."""
        self._process.kill()

    def log(self, line):
        self._log_line(line.encode() + b"\n")

    def take_logs(self):
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        return b"".join(lines).decode(errors="replace")

    def _log_line(self, line):
        self._lines.append(line)
        self._log_file.write(line)

    def _read_output(self):
        for line in self._process.stdout:
            self._log_line(line)
        self._process.wait()
        _settle(self.ready, _error("Runtime.ExitError", self._exit_message()))
        self._fail_current()
        self.waiting.put(None)
        self._api.stop()

    def _fail_current(self):
        invocation = self.current
        if invocation:
            message = "RequestId: %s Error: %s" % (invocation.request_id, self._exit_message())
            _settle(invocation.result, (True, _error("Runtime.ExitError", message)))

    def _exit_message(self):
        code = self._process.returncode
        return "Runtime exited with error: " + ("signal %d" % -code if code < 0 else "exit status %d" % code)


class RuntimeApi(ThreadingHTTPServer):
    """The HTTP interface that a function's runtime polls, one for each process."""

    daemon_threads = True

    def __init__(self, function):
        self.function = function
        super().__init__(("127.0.0.1", 0), RuntimeApiHandler)
        threading.Thread(target=self.serve_forever, args=(0.05,), name="runtime-api", daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class RuntimeApiHandler(BaseHTTPRequestHandler):
    """GET next; POST response, error and init error."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the head and the body leave in one packet: no delayed acknowledgement to wait for
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path != API + "/invocation/next":
            return self._send(404)
        function = self.server.function
        _settle(function.ready, None)
        invocation = function.waiting.get()
        if invocation is None:
            self.close_connection = True
            return None
        return self._send(
            200,
            invocation.body,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self):
        body = self._read_body()
        if self.path == API + "/init/error":
            _settle(self.server.function.ready, body)
            return self._send(202)
        request_id, _, kind = self.path[len(API + "/invocation/") :].partition("/")
        invocation = self.server.function.current
        if kind not in ("response", "error"):
            return self._send(404)
        if invocation is None or invocation.request_id != request_id or invocation.result.done():
            return self._send(400, _error("InvalidRequestID", "Invalid request ID"))
        self._send(202)
        self.wfile.flush()
        _settle(invocation.result, (kind == "error", body))
        return None

    def log_message(self, *_arguments):
        """Requests are not logged: the function's own lines are what is read."""

    def _read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _settle(future, value):
    """The first to know how it ended wins: the answer, the end of the process or the deadline."""
    try:
        future.set_result(value)
    except InvalidStateError:
        return


def _error(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
