"""What is found does not depend on how much is asked for: the hits for a smaller `k` begin those for a larger one."""

from collections.abc import Iterator

import httpx
import pytest

from index.sync.sync import sync
from service.answering.service import Service
from service.composition.http import create_app
from service.composition.service import assemble
from service.session.session import make_session
from service.settings import Settings
from service.storage.conversations import ConversationStore

QUESTIONS = ("What does a permit for mooring number 7 cost?", "permit", "When is the quay closed in winter?")


@pytest.fixture(scope="module")
def quays(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Iterator[Service]:
    """The real service over sixty short documents that read alike."""
    folder, home = tmp_path_factory.mktemp("papers"), tmp_path_factory.mktemp("home")
    for number in range(60):
        topic = ("mooring", "berth", "slip")[number % 3]
        text = f"A permit for {topic} number {number} costs {number + 11} crowns. The quay is closed on day {number}."
        (folder / f"{topic}-{number}.md").write_text(f"# Quay {number}\n\n{text}\n", "utf-8")
    assembled = assemble(Settings(home=home))
    sync(assembled.library.open_or_create("default"), [folder])
    yield assembled
    assembled.library.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_first_hits_are_the_same_for_any_k(quays: Service, store: ConversationStore, question: str) -> None:
    session = make_session(quays, store)
    many = [hit.chunk.id for hit in session.search(question, 50, None)]
    assert len(many) == 50
    for k in (1, 5, 20):
        assert [hit.chunk.id for hit in session.search(question, k, None)] == many[:k]


def test_the_first_hit_over_http_is_the_same_for_k_1_and_k_50(
    quays: Service, store: ConversationStore, loopback: type
) -> None:
    with loopback(create_app(quays, store)) as address, httpx.Client(base_url=address, timeout=100) as client:
        for question in QUESTIONS:
            one, many = (client.post("/v1/search", json={"query": question, "k": k}).json()["hits"] for k in (1, 50))
            assert (len(one), len(many)) == (1, 50)
            assert one == many[:1]
