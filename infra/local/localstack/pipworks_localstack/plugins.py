"""The entry points that LocalStack loads: the executor, and a hook that runs before its services start."""

import json
import os
import threading

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

CLOUDFORMATION_POLL_S = 0.02
SQS_LONG_POLL_S = 20


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen with LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args, **kwargs):
        from pipworks_localstack.executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start()
def adapt_localstack():
    """Applies what no LocalStack setting offers."""
    start_our_dynamodb()
    shorten_cloudformation_polls()
    wait_at_queues()
    know_functions_signatures()


def start_our_dynamodb():
    """DynamoDB Local is started by our command instead of being downloaded, and in LocalStack's process group.

    LocalStack gives its children a session each, so they would survive it; one group can be stopped as a whole.
    """
    from localstack.services.dynamodb.server import DynamodbServer

    from pipworks_localstack.child import ChildThread

    command = json.loads(os.environ["PIPWORKS_DYNAMODB_COMMAND"])

    def do_start_thread(server):
        thread = ChildThread([*command, "-port", str(server.port)], name="dynamodb-local")
        thread.start()
        return thread

    DynamodbServer.do_start_thread = do_start_thread
    # Java needs 2 s: by the time that the first table is created it is up
    threading.Thread(target=DynamodbServer.get().start_dynamodb, name="dynamodb-early", daemon=True).start()


def shorten_cloudformation_polls():
    """CloudFormation asks a resource whether it is ready every 5 s; local resources are ready at once."""
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    deploy_loop = ResourceProviderExecutor.deploy_loop
    max_timeout, _ = deploy_loop.__defaults__
    deploy_loop.__defaults__ = (max_timeout, CLOUDFORMATION_POLL_S)


def wait_at_queues():
    """A queue's event source mapping waits at the queue, so a message is delivered at once and idling costs nothing.

    LocalStack asks without waiting, and then less and less often while the queue is empty (up to 10 s).
    """
    from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
    from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

    original_init, original_poll = SqsPoller.__init__, SqsPoller.poll_events

    def init(poller, *args, **kwargs):
        original_init(poller, *args, **kwargs)
        poller.maximum_batching_window = SQS_LONG_POLL_S

    def poll_events(poller):
        try:
            original_poll(poller)
        except EmptyPollResultsException:
            return

    SqsPoller.__init__ = init
    SqsPoller.poll_events = poll_events


def know_functions_signatures():
    """An address that a function signs is checked with the secret of the function's role.

    LocalStack looks for the secret among users' keys only, and takes "test" for all others.
    """
    from localstack.aws.accounts import get_account_id_from_access_key_id
    from localstack.services.s3 import presigned_url
    from moto.sts.models import sts_backends

    original = presigned_url.get_secret_access_key_from_access_key_id

    def secret(access_key_id, region):
        account = get_account_id_from_access_key_id(access_key_id)
        roles = (backend.get_assumed_role_from_access_key(access_key_id) for backend in sts_backends[account].values())
        found = [role.secret_access_key for role in roles if role]
        return found[0] if found else original(access_key_id, region)

    presigned_url.get_secret_access_key_from_access_key_id = secret
