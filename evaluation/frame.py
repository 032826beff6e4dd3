"""A run as rows for a data frame: `pandas.DataFrame(frame("runs/today"))`, or `polars.DataFrame(...)`."""

from pathlib import Path
from typing import Any

from evaluation.rows import read_rows, read_timings


def frame(folder: Path | str) -> list[dict[str, Any]]:
    """One flat record for each case of a run, all with the same keys: the case, the question, whether it was refused, the
    answer, each tag as `tag.NAME`, each score as `score.NAME`, and milliseconds as `ms.STAGE`.

    None where a case has no such value. Raises RunInvalid.
    """
    run = Path(folder)
    timings = read_timings(run)
    records = []
    for row in read_rows(run):
        output = row.output or {}
        records.append(
            {
                "case": row.case,
                "question": row.question,
                "answerable": row.gold.get("answerable"),
                "refused": output.get("refused"),
                "confidence": output.get("confidence"),
                "answer": output.get("text"),
                "error": row.error,
                **{f"tag.{name}": value for name, value in row.tags.items()},
                **{f"score.{name}": value for name, value in row.scores.items()},
                **{f"ms.{name}": value for name, value in timings.get(row.case, {}).items()},
            }
        )
    keys = dict.fromkeys(key for record in records for key in record)
    return [{key: record.get(key) for key in keys} for record in records]
