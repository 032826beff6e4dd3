"""`python -m evaluation.results [--data DIR] [--runs NAME...]`: measure evaluation/results.toml, and write docs/results.md.

Every run whose data is there is made, the others are named as skipped. A table stands in the page between two comments, the
first of which names its runs:

    <!-- results: golden -->
    <!-- end of results -->

With each table stand the command, the date, and the hashes of cases, documents, models and code, from the manifests of its
runs. A table whose runs are not all measured stays as it is. Runs are kept by the code and models that made them, so that
one that was killed continues, and one of other code begins anew.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation import manifest
from evaluation.errors import EvaluationError, SuiteInvalid
from evaluation.execution import execute, plan_entry
from evaluation.side_by_side import table
from evaluation.suite import Suite, SuiteEntry, read_suite
from evaluation.terminal import progress_bars
from index.errors import IndexingError
from service.errors import ServiceError

_ROOT = Path(__file__).resolve().parent.parent
SUITE = _ROOT / "evaluation" / "results.toml"
PAGE = _ROOT / "docs" / "results.md"
_BLOCK = re.compile(r"(?s)(?P<open><!-- results: (?P<names>[\w -]+?) -->\n).*?(?P<close><!-- end of results -->)")
_SHOWN = 8  # characters of a hash


def published_runs(page: str) -> list[str]:
    """The names of the runs whose tables the page shows, in order."""
    return [name for block in _BLOCK.finditer(page) for name in block["names"].split()]


def missing_data(entry: SuiteEntry) -> Path | None:
    """The path that the run needs and that is not there; None if it has all."""
    needed = [path for path in (entry.dataset, entry.corpus, entry.only) if path is not None]
    return next((path for path in needed if not path.exists()), None)


def with_tables(page: str, folder_of: Callable[[str], Path]) -> str:
    """The page with each table made anew of which all runs have ended."""

    def written(block: re.Match[str]) -> str:
        names = block["names"].split()
        folders = [folder_of(name) for name in names]
        if not all(_has_ended(folder) for folder in folders):
            return block[0]
        manifests = [manifest.read(folder) for folder in folders]
        return f"{block['open']}{_facts(names, manifests)}\n\n{table(folders)}\n{block['close']}"

    return _BLOCK.sub(written, page)


def _has_ended(folder: Path) -> bool:
    return (folder / manifest.FILE).exists() and "ended" in manifest.read(folder)


def _facts(names: Sequence[str], manifests: Sequence[Mapping[str, Any]]) -> str:
    """The command as a block of code, and a line with date and hashes; runs of one table share cases, models and code."""
    identity = manifests[0]["identity"]
    collections = (manifest["identity"]["target"].get("collection") for manifest in manifests)
    documents = {collection["sha256"] for collection in collections if collection and collection["documents"]}
    hashes = [("cases", identity["dataset"]["sha256"]), *(("documents", each) for each in sorted(documents))]
    hashes += [*identity["models"].items(), ("code", identity["code_sha256"])]
    encoders = {manifest["identity"]["target"].get("encoder") for manifest in manifests} - {None}
    shown = ", ".join([*(f"{name} `{value[:_SHOWN]}`" for name, value in hashes), *(f"`{name}`" for name in encoders)])
    day = max(manifest["ended"] for manifest in manifests)[:10]
    return f'    make results DATA=DATA RUNS="{" ".join(names)}"\n\nMeasured on {day}; {shown}.'


def _version() -> str:
    """A name for what decides the figures beside the data: code, models and prompts."""
    parts = [manifest.code_hash(), *manifest.model_hashes(_ROOT / "models").values()]
    return hashlib.sha256("".join([*parts, manifest.folder_hash(_ROOT / "prompts")]).encode()).hexdigest()[:12]


def _refuse_unknown(names: Sequence[str], suite: Suite) -> None:
    known = [entry.name for entry in suite.entries]
    for name in names:
        if name not in known:
            raise SuiteInvalid(f"{suite.name}: no run {name!r}. Known: {', '.join(known)}.")


def _measure(suite: Suite, runs: Sequence[str], out: Path, index: Path) -> None:
    for entry in suite.entries:
        if runs and entry.name not in runs:
            continue
        missing = missing_data(entry)
        if missing is not None:
            sys.stdout.write(f"{entry.name}: skipped, {missing} is not there\n")
            continue
        sys.stdout.write(f"{entry.name}\n")
        sys.stdout.flush()
        # Without the suite's hash, so that another run in the file leaves this one as it is.
        plan = plan_entry(entry, seed=suite.seed)
        with progress_bars() as watch:
            execute(plan, out / entry.name, index, watch)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the page, and say which tables are new."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None, help="folder of the data sets")
    parser.add_argument("--runs", nargs="*", default=[], metavar="NAME", help="only these runs; default: all")
    parser.add_argument("--suite", type=Path, default=SUITE, help="file that lists the runs")
    parser.add_argument("--out", type=Path, default=_ROOT / "build" / "results", help="folder for the runs")
    parser.add_argument("--page", type=Path, default=PAGE, help="page with the tables")
    options = parser.parse_args(arguments)
    try:
        suite = read_suite(options.suite, options.data or Path("DATA"))
        before = options.page.read_text(encoding="utf-8")
        _refuse_unknown([*options.runs, *published_runs(before)], suite)
        out = options.out / _version()
        _measure(suite, options.runs, out, options.out / "index")
    except (EvaluationError, ServiceError, IndexingError) as error:
        sys.exit(f"evaluation.results: {error}")
    after = with_tables(before, lambda name: out / name)
    options.page.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{options.page}: {'tables written' if after != before else 'no table changed'}\n")


if __name__ == "__main__":
    main()
