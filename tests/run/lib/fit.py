"""Weights of evidence from labelled captures: tests/lab/fit prints them.

An observation is what counted for and against one session (of each group of
evidence the strongest either way), and whether somebody had tampered with it.
Logistic regression over observations; each scenario weighs as much as any
other, however many captures it has. A weight is kept near the one in force by
a normal prior (standard deviation SPREAD, in units of log10), so that what was
seen twice moves nothing far, and is -- like the others -- a log10 of a
likelihood ratio. The intercept is free: how many of a laboratory's sessions
are attacks says nothing of any network.

Half of the scenarios, by a hash of their names, is fitted; the other half says
whether that was worth anything, and what it would have said itself: a weight on
which the halves do not agree is not known yet. Not fitted: what has a base rate, TTL and
IP-ID (a laboratory's are its own), and what demonstrates, whatever the sum.
"""
import collections
import hashlib
import math

import figures
import program

SPREAD = 0.5
HEADERS = "other-headers"
# With every piece of evidence an incident, also what acquits is told.
ALL_TOLD = "0.9999"

Observation = collections.namedtuple("Observation", "scenario tampered codes")


def table():
    """What `rules explain` says of each code, by code."""
    found = {}
    for line in program.lines(program.run("rules", "list", "--format",
                                          "json").stdout):
        for said in program.lines(program.run(
                "rules", "explain", line["kind"], "--format",
                "json").stdout):
            found.update((e["code"], e) for e in said["evidence"])
    return found


def is_fixed(row):
    return (row["source"] == "base-rate" or row["demonstrates"] or
            row["code"] == HEADERS)


def counted(evidence):
    """The strongest for and the strongest against of each group."""
    strongest = {}
    for e in evidence:
        key = e["group"], e["weight"] > 0
        if key not in strongest or \
                abs(e["weight"]) > abs(strongest[key]["weight"]):
            strongest[key] = e
    return frozenset(e["code"] for e in strongest.values())


def truth(row, incident):
    """None: the label does not say it of this session."""
    if not row["tampered"]:
        return False
    asked = {kind for must in row["must"] for kind in must}
    return True if figures.kinds_of(incident) & asked else None


def observe(row):
    """Of one capture, as it is judged and as it is with all evidence told."""
    found = {}
    for options in [], ["--prior", ALL_TOLD]:
        _, incidents, _ = figures.read(row, *options)
        for i in incidents:
            tampered = truth(row, i)
            if tampered is not None:
                said = i["downgrade"]
                found[i["flow_id"], said["kind"]] = Observation(
                    row["scenario"], tampered, counted(said["evidence"]))
    return sorted(found.values(), key=lambda o: sorted(o.codes))


def is_held_out(scenario):
    return bool(hashlib.sha256(scenario.encode()).digest()[0] & 1)


def shares(observations):
    """What each observation weighs: together one a scenario."""
    per = collections.Counter(o.scenario for o in observations)
    return [1 / per[o.scenario] for o in observations]


def probability(observation, weights, intercept):
    logit = intercept + math.log(10) * sum(weights[c]
                                           for c in observation.codes)
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))


def step(observations, share, weights, intercept, code):
    """Slope and curvature of the log likelihood along one weight (None: along
    the intercept)."""
    unit = 1 if code is None else math.log(10)
    slope = curvature = 0.0
    for o, s in zip(observations, share):
        if code is None or code in o.codes:
            p = probability(o, weights, intercept)
            slope += s * unit * (o.tampered - p)
            curvature += s * unit * unit * p * (1 - p)
    return slope, curvature


def fit(observations, weights, free, spread=SPREAD):
    """(weights, intercept): the most probable ones, a coordinate at a time.
    Bounded steps, so that data that separate perfectly end it too."""
    fitted, intercept = dict(weights), 0.0
    share = shares(observations)
    for _ in range(200):
        moved = 0.0
        for code in [None, *sorted(free)]:
            slope, curvature = step(observations, share, fitted, intercept,
                                    code)
            if code is not None:
                slope -= (fitted[code] - weights[code]) / spread ** 2
                curvature += 1 / spread ** 2
            # An intercept of 10 is as good as certainty.
            by = max(-1.0, min(1.0, slope / max(curvature, 1e-6)))
            if code is None:
                before, intercept = intercept, max(-10.0, min(
                    10.0, intercept + by))
                moved = max(moved, abs(intercept - before))
            else:
                fitted[code] += by
                moved = max(moved, abs(by))
        if moved < 1e-6:
            break
    return fitted, intercept


def brier(observations, weights, intercept):
    share = shares(observations)
    return sum(s * (probability(o, weights, intercept) - o.tampered) ** 2
               for o, s in zip(observations, share)) / (sum(share) or 1)


def seen(observations):
    """{code: [benign scenarios, tampered ones]} in which it counted."""
    found = collections.defaultdict(lambda: [set(), set()])
    for o in observations:
        for code in o.codes:
            found[code][o.tampered].add(o.scenario)
    return {code: [len(s) for s in sides] for code, sides in found.items()}


def print_codes(rows, halves, counts):
    """`halves`: the weights that either half gives to what is in it."""
    print("%-26s %-9s %8s %7s %10s %9s %7s  %s" % (
        "code", "group", "in force", "fitted", "other half", "tampered",
        "benign", "source"))
    for code, row in sorted(rows.items(),
                            key=lambda r: (r[1]["group"], r[0])):
        benign, tampered = counts.get(code, [0, 0])
        print("%-26s %-9s %+8.2f %7s %10s %9d %7d  %s" % (
            code, row["group"], row["weight"],
            *("%+.2f" % half[code] if code in half else "-"
              for half in halves), tampered, benign, row["source"]))


def print_half(name, observations, sets):
    print("%-10s %4d scenarios, %4d observations, Brier score %s" % (
        name, len({o.scenario for o in observations}), len(observations),
        ", ".join("%s %.4f" % (called, brier(observations, *with_these))
                  for called, with_these in sets)))


def in_halves(observations):
    held_out = [is_held_out(o.scenario) for o in observations]
    return [[o for o, far in zip(observations, held_out) if far == half]
            for half in (False, True)]


def print_all(observations):
    rows = table()
    weights = {code: row["weight"] for code, row in rows.items()}
    halves = in_halves(observations)
    free = [{c for o in half for c in o.codes if not is_fixed(rows[c])}
            for half in halves]
    fits = [fit(half, weights, of) for half, of in zip(halves, free)]
    sets = [("in force", fit(halves[0], weights, set())),
            ("fitted", fits[0])]
    print_codes(rows, [{code: fitted[code] for code in of}
                       for (fitted, _), of in zip(fits, free)],
                seen(observations))
    print()
    print_half("fitted on", halves[0], sets)
    print_half("held out", halves[1], sets)
