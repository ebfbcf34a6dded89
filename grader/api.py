"""The engine's public face: all that `portal`, or any other program, may use of `grader`.

Everything else may change from one version to the next.
"""

from grader.authoring import load_mutants, reference_submission, skeleton_submission
from grader.authoring.draw import draw
from grader.authoring.mutants import Replacement
from grader.competition import Judge, Ladder, Scores, points_of
from grader.competition.drawn import files_of
from grader.encoding import encodings_of
from grader.errors import ManifestError, ProctorError, Rejected, TableError, UnknownAssignment
from grader.grading import GradingPool, GradingProgress, suite_digest
from grader.intake import Submission, pack_together, preview_upload, receive_bytes
from grader.intake.names import plain
from grader.lab.catalogue import Catalogue, Lab, find_home
from grader.lab.competition import CompetitionRules
from grader.lab.handout import handout_files, handout_zip
from grader.lab.manifest import Assignment, SubmittedFile
from grader.report import Outcome, Report, RunStatus, TestReport
from grader.report.causes import LANGUAGES, Language
from grader.report.explain import LineKind, explain, findings_to_look_at, smiley, where
from grader.report.export import safe_cell
from grader.report.redaction import (
    NOT_FOR_GRADES,
    StudentArtifact,
    StudentItem,
    StudentReport,
    StudentTest,
    for_student,
)
from grader.rerun import Rerun, RerunSets, SourceRunner, Verdict, read_entry, read_sets, rerun
from grader.sandbox import Tier, best_tier, gpu_count
from grader.sheet import SheetRow, read_sheet
from grader.text import clean, clean_line, invisible

__all__ = [
    "draw",
    "files_of",
    "points_of",
    "Scores",
    "Ladder",
    "Judge",
    "CompetitionRules",
    "LANGUAGES",
    "NOT_FOR_GRADES",
    "Assignment",
    "Catalogue",
    "GradingPool",
    "GradingProgress",
    "Lab",
    "Language",
    "LineKind",
    "ManifestError",
    "Outcome",
    "ProctorError",
    "Rejected",
    "Replacement",
    "Report",
    "Rerun",
    "RerunSets",
    "RunStatus",
    "SheetRow",
    "StudentArtifact",
    "StudentItem",
    "StudentReport",
    "StudentTest",
    "SourceRunner",
    "Submission",
    "SubmittedFile",
    "TableError",
    "TestReport",
    "Tier",
    "UnknownAssignment",
    "Verdict",
    "best_tier",
    "clean",
    "clean_line",
    "encodings_of",
    "explain",
    "find_home",
    "findings_to_look_at",
    "for_student",
    "gpu_count",
    "handout_files",
    "handout_zip",
    "invisible",
    "load_mutants",
    "pack_together",
    "plain",
    "preview_upload",
    "read_entry",
    "read_sets",
    "read_sheet",
    "receive_bytes",
    "reference_submission",
    "rerun",
    "safe_cell",
    "skeleton_submission",
    "smiley",
    "suite_digest",
    "where",
]
