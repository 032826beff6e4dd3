"""`quoth eval speed`, `quoth eval load` and `quoth eval cluster`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evaluation.terminal import OutOption, report_errors


def speed(
    out: OutOption = Path("eval-speed"),
    peers: Annotated[
        str, typer.Option(help="Peers to compare with Quoth, separated by commas; `all` or `none`.")
    ] = "all",
    documents: Annotated[int, typer.Option(min=100, help="Documents that each indexes.")] = 2000,
    queries: Annotated[int, typer.Option(min=10, help="Queries that each answers.")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; each peer runs once in every round, in turn.")] = 3,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads that each may use; default: all cores.")] = None,
    growth: Annotated[
        str, typer.Option(help="Chunk counts at which Quoth alone is measured, such as 10000,100000.")
    ] = "",
    like: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Collection whose vectors growth draws new ones around; default: made-up documents."
        ),
    ] = None,
) -> None:
    """Compare indexing and search with other systems: same weights, documents and threads, separate environments."""
    with report_errors():
        from evaluation.speed.measuring import SpeedPlan, measure, peer_names
        from service.settings import load as load_settings

        plan = SpeedPlan(
            peers=peer_names(peers),
            documents=documents,
            queries=queries,
            repeats=repeats,
            threads=threads or os.cpu_count() or 1,
            growth=tuple(int(size) for size in growth.split(",") if size.strip()),
            like=None if like is None else load_settings().home / "collections" / like,
        )
        typer.echo(measure(plan, out, say=lambda line: typer.echo(line, err=True)))


def load(
    out: OutOption = Path("eval-load"),
    clients: Annotated[int, typer.Option(min=1, help="Clients that ask at once.")] = 32,
    seconds: Annotated[float, typer.Option(min=1, help="How long one client asks alone, and then all together.")] = 60,
    chunks: Annotated[
        int, typer.Option(min=100, help="Chunks in the collection of the server that is started.")
    ] = 100_000,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="A running server to ask instead.", show_default=False)
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="EVAL_API_KEY", help="API key of that server.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Ask for streams; one that breaks off is an error.")] = False,
    questions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ask these: JSON Lines with `question`, such as seeds/golden.jsonl.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure a server under load: throughput, latency, errors and memory, for one client and for many."""
    with report_errors():
        from evaluation.speed.load import LoadPlan, measure, read_questions

        asked = () if questions is None else read_questions(questions)
        plan = LoadPlan(clients=clients, seconds=seconds, chunks=chunks, stream=stream, questions=asked)
        typer.echo(measure(plan, out, endpoint, key, say=lambda line: typer.echo(line, err=True)))


def cluster(
    database: Annotated[
        str, typer.Option(metavar="URL", help="An empty PostgreSQL database: postgresql://user:password@host/name.")
    ],
    storage: Annotated[
        str, typer.Option(metavar="URL", help="An empty place for search tables: a folder, or s3://bucket/prefix.")
    ],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="BEIR folder with the passages and questions.")],
    out: OutOption = Path("eval-cluster"),
    questions: Annotated[int, typer.Option(min=1, help="Questions that both are asked.")] = 200,
    sizes: Annotated[str, typer.Option(help="Chunk counts to search, such as 10000,100000.")] = "10000,100000",
    workers: Annotated[str, typer.Option(help="Numbers of processes that index at once.")] = "1,2,4",
    documents: Annotated[int, typer.Option(min=10, help="Documents that they index, about eight chunks each.")] = 1000,
    hashed: Annotated[
        bool,
        typer.Option("--hashed", help="Vectors of hashed words: nothing is measured of the encoder, and much sooner."),
    ] = False,
) -> None:
    """Measure Quoth in a home folder and over PostgreSQL with shared search tables, side by side."""
    with report_errors():
        from evaluation.speed.cluster import ClusterPlan, measure

        plan = ClusterPlan(
            database=database,
            storage=storage,
            beir=data,
            questions=questions,
            sizes=tuple(int(size) for size in sizes.split(",")) if sizes else (),
            workers=tuple(int(count) for count in workers.split(",")) if workers else (),
            documents=documents,
            hashed=hashed,
        )
        typer.echo(measure(plan, out, say=lambda line: typer.echo(line, err=True)))
