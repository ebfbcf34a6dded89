"""A class's submissions on disk: plain folders, or what a course system lets staff download."""

from grader.intake.exports.finding import find_hand_ins
from grader.intake.exports.handin import FoundHandIns, HandIn, receive_hand_in

__all__ = ["FoundHandIns", "HandIn", "find_hand_ins", "receive_hand_in"]
