"""A class on disk: whoever packed it, everybody's files come to the right student."""

from itertools import product
from pathlib import Path

import pytest

from grader.errors import ProctorError, Rejected
from grader.intake import receive
from grader.intake.exports import find_hand_ins, receive_hand_in
from grader.intake.exports.gradescope import submitters

RESULTS = "results.csv"


@pytest.fixture
def work(good):
    """Return a function that gives one student's files, which name the student."""

    def of(who: str, where: str = "toy/", **more: bytes) -> dict[str, bytes]:
        mine = f"# {who}\n".encode()
        files = {path.replace("toy/", where): mine + data for path, data in good.items()}
        return {**files, RESULTS: f"who\n{who}\n".encode(), **more}

    return of


@pytest.fixture
def put(tmp_path):
    """Return a function that writes files below a folder for the class."""

    def write(files: dict[str, bytes], below: str = "") -> Path:
        for name, data in files.items():
            target = tmp_path / "class" / below / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return tmp_path / "class"

    return write


def graded(folder, lab):
    """Return whose row holds whose work, for everybody whose upload is complete."""
    rows = {}
    for one in find_hand_ins([folder], lab).hand_ins:
        taken = receive_hand_in(one, lab)
        owners = {file.content.decode().split("\n")[1 if file.path == RESULTS else 0].strip("# ")
                  for file in taken.files}  # fmt: skip
        assert [file.path for file in taken.files] == [RESULTS, "toy/layers.py", "toy/model.py"]
        assert one.name not in rows and len(owners) == 1
        rows[one.name] = owners.pop()
    return rows


# --- Plain folders ------------------------------------------------------------------------------


def shapes(pack):
    """Return the ways in which a student's folder may hold the work."""
    return {
        "package": lambda files: files,
        "loose": lambda files: {name.rpartition("/")[2]: data for name, data in files.items()},
        "wrapped": lambda files: {f"hw1/{name}": data for name, data in files.items()},
        "twice wrapped": lambda files: {f"my/hw1/{name}": data for name, data in files.items()},
        "zip": lambda files: {"hw1.zip": pack(files)},
        "zip of a folder": lambda files: {"hw1.zip": pack({f"a/{n}": d for n, d in files.items()})},
        "zip and text": lambda files: {"hw1.zip": pack(files), "onlinetext.html": b"<p>hi"},
        "zip and results": lambda files: {
            "code.zip": pack({n: d for n, d in files.items() if n != RESULTS}),
            RESULTS: files[RESULTS],
        },
    }


SHAPES = [*shapes(None)]


@pytest.mark.parametrize(("mine", "yours"), [*product(SHAPES, SHAPES)])
def test_each_folder_is_a_students_whatever_lies_beside_it(lab, work, put, pack, mine, yours):
    forms = shapes(pack)
    put(forms[mine](work("Ada")), "Ada")
    folder = put(forms[yours](work("Bob")), "Bob")
    assert graded(folder, lab) == {"Ada": "Ada", "Bob": "Bob"}
    put({RESULTS: b"x,y\n"})
    assert graded(folder, lab) == {"Ada": "Ada", "Bob": "Bob"}
    assert find_hand_ins([folder], lab).left_out == (RESULTS,)


@pytest.mark.parametrize("stray", ["Thumbs.db", ".DS_Store", "desktop.ini", "README.txt", "g.xlsx"])
def test_what_is_nobodys_is_left_out_and_named(lab, work, put, stray):
    for who in ("Ada", "Bob"):
        folder = put({f"{who}/{name}": data for name, data in work(who).items()})
    put({stray: b"x", RESULTS: b"x"})
    assert graded(folder, lab) == {"Ada": "Ada", "Bob": "Bob"}
    named = "hidden files and files made by tools (1)" if stray[0] == "." else stray
    assert set(find_hand_ins([folder], lab).left_out) == {named, RESULTS}


ZIPPED = [shape for shape in SHAPES if "zip" in shape]
# What lies beside a folder like the package may also be its owner's zip.
LIKE_THE_LAB = [
    pair for pair in product(SHAPES, SHAPES) if pair[0] != "loose" or pair[1] not in ZIPPED
]


