"""How well the program does on labelled captures: tests/lab/figures prints it.

A folder has labels.jsonl (as tests/lab/run writes it), policies/ and the CA of
its certificates. Without folders: what is shipped, what tests/lab/run left in
build/lab/captures, and $STRIPLIGHT_CORPUS/attacks, as far as they are there.
Every capture is read into a database of its own. A session counts once for each
capture: the sides of one scenario are captures of their own, and so not
independent of each other.

recall    incidents of the kinds asked for, at 0.4 or more, of those due
false     sessions without tampering that got an incident at or above their
          label's ceiling (0.4; 0.7 where nothing tells them from an attack)
Brier     mean of (confidence - truth)^2 over all sessions; silence is 0
"""
import collections
import json
import math
import os
import sys

import program

POSSIBLE, LIKELY = 0.4, 0.7


def default_folders():
    found = [os.path.join(program.SHIPPED, "lab"),
             os.path.join(program.TESTS, os.pardir, "build/lab/captures"),
             os.path.join(os.environ.get("STRIPLIGHT_CORPUS", ""), "attacks")]
    return [f for f in found if os.path.exists(os.path.join(f,
                                                            "labels.jsonl"))]


def labels(folder):
    with open(os.path.join(folder, "labels.jsonl")) as f:
        for line in f:
            row = json.loads(line)
            row["path"] = os.path.join(folder, row["file"])
            row["folder"] = folder
            yield row


def kinds_of(incident):
    said = incident["downgrade"]
    return {said["kind"], *said.get("also", [])}


def rows(folders):
    """The labels of these folders, or of the ones there are."""
    found = [row for folder in folders or default_folders()
             for row in labels(folder)]
    if not found:
        sys.exit("no captures: tests/lab/run makes some")
    return found


def read(row, *options):
    """(label, incidents, number of sessions)"""
    trust = os.path.join(row["folder"], "lab-ca.pem")
    with program.Database() as db:
        db.add_policies(program.policies(row["folder"]))
        db.read(*(["--trust", trust] if os.path.exists(trust) else []),
                *options, row["path"], statuses=(0, 1, 2))
        return row, db.incidents(), db.counts().get("sessions", 0)


class Sum:
    """Of some captures."""

    def __init__(self):
        self.due = self.found = self.benign = self.false = self.wrong = 0
        self.squares, self.sessions = 0.0, 0

    def add(self, row, incidents, sessions):
        acts = max(row.get("acts", 1), len(row["must"])) if row["must"] else 0
        alternatives = [set(m) for m in row["must"]]
        hit, others = [], []
        for i in incidents:
            confidence = i["downgrade"]["confidence"]
            if any(kinds_of(i) & m for m in alternatives):
                hit.append(confidence)
            else:
                others.append((confidence, kinds_of(i)))
        hit.sort(reverse=True)
        self.due += acts
        self.found += sum(c >= POSSIBLE for c in hit[:acts])
        # What was tampered with and cannot be known from here is no benign
        # session, and none to be found.
        unknowable = row["tampered"] and not acts
        ceiling = row.get("ceiling", POSSIBLE)
        loud = [c for c, kinds in others
                if c >= ceiling and not kinds & set(row["may"])]
        if not row["tampered"]:
            loud = [c for c, _ in others if c >= ceiling]
            self.false += len(loud)
            self.benign += sessions
        else:
            self.wrong += len(loud)
            if acts:
                self.benign += max(0, sessions - acts)
        if unknowable:
            return
        sure = (hit + [0.0] * acts)[:acts]
        self.squares += sum((c - 1) ** 2 for c in sure)
        # An incident more about the same act harms no benign session.
        if not row["tampered"]:
            self.squares += sum(c ** 2 for c, _ in others)
        self.sessions += max(sessions, acts)


def upper_bound(events, trials, miss=0.05):
    """Clopper and Pearson, one-sided: the rate at which `events` or fewer of
    `trials` have probability `miss`; near 3 / trials for none."""
    if trials == 0 or events >= trials:
        return 1.0

    def at_most(rate):
        return sum(math.exp(
            math.lgamma(trials + 1) - math.lgamma(k + 1) -
            math.lgamma(trials - k + 1) + k * math.log(rate) +
            (trials - k) * math.log1p(-rate)) for k in range(events + 1))
    low, high = 1e-12, 1 - 1e-12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > miss \
            else (low, middle)
    return high


def print_kinds(results):
    kinds = collections.defaultdict(Sum)
    for result in results:
        for kind in sorted({m[0] for m in result[0]["must"]}) or \
                [result[0].get("kind", "(honest)")
                 if not result[0]["tampered"] else "(not to be seen)"]:
            kinds[kind].add(*result)
    print("%-28s %12s %16s %8s" % ("kind", "recall", "false alarms",
                                   "Brier"))
    for kind, s in sorted(kinds.items()):
        print("%-28s %12s %16s %8s" % (
            kind, "%d/%d" % (s.found, s.due) if s.due else "-",
            "%d/%d" % (s.false, s.benign) if s.benign else "-",
            "%.3f" % (s.squares / s.sessions) if s.sessions else "-"))


def print_complaints(results):
    for row, incidents, sessions in results:
        s = Sum()
        s.add(row, incidents, sessions)
        if s.found < s.due or s.false or s.wrong:
            print("  %-44s %s" % (row["file"], ", ".join(
                "%s %.2f" % (i["downgrade"]["kind"],
                             i["downgrade"]["confidence"])
                for i in incidents) or "nothing"))


def print_scenarios(results):
    scenarios = collections.defaultdict(Sum)
    for result in results:
        scenarios[result[0]["scenario"]].add(*result)
    for name, s in sorted(scenarios.items()):
        print("  %-44s %7s %10s" % (
            name, "%d/%d" % (s.found, s.due) if s.due else "-",
            "%d/%d" % (s.false, s.benign) if s.benign else "-"))


def print_all(results):
    total = Sum()
    for result in results:
        total.add(*result)
    print_kinds(results)
    print("\nby scenario: found/due, false alarms/benign sessions")
    print_scenarios(results)
    print("\nmissed, false or of a wrong kind:")
    print_complaints(results)
    print("\nrecall           %d/%d = %.3f" % (
        total.found, total.due, total.found / total.due if total.due else 1))
    print("wrong kind       %d" % total.wrong)
    print("Brier score      %.4f over %d sessions" % (
        total.squares / total.sessions, total.sessions))
    print("false alarms     %d of %d benign sessions: %.0f in a million, "
          "below %.0f (95 %%)" % (
              total.false, total.benign,
              1e6 * total.false / max(total.benign, 1),
              1e6 * upper_bound(total.false, total.benign)))
