"""labels.jsonl: what is true of each capture, and what it must lead to.

The keys are those that captures of attacks are commonly labelled with here:
`must` (alternatives of kinds, each at 0.4 or more), `may`, `ceiling` for all
other kinds, `evidence` (`direct`, `none`: this side cannot know)."""
import json
import os


def row(scenario, side, name):
    sees = scenario.sees and (side in scenario.sees or side == "both")
    return {
        "file": name, "scenario": scenario.name, "kind": scenario.kind,
        "vantage": side, "tampered": scenario.tampered,
        "must": [scenario.kinds] if sees else [],
        "may": scenario.may + scenario.kinds * scenario.tampered,
        "ceiling": 0.7 if scenario.tampered else scenario.ceiling,
        "must_not_alarm": not scenario.tampered and scenario.ceiling <= 0.4,
        "evidence": "direct" if sees else "none",
        "acts": scenario.acts, "note": scenario.note,
    }


def add(folder, rows):
    """Rows of the same files are replaced."""
    path = os.path.join(folder, "labels.jsonl")
    old = []
    if os.path.exists(path):
        with open(path) as f:
            old = [json.loads(line) for line in f]
    new = {r["file"] for r in rows}
    with open(path, "w") as f:
        for r in [r for r in old if r["file"] not in new] + rows:
            f.write(json.dumps(r) + "\n")
