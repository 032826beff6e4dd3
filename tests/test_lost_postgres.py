"""PostgreSQL goes away while an answer is being made: the answer arrives with a note, and the server recovers by itself."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.composition.http import create_app
from service.session.stream import NOT_KEPT
from tests.gated_server import WAIT, gated_session


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_outlives_the_database_that_it_began_with(
    tmp_path: Path, postgres: Any, loopback: Any, stream: bool
) -> None:
    with (
        gated_session(tmp_path, postgres.fresh()) as (session, gate),
        loopback(create_app(session.service, session.store)) as url,
        ThreadPoolExecutor() as callers,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        kept = client.post("/v1/chat", json={"question": "Why?"}).json()
        running = callers.submit(client.post, "/v1/chat", json={"question": WAIT, "stream": stream})
        assert gate.begun.wait(20)
        postgres.stop()
        try:
            gate.go.set()
            response = running.result()
            assert response.status_code == 200
            answer = json.loads(response.text.strip().rpartition("data: ")[2])
            assert answer["text"] == "No."
            assert answer["notes"] == [NOT_KEPT]
            for path in ("/v1/conversations", f"/v1/answers/{kept['id']}"):
                gone = client.get(path)
                assert (gone.status_code, gone.json()["code"]) == (503, "store-unavailable")
                assert "Traceback" not in gone.text
            assert client.get("/readyz").status_code == 503
        finally:
            postgres.start()
        again = client.post("/v1/chat", json={"question": "Why now?"}).json()
        assert again["notes"] == []
        assert {client.get(f"/v1/answers/{id}").status_code for id in (kept["id"], again["id"])} == {200}
        assert client.get(f"/v1/answers/{answer['id']}").status_code == 404
        assert client.get("/readyz").status_code == 200
