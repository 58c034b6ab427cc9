"""Where the processor time of an ingest goes: a profile of one, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.intake.deployments import Deployment
from benchmarks.intake.made_reviews import write_csv
from benchmarks.intake.processes import clean_environment
from benchmarks.intake.subject import Options, Row

TITLE = "Where the time of an ingest goes"
# Functions by file and name, each with what it stands for; none of them calls another.
PARTS = {
    ("time_survey.py", "survey"): "reading the file, its times, looking through it",
    ("plain_rows.py", "validate_plain"): "validation",
    ("content.py", "fingerprints"): "hashes of what a record says (blake2b)",
    ("content.py", "content_keys"): "hashes of its content (normal form, blake2b)",
    ("content.py", "evaluation_side"): "its side (keyed blake2b)",
    ("known_ids.py", "known_ids"): "looking up known ids",
    ("archive.py", "write_table"): "Parquet",
    ("columns.py", "insert_columns"): "INSERT",
}


def measure(options: Options) -> list[Row]:
    file = write_csv(options.scratch / f"sequential-{options.rows}.csv", options.rows, "sequential")
    deployment = Deployment(options.scratch / "home")
    words = [sys.executable, "-m", "benchmarks.intake.ingest_costs", str(file)]
    done = subprocess.run(
        words, cwd=deployment.folder, env=clean_environment(), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    whole = found.pop("ingest")
    found["all else"] = whole - sum(found.values())
    against = f"ingest of {options.rows:,} reviews (CSV, sequential ids)"
    return [Row(what, against, "–", f"{spent:.2f} s of {whole:.2f} s") for what, spent in found.items()]


def _profile(file: str) -> None:
    import cProfile
    import pstats
    import time

    from trueup.feedback.intake import ingest
    from trueup.flows.app import open_app

    app = open_app(Path("trueup.toml"), Path(".trueup"))
    store, stream = app.store, app.stream("reviews")
    profile = cProfile.Profile(time.process_time, builtins=False)  # a hash is four calls: watching each costs more
    profile.runcall(ingest, store, stream, [file], now=app.now())
    spent = dict.fromkeys(PARTS.values(), 0.0)
    for (path, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        key = Path(path).name, name
        if key in PARTS:
            spent[PARTS[key]] += cumulative
        elif key == ("intake.py", "ingest"):
            whole = cumulative
    app.close()
    print(json.dumps({**spent, "ingest": whole}))


if __name__ == "__main__":
    _profile(sys.argv[1])
