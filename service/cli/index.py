"""The command `quoth index`: folders, files and web pages into a collection, once or for as long as they change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from index.storage.buckets import is_object_url
from service.cli import rendering
from service.cli.console import CollectionOption, library_of, quiet_settings, stderr, stdout
from service.cli.interruption import INTERRUPTED
from service.cli.progress import shown_progress

if TYPE_CHECKING:
    from index.collection import Collection
    from index.library import Library
    from index.sync.listing import Listing
    from index.sync.sync import SyncReport


INCOMPLETE = 4
"""The exit code when documents were indexed, but a file was rejected, or documents whose files are gone were kept."""


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Folders, files, addresses of web pages and sitemaps, or objects in a store (s3://bucket/prefix).",
            show_default=False,
        ),
    ],
    collection: CollectionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Then follow the folders, until Ctrl-C.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List the files that are skipped, too.")] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Also remove the documents of a folder that is missing, empty, on another disk than before, or without more "
            "than half of its files (of ten or more) at once. They are kept otherwise: its disk may not be mounted.",
        ),
    ] = False,
    accept_rejected: Annotated[
        bool, typer.Option("--accept-rejected", help="Exit with 0 even if files were rejected.")
    ] = False,
    principal: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="User or group who may read the documents; give it once for each."),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Everybody may read the documents.")] = False,
    max_pages: Annotated[int, typer.Option(min=1, metavar="N", help="Most web pages that are read.")] = 1000,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Read web pages from this machine and the local network, too.")
    ] = False,
) -> None:
    """Read documents into a collection. Run it again after changes: only what changed is read.

    Exit code 0: everything is indexed; 4: all but the files that were rejected, or documents whose files are gone were kept;
    1: nothing could be indexed, or another error. A warning about a document that is indexed changes no exit code.
    """
    given = _Sources.of(sources)
    given.require_possible(dry_run=dry_run, watch=watch)
    principals = _principals(principal or [], public=public)
    from service.composition.jobs import earlier_readings

    settings = quiet_settings(collection=collection)
    library = library_of(settings)
    if dry_run:
        for listing in given.listings():
            planned = _plan(library, settings.collection, listing, principals, prune=prune)
            _show_report(planned, settings.collection, verbose=verbose, listed=True)
        stdout().print("Nothing was changed.")
        return
    if not given.addresses and not watch and settings.collection not in library.names():
        _require_something(library, settings.collection, given, principals, prune=prune, verbose=verbose)
    opened = library.open_or_create(settings.collection)
    reports = _sync(opened, given, principals, prune=prune, max_pages=max_pages, allow_private=allow_private)
    opened.project()
    for report in reports:
        _show_report(report, settings.collection, verbose=verbose)
    rendering.show(stdout(), rendering.earlier_lines(earlier_readings(settings, opened)))
    if watch:
        _follow(opened, given.paths, principals, verbose=verbose)
    code = _exit_code(reports, accept_rejected=accept_rejected)
    if code:
        raise typer.Exit(code)


def _exit_code(reports: list[SyncReport], *, accept_rejected: bool) -> int:
    """The exit code for what was done."""
    rejected = any(report.rejected for report in reports)
    if rejected and not any(_has_documents(report) for report in reports):
        return 1
    return INCOMPLETE if (rejected and not accept_rejected) or any(report.kept for report in reports) else 0


class _Sources(NamedTuple):
    """What is to be indexed: paths of files and folders, addresses of objects in stores, and of web pages."""

    paths: list[Path]
    objects: list[str]
    addresses: list[str]

    @classmethod
    def of(cls, sources: list[str]) -> _Sources:
        """The sources that were given, by kind."""
        objects = [source for source in sources if is_object_url(source)]
        addresses = [source for source in sources if _is_address(source)]
        paths = [Path(source) for source in sources if source not in objects and source not in addresses]
        return cls(paths, objects, addresses)

    def require_possible(self, *, dry_run: bool, watch: bool) -> None:
        """Raise unless that can be done with these sources."""
        if dry_run and watch:
            raise typer.BadParameter(
                "--dry-run changes nothing, so there is nothing to watch for. Leave one of them out."
            )
        if self.addresses and (dry_run or watch):
            raise typer.BadParameter("Only files can be looked at with --dry-run or --watch. Leave out the addresses.")
        if self.objects and watch:
            raise typer.BadParameter(
                "Only folders are followed with --watch. Leave out the object store, and index it from time to time."
            )

    def listings(self) -> Iterator[Listing]:
        """What is there to index: the files, and the objects in stores."""
        if self.paths:
            from index.sync.listing import list_files

            yield list_files(self.paths)
        if self.objects:
            from index.sync.objects import list_objects

            yield list_objects(self.objects)[0]


def _require_something(
    library: Library, name: str, given: _Sources, principals: frozenset[str] | None, *, prune: bool, verbose: bool
) -> None:
    """End with a report if there is nothing to index, so that no collection is made for it."""
    plans = [_plan(library, name, listing, principals, prune=prune) for listing in given.listings()]
    if any(planned.added for planned in plans):
        return
    for planned in plans:
        _show_report(planned, name, verbose=verbose)
    stderr().print("There is nothing to index, so no collection was made.", highlight=False)
    raise typer.Exit(1 if any(planned.rejected for planned in plans) else 0)


def _sync(
    collection: Collection,
    given: _Sources,
    principals: frozenset[str] | None,
    *,
    prune: bool,
    max_pages: int,
    allow_private: bool,
) -> list[SyncReport]:
    """Index the sources, and show on the terminal how far it is."""
    reports: list[SyncReport] = []
    with shown_progress(stderr()) as advance:
        if given.paths:
            from index.sync.sync import sync

            reports.append(sync(collection, given.paths, principals=principals, prune=prune, on_progress=advance))
        if given.objects:
            from index.sync.objects import sync_objects

            reports.append(
                sync_objects(collection, given.objects, principals=principals, prune=prune, on_progress=advance)
            )
        if given.addresses:
            from index.web.fetcher import WebLimits
            from index.web.sync import sync_web

            reports.append(
                sync_web(
                    collection,
                    given.addresses,
                    principals=principals,
                    prune=prune,
                    on_progress=advance,
                    web_limits=WebLimits(pages=max_pages),
                    allow_private=allow_private,
                )
            )
    return reports


def _plan(
    library: Library, name: str, listing: Listing, principals: frozenset[str] | None, *, prune: bool
) -> SyncReport:
    """What indexing these files would do to the collection, which need not exist. Changes nothing."""
    from index.library import require_name
    from index.sync.folder_note import read_note
    from index.sync.sync import preview

    require_name(name)
    if name not in library.names():
        return preview([], listing, principals=principals)
    existing = library.open(name)
    return preview(
        existing.documents.list(),
        listing,
        principals=principals,
        note=None if prune else read_note(existing),
        roots_of=existing.permissions.roots,
    )


def _principals(named: list[str], *, public: bool) -> frozenset[str] | None:
    """Who may read what is indexed; None changes nothing."""
    if public and named:
        raise typer.BadParameter("--public lets everybody read, --principal only those named. Leave one of them out.")
    if not all(name.strip() for name in named):
        raise typer.BadParameter("--principal is empty. Name a user or group, or let everybody read with --public.")
    return frozenset(named) if named or public else None


def _follow(collection: Collection, paths: list[Path], principals: frozenset[str] | None, *, verbose: bool) -> None:
    """Index what changes, until Ctrl-C."""
    from index.sync.watch import follow

    out = stdout()
    out.print("Following changes. Ctrl-C stops.", highlight=False)
    try:
        follow(
            collection,
            paths,
            stop=threading.Event(),
            principals=principals,
            on_report=lambda report: _show_report(report, collection.name, verbose=verbose, listed=True),
            on_retry=lambda error: stderr().print(f"{error} Trying again.", highlight=False, soft_wrap=True),
        )
    except KeyboardInterrupt:
        out.print("Stopped. Everything shown above is indexed.", highlight=False)
        raise typer.Exit(INTERRUPTED) from None


def _show_report(report: SyncReport, collection: str, *, verbose: bool, listed: bool = False) -> None:
    """Print rejected files and warnings to standard error; the counts, and with `listed` the changes, to standard output."""
    rendering.show(stderr(), rendering.rejection_lines(report))
    rendering.show(stderr(), rendering.warning_lines(report))
    if verbose:
        rendering.show(stderr(), rendering.skipped_lines(report))
    if listed:
        rendering.show(stdout(), rendering.change_lines(report))
    rendering.show(stdout(), rendering.report_lines(report, collection))


def _is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _has_documents(report: SyncReport) -> bool:
    return bool(report.added or report.changed or report.renamed or report.unchanged)
