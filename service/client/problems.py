"""What a server that does not serve says, as errors: Refused and Unavailable."""

from typing import Any

import httpx

from service.errors import Permanent, Transient

_PASSING = {429, 502, 503, 504}


class Refused(Permanent):
    """The server says that the request is wrong. `code` is stable, `status` is HTTP's, `detail` names the mend."""

    def __init__(self, status: int, code: str, detail: str, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id


class Unavailable(Transient):
    """The server does not answer, or says that it cannot now; `code` and `retry_after_s` are None where nothing was said."""

    def __init__(self, detail: str, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.retry_after_s = retry_after_s


def raise_for(response: httpx.Response) -> httpx.Response:
    """The response, when it is a good one."""
    if response.is_success:
        return response
    try:
        body = response.json()
    except ValueError:
        body = None
    raise problem(response.status_code, body if isinstance(body, dict) else {}, response)


def problem(status: int, body: dict[str, Any], response: httpx.Response | None) -> Refused | Unavailable:
    """The error that a problem document tells; `body` may be empty."""
    detail = str(
        body.get("detail") or f"The server answered with the status {status} and no explanation. Is it a Quoth?"
    )
    code = str(body.get("code") or f"http-{status}")
    if status in _PASSING:
        after = response.headers.get("retry-after", "") if response is not None else ""
        return Unavailable(detail, code, float(after) if after.isdecimal() else None)
    return Refused(status, code, detail, body.get("request_id"))


def unreachable(url: httpx.URL, error: httpx.TransportError) -> Unavailable:
    """The error for a server that cannot be reached."""
    return Unavailable(f"{url} does not answer ({type(error).__name__}: {error}). Is `quoth serve` running there?")
