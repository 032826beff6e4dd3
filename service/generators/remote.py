"""The generator `remote`: a language model on any server with the OpenAI chat protocol (llama.cpp, vLLM, Ollama ...).

Every failure of the server raises GeneratorUnavailable: silence, a broken stream, garbage, 429, 5xx. As long as no text has
arrived, the request is repeated after a growing pause with jitter. After several failures in a row a circuit breaker stops
the requests for a while.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from service.errors import GeneratorUnavailable
from service.generators.budget import TokenBudget, fit_passages
from service.generators.openai_client import MAX_SILENCES, ChatServer, ModelEndpoint, Reply, RequestFailed
from service.generators.protocol import LINE_TOKENS, Completion, Draft, Passage, Report
from service.generators.stream_parser import parse_drafts
from service.progress import current_stages
from service.prompts import Messages, Prompts
from service.text.thoughts import without_thoughts

_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.5  # doubled for each further attempt, times a random factor of 0.5 to 1.0


class CircuitBreaker:
    """Opens after `max_failures` failures in a row; while open, it lets one call every `rest_s` seconds try. Thread-safe.

    `clock` returns seconds and never goes back.
    """

    def __init__(
        self, max_failures: int = 3, rest_s: float = 20.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_failures = max_failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._next_try = 0.0

    def wait_s(self) -> float:
        """0 if a call may be made now, else the seconds until one may."""
        with self._lock:
            now = self._clock()
            if self._failures < self._max_failures:
                return 0.0
            if now < self._next_try:
                return self._next_try - now
            self._next_try = now + self._rest_s
            return 0.0

    def record_success(self) -> None:
        """Close the breaker."""
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        """Count a failure."""
        with self._lock:
            self._failures += 1
            self._next_try = self._clock() + self._rest_s


class RemoteGenerator:
    """A generator and language model on a server. Thread-safe. It sends nothing before the first question.

    `line_s` is the longest wait for the reply of `complete`. `pause` waits for a number of seconds.
    """

    name = "remote"

    def __init__(
        self,
        server: ModelEndpoint,
        budget: TokenBudget,
        prompts: Prompts,
        temperature: float = 0.0,
        line_s: float = 15.0,
        breaker: CircuitBreaker | None = None,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self._server = server
        self._budget = budget
        self._prompts = prompts
        self._chat = ChatServer(server, budget, temperature)
        brief = TokenBudget(budget.context, LINE_TOKENS)
        self._line = ChatServer(
            replace(server, silence_s=line_s), brief, 0.0, max_silences=1, limit="llm_rewrite_timeout_s"
        )
        self._breaker = breaker or CircuitBreaker()
        self._pause = pause or (lambda seconds: current_stages().pause(seconds))
        self._plain = False

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()
        self._line.close()

    def tokens(self, text: str) -> int:
        """See LanguageModel."""
        return self._line.tokens(text)

    def complete(self, messages: Messages) -> Completion:
        """See LanguageModel."""
        self._require_closed_breaker()
        reply = Reply()
        while True:
            try:
                pieces = self._line.write(messages, reply, plain=self._plain)
                text = "".join(without_thoughts(pieces, lambda: reply.finish == "length", whole=True))
            except RequestFailed as failed:
                current_stages().raise_if_stopped()
                if failed.dialect and not self._plain:
                    self._plain = True
                    continue
                raise self._record_unavailable(failed) from failed
            self._breaker.record_success()
            return Completion(text, reply.usage)

    def generate(
        self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()
    ) -> Iterator[Draft | Report]:
        """Yield each sentence as soon as it has arrived, then the Report. Closing the iterator ends the request."""
        self._require_closed_breaker()
        messages, shown = fit_passages(question, passages, self._prompts, self._budget.room, self._chat.tokens, parts)
        reply = Reply()
        failure: GeneratorUnavailable | None = None
        try:
            yield from parse_drafts(self._pieces(messages, reply), shown, lambda: reply.finish == "length")
        except GeneratorUnavailable as error:
            failure = error
        yield Report(self._prompts.hash, reply.usage, tuple(self._notes(reply, len(passages) - shown)), reply.retries)
        if failure:
            raise failure

    def _pieces(self, messages: Messages, reply: Reply) -> Iterator[str]:
        """Yield the text as it arrives. Another attempt is made only if no text has been yielded."""
        until = time.monotonic() + self._server.silence_s * MAX_SILENCES
        while True:
            try:
                yield from self._chat.write(messages, reply, plain=self._plain)
            except RequestFailed as failed:
                current_stages().raise_if_stopped()  # a request that was cut off is not a failure of the server
                if failed.dialect and not self._plain:
                    self._plain = True
                    continue
                pause = self._pause_before(reply.retries + 2, failed.again_after)
                if pause is None or reply.characters or time.monotonic() + pause > until:
                    raise self._record_unavailable(failed) from failed
                self._pause(pause)
                reply.retries += 1
            else:
                self._breaker.record_success()
                return

    def _require_closed_breaker(self) -> None:
        wait = self._breaker.wait_s()
        if wait:
            raise GeneratorUnavailable(
                f"The language model's server at {self._server.place} failed several times in a row. "
                f"It is asked again in {wait:.0f} s."
            )

    def _record_unavailable(self, failed: RequestFailed) -> GeneratorUnavailable:
        self._breaker.record_failure()
        return GeneratorUnavailable(f"The language model's server at {self._server.place} {failed}")

    def _pause_before(self, attempt: int, asked: float | None) -> float | None:
        """The seconds to wait before an attempt; None if no further attempt is to be made."""
        if asked is None or attempt > _ATTEMPTS:
            return None
        return max(asked, _FIRST_PAUSE_S * 2.0 ** (attempt - 2) * random.uniform(0.5, 1.0))

    def _notes(self, reply: Reply, left_out: int) -> Iterator[str]:
        if left_out:
            yield f"The language model's context held {left_out} fewer passages than were found."
        if reply.calls_tool:
            yield "The language model called a tool instead of writing an answer."
        if reply.finish == "length":
            yield f"The language model was stopped after {self._budget.answer:,} tokens; the end may be missing."
        if reply.finish == "content_filter":
            yield "The language model's server stopped the answer by its content filter."