@pytest.mark.parametrize(("mine", "yours"), LIKE_THE_LAB)
def test_a_student_may_be_called_like_the_lab(lab, work, put, pack, mine, yours):
    forms = shapes(pack)
    put(forms[mine](work("toy")), "toy")
    folder = put(forms[yours](work("Bob")), "Bob")
    assert graded(folder, lab) == {"Bob": "Bob", "toy": "toy"}
    put({RESULTS: b"x\n"})
    assert graded(folder, lab) == {"Bob": "Bob", "toy": "toy"}


@pytest.mark.parametrize("shape", ["package", "loose"])
@pytest.mark.parametrize(
    "beside", ["report.txt", "old/layers.py", "data.zip", "a.ipynb", "data/x.csv", "tests/test.py"]
)
def test_a_students_own_folder_is_one_submission(lab, work, put, pack, shape, beside):
    folder = put({**shapes(pack)[shape](work("Ada")), beside: b"x = 1\n"})
    assert [one.name for one in find_hand_ins([folder], lab).hand_ins] == ["class"]


@pytest.mark.parametrize("around", ["hw1.zip", "toy.ipynb", "hw1/toy/layers.py"])
def test_a_result_beside_one_piece_of_work_is_no_class(lab, put, around):
    folder = put({around: b"x", RESULTS: b"x\n"})
    assert [one.name for one in find_hand_ins([folder], lab).hand_ins] == ["class"]


def test_files_may_be_submissions_too(lab, work, put, pack):
    folder = put({"ada.zip": pack(work("Ada")), "bob.zip": pack(work("Bob")), RESULTS: b"x\n"})
    assert graded(folder, lab) == {"ada.zip": "Ada", "bob.zip": "Bob"}
    assert find_hand_ins([folder], lab).left_out == (RESULTS,)


def test_an_archive_that_is_not_opened_is_refused_and_not_left_out(lab, put):
    (one,) = find_hand_ins([put({"ada.rar": b"Rar!"})], lab).hand_ins
    with pytest.raises(Rejected, match="only .zip is opened"):
        receive_hand_in(one, lab)


@pytest.mark.parametrize("shape", SHAPES)
def test_sections_hold_students(lab, work, put, pack, shape):
    form = shapes(pack)[shape]
    who = {"DL-01": ["Ada", "Bob"], "DL-02": ["Cyd", "Dan", "Eve"], "late": ["Fay"]}
    for section, names in who.items():
        for name in names:
            put(form(work(name)), f"{section}/{name}")
    folder = put({"DL-01/results.csv": b"x\n", "notes.txt": b""})
    names = [name for some in who.values() for name in some]
    assert graded(folder, lab) == dict(zip(names, names, strict=True))
    found = find_hand_ins([folder], lab)
    assert found.sections == ("DL-01", "DL-02", "late")
    assert set(found.left_out) == {RESULTS, "notes.txt"}


def test_students_who_kept_an_old_copy_are_no_sections(lab, work, put):
    put(work("Ada"), "Ada")
    put(work("Bob"), "Bob/new")
    folder = put(work("Bob"), "Bob/old")
    assert [one.name for one in find_hand_ins([folder], lab).hand_ins] == ["Ada", "Bob"]


def test_notebooks_of_one_student_are_no_section(lab, put, make_notebook):
    book = make_notebook("x = 1")
    for who in ("Ada", "Bob"):
        names = [f"{who}/{name}.ipynb" for name in ("toy", "toy-Copy1", "scratch")]
        folder = put({name: book for name in names})
    assert [one.name for one in find_hand_ins([folder], lab).hand_ins] == ["Ada", "Bob"]


def test_one_name_in_two_sections_is_told_apart(lab, work, put):
    for section, who in product(("DL-01", "DL-02"), ("Ada", "Bob")):
        folder = put(work(section + who), f"{section}/{who}")
    assert graded(folder, lab) == {
        f"{section}/{who}": section + who
        for section, who in product(("DL-01", "DL-02"), ("Ada", "Bob"))
    }


def test_a_folder_that_is_locked_stops_no_other(lab, work, put, monkeypatch):
    put(work("Ada"), "Ada")
    folder = put(work("Bob"), "Bob")
    listed = Path.iterdir

    def locked(path):
        if path.name == "Ada":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", locked)
    assert [one.name for one in find_hand_ins([folder], lab).hand_ins] == ["Ada", "Bob"]


def test_a_file_is_one_submission(tmp_path, lab):
    file = tmp_path / "ada.zip"
    file.write_bytes(b"")
    (one,) = find_hand_ins([file], lab).hand_ins
    assert (one.name, one.path) == ("ada.zip", file)


