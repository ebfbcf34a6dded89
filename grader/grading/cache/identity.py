"""What makes two runs of a test the same run: the key under which its result is kept.

The rule is to name everything that could change a verdict, and where that cannot be told apart,
to name too much: a test run needlessly costs seconds, a stale result costs a student points.

A key is the SHA-256 over
    the submission's digest, the secret its hidden inputs are drawn from, the variant's name and
    settings, and the data folders that the variant reads (`grader.lab.data`);
    of the manifest: limits, submitted files, given files with their contents. Its points, titles
    and texts decide no verdict and are read anew for each report;
    all of the reference's folder, ``bars.toml`` among it, and the course's ``datasets``; not what
    only proves the suite (mutants, calibration);
    every file of the suite without tests of its own (conftest, helpers, vectors), and any test
    file that another file of the suite imports;
    the test's own text and the rest of its file (`sources`), and the same of every test it
    depends on or shares a process or a module's seed with (`CollectedSuite.closure`);
    the engine's own code, the versions of Python and of the libraries, the processor, the tier.

What the key leaves out, and why that is safe
    The time limit of the whole run falls on tests in their order. A kept result is used only if
    a run of all tests would have left the test its full limit (`recall`), and its time is charged
    to the tests behind it.
    A test that another one leaves something behind for, in a global of the suite or in a fixture
    of wide scope that is no shared process: suites must not do that, and validating one test by
    one (`grader validate`) relies on it too. A suite that drives the run itself (`suite_run`) or
    asks for fixtures by name while it runs is treated as if all tests of a file hung together.
    What student code leaves for a later test: in files while a shared process of its module is
    open (else they are removed), or in memory that it made to be shared when it was imported. A
    result that leans on it stays what it was when the tests ran one after the other.
    Chance of the student's own (a clock, an unseeded generator): the first verdict stays until
    something changes. Running without the cache draws again.

Kept are verdicts on what the code does (`entry.may_be_kept`), from runs without any fault of ours
and in which every file could be imported. Never a timeout or a crash: those may be the machine's.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grader
from grader.grading.cache.sources import TestFile, imported_stems, mentions, read_test_file
from grader.grading.collected import CollectedSuite, TestSpec
from grader.grading.digest import GIVEN, lab_files, suite_digest, suite_stamp
from grader.grading.versions import library_version
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.data import data_digests
from grader.lab.given import DATASETS, REFERENCE
from grader.lab.manifest import MANIFEST_NAME
from grader.sandbox import Tier

FORMAT = 1  # of keys and entries; raise it when either changes its meaning
_SUITE = f"{REFERENCE}/suite/"
_LIBRARIES = ("numpy", "torch", "pytest", "matplotlib", "pillow", "scipy")
_ENGINE = Path(grader.__file__).parent
_NO_ENGINE = frozenset({"__pycache__", "cli", "export", "authoring"})  # decide no verdict
_DRIVES_THE_RUN, _ASKS_LATE = "suite_run", "getfixturevalue"


@dataclass(frozen=True)
class SuiteFiles:
    """A lab's own half of every key, read once for each state of its files."""

    digest: str  # `suite_digest`
    collected_key: str  # under which the collected tests are kept
    common: str  # of all that concerns every test
    tests: Mapping[str, TestFile]  # files that may hold tests, by their path in the suite
    joint_files: frozenset[str]

    def text(self, test: TestSpec) -> str:
        """Return the digest of what its own file means for a test; "" if `common` holds it."""
        file = self.tests.get(test.file)
        return file.digest(test.function) if file else ""


@dataclass(frozen=True)
class Circumstances:
    """What all tests of one grading have in common."""

    digest: str

    def keys(self, files: SuiteFiles, suite: CollectedSuite) -> dict[str, str]:
        """Return every test's key, by id."""
        parts = {
            test.id: [test.id, files.text(test), test.cpu_seconds, test.shown, test.without]
            for test in suite.tests
        }
        return {
            test.id: _sha256(
                self.digest,
                test.id,
                [parts[name] for name in suite.closure(test, files.joint_files)],
            )
            for test in suite.tests
        }


