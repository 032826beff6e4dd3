"""A client for a running Quoth: `from service.client import Quoth`. Needs httpx and the records, no engines.

    with Quoth("http://127.0.0.1:8000") as quoth:
        answer = quoth.ask("How many attacks?")
        for event in quoth.stream("And since when?", conversation_id=answer.conversation_id): ...
        job = quoth.wait(quoth.upload(Path("contract.pdf"), "default"))

`AsyncQuoth` is the same with `await`. Answers are records (`service.records`); in the chunks of their passages `ordinal` is -1,
since the server does not send it. Read in this order: responses, requests, clients.
"""

from service.client.clients import AsyncQuoth, Quoth
from service.client.responses import Event, Job, Passages, Refused, Told, Unavailable

__all__ = ["AsyncQuoth", "Event", "Job", "Passages", "Quoth", "Refused", "Told", "Unavailable"]
