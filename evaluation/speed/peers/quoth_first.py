"""Quoth from nothing: while `quoth index` reads a folder, this program asks until it gets the right answers.

Both start at once, and their imports count. A question is answered right when the first passage found is of the
document that it asks about. Prints the seconds until then for each question; questions never answered right are left
out. It ends as soon as the last document is stored and was asked about: only vectors remain to be made.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stopwatch import arguments, records  # type: ignore[import-not-found]

workload, _ = arguments()
root = Path(__file__).resolve().parents[3]
home = tempfile.TemporaryDirectory()
folder = Path(home.name) / "documents"
folder.mkdir()
documents = records(workload / "documents.jsonl")
for record in documents:
    (folder / f"{record['id']}.txt").write_text(record["text"], encoding="utf-8")
waiting = {record["text"]: f"/{record['about']}.txt" for record in records(workload / "queries.jsonl")}

BEGUN = time.perf_counter()
indexing = subprocess.Popen(
    [sys.executable, "-m", "quoth", "index", str(folder), "--collection", "speed"],
    env={**os.environ, "QUOTH_HOME": home.name, "PYTHONPATH": str(root)},
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
sys.path.insert(0, str(root))

from index.embedding.encoder import SentenceEncoder  # noqa: E402 - the clock runs during imports
from index.library import Library  # noqa: E402 - as above

library = Library(Path(home.name), SentenceEncoder(cache=Path(home.name) / "cache"))
while "speed" not in library.names():
    time.sleep(0.01)
collection = library.open("speed")
right: list[float] = []
is_complete = False
while waiting and not is_complete:
    is_complete = collection.state().documents == len(documents) or indexing.poll() is not None
    for query, about in list(waiting.items()):
        hits = collection.search(query, k=1)
        if hits and hits[0].uri.endswith(about):
            right.append(time.perf_counter() - BEGUN)
            del waiting[query]
indexing.terminate()
indexing.wait()
library.close()
home.cleanup()
sys.stdout.write(json.dumps({"right_s": right}) + "\n")