def read_suite_files(lab: Lab) -> SuiteFiles:
    """Read a lab's files; GradingError without the staff's half, or if a test file is broken."""
    files = {name: file.read_bytes() for name, file in sorted(lab_files(lab))}
    suite = {n.removeprefix(_SUITE): content for n, content in files.items() if _is_suite(n)}
    python = {name: content for name, content in suite.items() if name.endswith(".py")}
    tests = {name: content for name, content in python.items() if _holds_tests(name, python)}
    drives = any(mentions(content, _DRIVES_THE_RUN) for content in python.values())
    late = {name for name, content in python.items() if mentions(content, _ASKS_LATE)}
    all_joint = drives or bool(late - tests.keys())
    helpers = {name: _sha256_of(suite[name]) for name in suite if name not in tests}
    others = {
        name: _sha256_of(content)
        for name, content in files.items()
        if not _is_suite(name) and name.startswith((f"{REFERENCE}/", f"{DATASETS}/", f"{GIVEN}/"))
    }
    return SuiteFiles(
        digest=suite_digest(lab),
        collected_key=_sha256(
            "collected",
            _manifest(lab, whole=drives),
            [(part.without, [item.id for item in part.items]) for part in lab.assignment.parts],
            [(name, _sha256_of(files[name])) for name in files if name != MANIFEST_NAME],
            environment_of_tests(),
        ),
        common=_sha256(_manifest(lab, whole=drives), helpers, others),
        tests={name: read_test_file(name, content) for name, content in tests.items()},
        joint_files=frozenset(tests if all_joint else late),
    )


def circumstances(
    lab: Lab,
    files: SuiteFiles,
    submission: Submission,
    *,
    key: bytes,
    variant: str | None,
    tier: Tier,
) -> Circumstances:
    """Return what the results of one grading share; GradingError if its data are missing."""
    return Circumstances(
        _sha256(
            FORMAT,
            files.common,
            submission.digest,
            hashlib.sha256(b"inputs\0" + key).hexdigest(),
            variant or lab.assignment.default_variant,
            lab.assignment.variant(variant),
            data_digests(lab.assignment, variant),
            environment_of_tests(),
            int(tier),
        )
    )


def stamp(lab: Lab) -> str:
    """Return what changes whenever a file of the lab or of the engine does, without reading it."""
    return _sha256(suite_stamp(lab), _engine_stamp())


def environment_of_tests() -> str:
    """Return the digest of the engine's code, the libraries and the processor."""
    return _environment(_engine_stamp())


def _engine_stamp() -> str:
    return _sha256([_about(file) for file in _engine_files()])


@cache
def _environment(stamp: str) -> str:
    """Read it once for each state of the engine's files."""
    code = {
        str(file.relative_to(_ENGINE)): _sha256_of(file.read_bytes()) for file in _engine_files()
    }
    return _sha256(
        code,
        grader.__version__,
        sys.version,
        {name: library_version(name) for name in _LIBRARIES},
        platform.system(),
        platform.machine(),
        platform.libc_ver(),
        _processor(),
    )


def _manifest(lab: Lab, *, whole: bool) -> dict[str, Any]:
    """Return what tests can feel of the manifest; points and texts are not among it."""
    known = lab.assignment.model_dump(mode="json")
    return known if whole else {name: known[name] for name in ("slug", "limits", "files", "given")}


def _is_suite(name: str) -> bool:
    return name.startswith(_SUITE)


def _holds_tests(name: str, python: Mapping[str, bytes]) -> bool:
    """Tell whether a file is one of tests, and of tests alone: nobody imports it."""
    stem = name.rpartition("/")[2].removesuffix(".py")
    if not (stem.startswith("test_") or stem.endswith("_test")):
        return False
    return not any(
        stem in imported_stems(content) for other, content in python.items() if other != name
    )


def _engine_files() -> Iterator[Path]:
    for file in sorted(_ENGINE.rglob("*.py")):
        if not _NO_ENGINE & set(file.relative_to(_ENGINE).parts):
            yield file


def _about(file: Path) -> list[Any]:
    known = file.stat()
    return [str(file), known.st_size, known.st_mtime_ns, known.st_ino]


def _processor() -> str:
    """Return the processor's model and abilities: sums in another order round differently."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def _sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sha256(*parts: Any) -> str:
    return _sha256_of(json.dumps(parts, sort_keys=True).encode())
