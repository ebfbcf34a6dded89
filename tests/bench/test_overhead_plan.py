"""Tasks are interleaved, repeatable and resumable; results of other code do not count."""

from dataclasses import replace

from overhead.plan import COPIES, Kind, Result, Store, Task, fingerprint, places, students_of, tasks
from overhead.students import load_students, original
from overhead.systems.nbgrader import done_times

TASK = Task(1, "ours", Kind.CLEAN)
RESULT = Result(1, "ours", Kind.CLEAN, "same", 1.0, {"wall": 1.0}, ("ada",), each=(0.5,))


def test_every_round_has_every_system_in_an_order_of_its_own():
    plan = tasks(["ours", "pytest", "floor"], 2, seed=1)
    rounds = [[t for t in plan if t.round == number] for number in (1, 2)]
    assert [len(r) for r in rounds] == [10, 7]  # wrong ones in the first round; own work in each
    assert plan[:10] == rounds[0]
    assert plan == tasks(["ours", "pytest", "floor"], 2, seed=1)
    assert plan != tasks(["ours", "pytest", "floor"], 2, seed=2)


def test_who_shares_a_start_up_has_a_long_batch_of_copies_too():
    plan = tasks(["ours", "pytest", "floor"], 1, seed=1, warm={"ours", "floor"})
    long = {task.system for task in plan if task.kind is Kind.LONG}
    assert (len(plan), long) == (12, {"ours", "floor"})
    right = [student for student in load_students() if student.right]
    copies = students_of(Task(1, "ours", Kind.LONG), load_students(), 1)
    assert len({student.name for student in copies}) == COPIES * len(right) == len(copies)
    assert len({student.source for student in copies}) == len(copies), "no result is kept for two"
    assert {original(student.name) for student in copies} == {student.name for student in right}


def test_a_rounds_single_submission_is_the_same_for_every_system():
    students = load_students()
    drawn = [students_of(Task(2, name, Kind.ONE), students, 1) for name in ("ours", "pytest")]
    assert drawn[0] == drawn[1]
    assert drawn[0][0].right


def test_batches_hold_the_right_or_the_wrong_ones():
    students = load_students()
    assert all(s.right for s in students_of(TASK, students, 1))
    hostile = students_of(Task(1, "ours", Kind.HOSTILE), students, 1)
    assert len(hostile) == 10
    assert not any(s.right for s in hostile)


def test_a_result_takes_from_when_its_place_became_free():
    assert places([13.0, 11.0, 12.0], 10.0, 2) == (1.0, 2.0, 2.0)
    assert places([11.0, 13.0], 10.0, 1) == (1.0, 2.0)
    assert places([], 10.0, 2) == ()


def test_a_result_is_read_back_as_it_was(tmp_path):
    store = Store(tmp_path)
    assert store.read(TASK, "same") is None
    store.write(TASK, RESULT)
    assert store.read(TASK, "same") == RESULT
    store.clear()
    assert store.read(TASK, "same") is None


def test_a_result_of_other_code_does_not_count(tmp_path):
    store = Store(tmp_path)
    store.write(TASK, replace(RESULT, fingerprint="other"))
    assert store.read(TASK, "same") is None


def test_the_digest_changes_with_files_and_versions(tmp_path):
    (tmp_path / "a.py").write_text("1")
    first = fingerprint([tmp_path], "1.0")
    assert fingerprint([tmp_path], "1.1") != first
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("1")
    assert fingerprint([tmp_path], "1.0") == first
    (tmp_path / "a.py").write_text("2")
    assert fingerprint([tmp_path], "1.0") != first


def test_nbgraders_log_tells_when_one_student_gave_way_to_the_next():
    lines = [
        "10.0 [AutogradeApp | INFO] Creating/updating student with ID 'ada': {}",
        "Traceback of something that printed two lines",
        "12.5 [AutogradeApp | INFO] Creating/updating student with ID 'bob': {}",
        "14.0 [AutogradeApp | INFO] Setting destination file permissions to 444",
    ]
    assert done_times(lines) == [12.5, 14.0]
    assert done_times([]) == []