@pytest.mark.parametrize("name", ["", "notes.txt", RESULTS.replace("results", "grades")])
def test_a_folder_without_submissions_is_no_class(tmp_path, lab, name):
    if name:
        (tmp_path / name).write_text("")
    with pytest.raises(ProctorError, match="no submission"):
        find_hand_ins([tmp_path], lab)


def test_equal_names_are_told_apart(tmp_path, lab):
    for folder in ("monday", "sunday"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ada.zip").write_bytes(b"")
    paths = [tmp_path / "monday", tmp_path / "sunday", tmp_path / "sunday"]
    names = [one.name for one in find_hand_ins(paths, lab).hand_ins]
    assert names == ["monday/ada.zip", "sunday/ada.zip", "sunday/ada.zip (2)"]


def test_more_zips_than_a_student_sends_are_not_opened(lab, work, put, pack):
    folder = put({f"Ada/{n}.zip": pack(work("Ada")) for n in range(6)})
    with pytest.raises(Rejected, match="archives within an upload are not opened"):
        receive(folder / "Ada", lab)


def test_a_damaged_zip_is_said_unless_a_notebook_holds_the_work(lab, good, put, make_notebook):
    ada = put({"Ada/hw.zip": b"PK\x03\x04"}) / "Ada"
    with pytest.raises(Rejected, match="hw.zip is not a zip file or is damaged"):
        receive(ada, lab)
    cells = [f"# file: {name}\n{data.decode()}" for name, data in good.items()]
    put({"Ada/toy.ipynb": make_notebook(*cells)})
    assert len(receive(ada, lab).files) == 2


def test_a_zip_beyond_the_limit_is_not_read(lab, put):
    with pytest.raises(Rejected, match="hw.zip has 6.0 MB; the limit is 5.0 MB"):
        receive(put({"Ada/hw.zip": b"x" * 6_000_000}) / "Ada", lab)


def test_a_zip_is_left_alone_where_the_files_are_complete(lab, work, put, pack):
    ada = put({**work("Ada"), "old.zip": pack(work("old"))}, "Ada") / "Ada"
    taken = receive(ada, lab)
    assert all(b"Ada" in file.content for file in taken.files)
    assert taken.ignored == ("old.zip",)


# --- What course systems let staff download -------------------------------------------------------

PEOPLE = {"San Zhang": "10001", "Si Li": "10002", "Àlex O'Neil-Ruiz": "10003", "欧阳 娜娜": "10004"}


def canvas(work, pack):
    for n, (who, key) in enumerate(PEOPLE.items()):
        start = "".join(filter(str.isalnum, who)).casefold() + ("_LATE" if n == 1 else "")
        for at, (name, data) in enumerate(work(who).items()):
            yield f"{start}_{key}_{700 + 10 * n + at}_{name.rpartition('/')[2]}", data


def canvas_again(work, pack):
    for name, data in canvas(work, pack):
        stem, dot, ending = name.rpartition(".")
        yield f"{stem}-2{dot}{ending}" if "layers" in name else name, data


def canvas_zip(work, pack):
    for who, key in PEOPLE.items():
        start = "".join(filter(str.isalnum, who)).casefold()
        yield f"{start}_{key}_7_my_hw_1.zip", pack(work(who))


def moodle(work, pack, inner="_assignsubmission_file_/", shape="package"):
    for who, key in PEOPLE.items():
        for name, data in shapes(pack)[shape](work(who)).items():
            yield f"{who}_{key}{inner}{name}", data


def moodle_with_text(work, pack):
    yield from moodle(work, pack, shape="zip")
    for who, key in PEOPLE.items():
        yield f"{who}_{key}_assignsubmission_onlinetext_/onlinetext.html", b"<p>see the file"


def moodle_flat(work, pack):
    for who, key in PEOPLE.items():
        for name, data in work(who).items():
            yield f"{who}_{key}_assignsubmission_file_{name.rpartition('/')[2]}", data
        yield f"{who}_{key}_assignsubmission_onlinetext_onlinetext.html", b"<p>"


def gradescope(work, pack, shape="package", start=":"):
    lines = []
    for n, who in enumerate(PEOPLE):
        for name, data in shapes(pack)[shape](work(who)).items():
            yield f"submission_{n}/{name}", data
        quoted = f'"{who}"' if n % 2 else who
        lines += [f"{start}submission_{n}:", "  :submitters:", f"  - :name: {quoted}"]
        lines += [f"    :sid: '{n}'", "    :email: a@b.c", "  :score: 0.0", "  :results:"]
        lines += ["    output: |-", "      :submitters:", "      - :name: Eve"]
        lines += ["  :history:", "  - :id: 5", "    :submitters:", "    - :name: Mallory"]
    yield "submission_metadata.yml", "\n".join(["---", *lines]).encode()


def blackboard(work, pack, titled=True):
    for n, (who, key) in enumerate(PEOPLE.items()):
        start = f"Lab 1_u{key}_attempt_2026-09-1{n}-10-11-12"
        for name, data in work(who).items():
            yield f"{start}_{name.rpartition('/')[2]}", data
        if titled:
            about = f"Name: {who} (u{key})\r\nAssignment: Lab 1\r\n\r\nComments:\nName: Eve (eve)\n"
            yield f"{start}.txt", b"\xef\xbb\xbf" + about.encode()


def blackboard_twice(work, pack):
    yield from blackboard(work, pack)
    for key in PEOPLE.values():
        for name, data in work("an earlier attempt").items():
            last = name.rpartition("/")[2]
            yield f"Lab 1_u{key}_attempt_2026-09-01-10-11-12_{last}", data


BY_NAME = {who: who for who in PEOPLE}
BY_LOGIN = {"".join(filter(str.isalnum, who)).casefold(): who for who in PEOPLE}
EXPORTS = {
    "canvas": ("Canvas", canvas, BY_LOGIN),
    "canvas, a file sent again": ("Canvas", canvas_again, BY_LOGIN),
    "canvas, zips": ("Canvas", canvas_zip, BY_LOGIN),
    "moodle, flat": ("Moodle", moodle_flat, BY_NAME),
    "moodle, newer": (
        "Moodle", lambda w, p: moodle(w, p, "_assignsubmission_file/"), BY_NAME),
    "moodle, zips and text": ("Moodle", moodle_with_text, BY_NAME),
    **{f"moodle, {shape}": (
        "Moodle", lambda w, p, s=shape: moodle(w, p, shape=s), BY_NAME) for shape in SHAPES},
    **{f"gradescope, {shape}": (
        "Gradescope", lambda w, p, s=shape: gradescope(w, p, s), BY_NAME) for shape in SHAPES},
    "gradescope, plain keys": ("Gradescope", lambda w, p: gradescope(w, p, start=""), BY_NAME),
    "blackboard": ("Blackboard", blackboard, BY_NAME),
    "blackboard, no texts": (
        "Blackboard",
        lambda w, p: blackboard(w, p, titled=False),
        {f"u{key}": who for who, key in PEOPLE.items()},
    ),
    "blackboard, two attempts": ("Blackboard", blackboard_twice, BY_NAME),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("stray", ["", RESULTS, "index.html", "Thumbs.db"])
def test_an_export_comes_to_the_right_students(lab, work, put, pack, name, stray):
    system, build, rows = EXPORTS[name]
    folder = put(dict(build(work, pack)))
    put({stray: b"x,y\n"} if stray else {})
    assert graded(folder, lab) == rows
    found = find_hand_ins([folder], lab)
    assert found.systems == (system,)
    assert set(found.left_out) >= ({stray} if stray else set())


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_may_be_sections(lab, work, put, pack, name):
    system, build, rows = EXPORTS[name]
    for section in ("DL-01", "DL-02"):
        folder = put(dict(build(lambda who, s=section: work(f"{who} {s}"), pack)), section)
    taken = graded(folder, lab)
    assert sorted(taken.values()) == sorted(
        f"{who} {section}" for who in rows.values() for section in ("DL-01", "DL-02")
    )
    assert find_hand_ins([folder], lab).systems == (system,)


def test_two_people_of_one_name_are_told_apart(lab, work, put):
    for key in ("11", "12"):
        folder = put(work(key), f"San Zhang_{key}_assignsubmission_file_")
    assert graded(folder, lab) == {"San Zhang_11": "11", "San Zhang_12": "12"}


@pytest.mark.parametrize(
    ("victim", "forged"),
    [
        ("San Zhang_11_assignsubmission_file_{}", "Eve_66_assignsubmission_file_San Zhang_11_"
         "assignsubmission_file_{}"),
        ("Lab 1_zs_attempt_2026-09-14-10-11-12_{}", "Lab 1_eve_attempt_2026-09-14-10-11-12_x_zs_"
         "attempt_2099-01-01-01-01-01_{}"),
        ("zhangsan_10001_700_{}", "eve_66_701_zhangsan_10001_999_{}"),
    ],
    ids=["moodle", "blackboard", "canvas"],
)  # fmt: skip
def test_no_name_of_a_file_takes_another_students_place(lab, work, put, victim, forged):
    for form, who in ((victim, "right"), (forged, "forged")):
        names = {name: name.rpartition("/")[2] for name in work(who)}
        folder = put({form.format(names[name]): data for name, data in work(who).items()})
    hand_ins = find_hand_ins([folder], lab).hand_ins
    assert len(hand_ins) == 2
    right = [one for one in hand_ins if not one.name.lower().startswith("eve")]
    assert [b"forged" in file.content for file in receive_hand_in(right[0], lab).files] == [
        False
    ] * 3


def test_files_named_in_an_own_way_are_no_export(lab, put):
    folder = put({"notes_1_2_x.txt": b"", "ada.zip": b"", "bob.zip": b""})
    found = find_hand_ins([folder], lab)
    assert [one.name for one in found.hand_ins] == ["ada.zip", "bob.zip"] and not found.systems


def test_two_files_of_one_name_are_refused(lab, work, put):
    folder = put({"ada_1_2_layers.py": b"a", "ada_1_3_layers.py": b"b", "ada_1_4_model.py": b"c"})
    (ada,) = find_hand_ins([folder], lab).hand_ins
    with pytest.raises(Rejected, match="layers.py was sent twice"):
        receive_hand_in(ada, lab)


def test_parts_that_are_links_are_passed_over(lab, work, put, tmp_path):
    folder = put({"ada_1_2_layers.py": b"x = 1\n", "ada_1_4_model.py": b"c = 1\n"})
    (tmp_path / "secret").write_text("secret")
    (folder / "ada_1_5_results.csv").symlink_to(tmp_path / "secret")
    (ada,) = find_hand_ins([folder], lab).hand_ins
    taken = receive_hand_in(ada, lab)
    assert taken.file(RESULTS) is None and "results.csv is not a regular" in taken.notices[0]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("- :name: San Zhang", "San Zhang"),
        ("- :name: 'Pat O''Neil'", "Pat O'Neil"),
        ('- :name: "J\\xFCrgen \\u5F20 \\"J\\""', 'Jürgen 张 "J"'),
        ('- :name: "a\\Ud83d\\uDEAD\\U00110000"', None),
        ("- name: San Zhang # a comment", "San Zhang"),
        ('- ":name": San', "San"),
        ("  - :sid: '1'\n    :name: San", "San"),
        ("- :name: \u202eSan\x1b[2J\x07", "San"),
        ("- :name: " + "x" * 500, "x" * 30),
        ("- :name:", None),
        ("- San Zhang", None),
        ("- {:name: San}", None),
        ("", None),
    ],
)
def test_names_are_read_as_they_are_written(tmp_path, line, name):
    file = tmp_path / "submission_metadata.yml"
    file.write_text(f"---\n:submission_7:\n  :submitters:\n  {line}\n", encoding="utf-8")
    found = submitters(file)
    if name is None:
        assert all(text.isprintable() and "San" not in text for text in found.values())
    else:
        assert found["submission_7"].startswith(name) and found["submission_7"].isprintable()
        assert len(found["submission_7"]) <= 120


def test_a_team_is_named_by_all_its_members(tmp_path):
    file = tmp_path / "submission_metadata.yml"
    file.write_text(
        "submission_7:\n  :submitters:\n  - :name: Ada\n    :sid: '1'\n  - :name: Bob\n"
        "  :created_at: 2026\nsubmission_8:\n  :submitters: []\n  :name: Eve\n"
    )
    assert submitters(file) == {"submission_7": "Ada, Bob"}


@pytest.mark.parametrize("text", [b"\xff" * 1000, b"- " * 50_000, b"[" * 100_000, b":a:\n" * 9999])
def test_a_file_of_names_that_is_none_leaves_folders_their_names(lab, work, put, text):
    put({"submission_metadata.yml": text})
    folder = put(work("Ada"), "submission_1")
    assert graded(folder, lab) == {"submission_1": "Ada"}
