"""A server process that LocalStack manages as one of its threads."""

import logging
import subprocess

from localstack.utils.threads import FuncThread

LOG = logging.getLogger(__name__)


class ChildThread(FuncThread):
    """Runs a command in LocalStack's own process group and logs what it prints."""

    def __init__(self, command, name):
        self.command = command
        self.process = None
        self.auto_restart = False
        super().__init__(self._run_command, name=name)

    def _run_command(self, _params):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in self.process.stdout:
            LOG.info("%s: %s", self.name, line.rstrip())
        return self.process.wait()

    def stop(self, quiet=False):
        if self.process:
            self.process.terminate()
