"""Figures come from results by plain arithmetic, and wrong verdicts are named."""

import pytest
from overhead import page
from overhead.figures import figures, foreign_share, mistakes, own_seconds
from overhead.plan import Kind, Result
from overhead.students import Student

ADA = Student("ada", "", "A right one.", right=True, cheat=False)
BOB = Student("bob", "", "Another.", right=True, cheat=False)
CYD = Student("cyd", "", "A wrong one.", right=False, cheat=False)
DEB = Student("deb", "", "A cheat.", right=False, cheat=True)
STUDENTS = [ADA, BOB, CYD, DEB]
OWN = {"ada": 0.1, "bob": 0.3}


def result(kind, *, number=1, system="ours", wall=1.0, cpu=1.0, names=("ada", "bob"), **more):
    usage = {"wall": wall, "cpu": cpu, "peak_mb": 10.0, "foreign_cpu": 0.5, "meter": "groups"}
    return Result(number, system, kind, "f", 1000.0, usage, tuple(names), **more)


def two_rounds():
    return [
        result(Kind.ONE, names=["ada"], cpu=2.1, wall=3.0, first=2.5),
        result(Kind.CLEAN, cpu=4.4, wall=5.0, each=(2.5, 3.0)),
        result(Kind.ONE, number=2, names=["ada"], cpu=4.1, wall=4.0, first=3.5),
        result(Kind.CLEAN, number=2, cpu=6.4, wall=7.0, each=(2.0, 4.0)),
    ]


def test_own_seconds_are_medians_and_a_crash_is_left_out():
    rounds = [{"ada": 0.1}, {"ada": 0.5}, {"ada": 0.2}, {"ada": None}]
    assert own_seconds(result(Kind.OWN, own=own) for own in rounds) == {"ada": 0.2}


def test_cost_is_what_goes_beyond_the_submissions_own_work():
    found = figures("ours", two_rounds(), OWN)
    assert found.cpu_each == pytest.approx((2.0 + 3.0) / 2)
    assert found.cpu_spread == pytest.approx((2.0, 3.0))
    assert found.cpu_steady == pytest.approx((2.0 + 2.0) / 2)
    assert found.steady_spread == pytest.approx((2.0, 2.0))
    assert found.first_cpu == pytest.approx((2.0 + 4.0) / 2)
    assert found.wall_each == pytest.approx(2.75 - 0.2)
    assert found.wall_steady == pytest.approx((2.0 + 3.0) / 2)
    assert found.first_wall == pytest.approx(3.0)


def test_where_a_start_up_is_shared_one_more_is_of_the_long_batch_and_never_without_it():
    results = two_rounds()
    assert figures("ours", results, OWN, warm=True) is None
    names = ["ada~1", "bob~1", "ada~2", "bob~2"]
    passed, failed = ("passed", ""), ("failed", "")
    said = dict.fromkeys(names, passed) | {"bob~2": failed}
    results.append(result(Kind.LONG, names=names, cpu=6.8, wall=9.0, verdicts=said))
    found = figures("ours", results, OWN, warm=True)
    assert found.rounds == 1, "the second has no long batch"
    assert found.cpu_steady == pytest.approx((6.0 - 4.0) / 2)
    assert found.wall_steady == pytest.approx((9.0 - 5.0) / 2)
    assert found.cpu_each == pytest.approx(2.0), "as of any system"
    assert found.verdicts == {"ada": passed, "bob": failed}


def test_a_system_without_a_whole_round_has_no_figures():
    assert figures("ours", [result(Kind.CLEAN)], OWN) is None
    assert figures("pytest", two_rounds(), OWN) is None


def test_a_submission_that_did_not_pass_once_did_not_pass():
    results = two_rounds()
    results[1] = result(Kind.CLEAN, each=(1.0,), verdicts={"ada": ("passed", "")})
    results[3] = result(Kind.CLEAN, number=2, each=(1.0,), verdicts={"ada": ("none", "")})
    assert figures("ours", results, OWN).verdicts == {"ada": ("none", "")}


def test_mistakes_name_who_was_fooled_and_who_was_robbed():
    said = {"ada": ("passed", ""), "bob": ("failed", ""), "deb": ("passed", "")}
    found = mistakes(said, STUDENTS)
    assert (found.robbed, found.fooled, found.silent) == (("bob",), ("deb",), ("cyd",))
    assert (found.right, found.cheats_caught) == (2, 0)


def test_others_share_of_the_machine():
    assert foreign_share([result(Kind.ONE), result(Kind.ONE)], cores=2) == pytest.approx(0.25)
    assert foreign_share([], cores=2) == 0.0


def drawn(system, verdicts, cpu):
    results = [
        result(Kind.ONE, system=system, names=["ada"], cpu=cpu, first=1.0),
        result(Kind.CLEAN, system=system, cpu=3 * cpu, each=(1.0, 1.0), verdicts=verdicts),
        result(Kind.HOSTILE, system=system, wall=60.0, names=["cyd", "deb"]),
    ]
    return figures(system, results, OWN)


def scene():
    return page.Scene("2 cores", "groups", 0.0, 7200.0, 0.031, OWN, tests=8, timeout=30)


def test_the_page_says_ratios_mistakes_and_versions():
    passed, failed = ("passed", ""), ("failed", "")
    good = {"ada": passed, "bob": passed, "cyd": failed, "deb": failed}
    found = [drawn("ours", good, 1.0), drawn("floor", {**good, "deb": passed}, 0.4)]
    systems = {
        name: page.System(name, title, "as it is", {"thing": "1.2"}, at_once=2)
        for name, title in (("ours", "Proctor"), ("floor", "warm fork"))
    }
    text = page.page(found, systems, STUDENTS, scene())
    rows = {line.split(" | ")[0]: line.split(" | ") for line in text.splitlines() if " | " in line}
    assert rows["| Proctor"][1] == "4"  # the later table: right verdicts
    assert "| warm fork | 0.40 (0.40–0.40) |" in text
    assert "| warm fork | 0.3 | 1.0 |" in text
    assert "| Proctor | 1.0 | 3.2 |" in text
    assert "warm fork gave full marks to `deb`." in text
    assert "| `deb` (cheat) | not full | **full marks** |" in text
    assert "- **Proctor** (thing 1.2): as it is." in text
    assert "3.1%" in text
    assert "{" not in text


def test_a_system_whose_wrong_ones_were_not_graded_has_costs_but_no_verdicts():
    found = [drawn("ours", {"ada": ("passed", ""), "bob": ("passed", "")}, 1.0)]
    systems = {"ours": page.System("ours", "Proctor", "as it is", {}, at_once=2)}
    text = page.page(found, systems, STUDENTS, scene())
    assert "| Proctor | 1.0 | – |" in text
    assert "| Proctor | 4 |" not in text
