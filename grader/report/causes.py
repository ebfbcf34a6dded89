"""The sentences for what may be told of a test, in English and in Chinese.

A sentence is made from a `Diagnosis` when it is shown, and holds nothing that is not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

from grader.report.diagnosis import (
    AT_LEAST,
    AT_MOST,
    MORE,
    NOT_A_NUMBER,
    OTHER,
    OWN_EXCEPTION,
    SWAPPED,
    Cause,
    Diagnosis,
    Difference,
    Kind,
    tellable,
)
from grader.report.report import Outcome

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_OF_OUTCOME = {
    Outcome.PASSED: Cause.IN_PART,
    Outcome.FAILED: Cause.WRONG,
    Outcome.ERROR: Cause.RAISED,
    Outcome.TIMEOUT: Cause.CPU_TIME,
    Outcome.MEMORY: Cause.MEMORY,
    Outcome.CRASHED: Cause.CRASHED,
    Outcome.MISSING: Cause.NOT_RUN,
    Outcome.UNJUDGED: Cause.UNJUDGED,
}
PASSED = {"en": "Passed.", "zh": "通过。"}

# {expected}, {got}, {said} and {limit} stand for the diagnosis's own words; {more} for what is
# known of an exception or a difference besides its name.
_SENTENCES: dict[Cause, tuple[str, str]] = {
    Cause.WRONG: (
        "Your code ran, but its answer is not right. Compare what it returns - value, shape and "
        "type - with the handout.",
        "代码运行了，但结果不对。请对照讲义检查返回值的数值、形状和类型。",
    ),
    Cause.RAISED: (
        "Your code raised {got} instead of answering.{more} Try it on your own machine with "
        "other shapes and values than those of the public tests.",
        "代码没有给出结果，而是抛出了{got}。{more}请在自己的机器上换用公开测试以外的形状和数值试一试。",
    ),
    Cause.CPU_TIME: (
        "Your code took more CPU time than this test allows{limit}. Look for a loop that "
        "never ends, or one over single numbers that could be one array operation.",
        "代码用的 CPU 时间超过了本测试的限制{limit}。请查找不会结束的循环，"
        "或可以改成一次数组运算的逐元素循环。",
    ),
    Cause.MEMORY: (
        "Your code used more memory than a submission may{limit}. Look for an array that grows "
        "with every step, or one with an axis too many.",
        "代码用的内存超过了限制{limit}。请查找每一步都在变大的数组，或多了一个轴的数组。",
    ),
    Cause.CRASHED: (
        "The process with your code ended before it answered. Remove calls that end it, such as "
        "exit() or os._exit(), and recursion without an end.",
        "运行代码的进程在给出结果之前就结束了。"
        "请去掉 exit()、os._exit() 之类的调用和没有终点的递归。",
    ),
    Cause.NOT_RUN: (
        "This test did not run, so it earns nothing.",
        "这个测试没有运行，因此没有得分。",
    ),
    Cause.UNJUDGED: (
        "Our check could not deal with what your code returned, so its points are open. The staff "
        "see it and decide. Compare value, shape and type with the handout.",
        "我们的检查程序无法处理代码的返回值，因此这部分分数待定，由教学人员查看后决定。"
        "请对照讲义检查数值、形状和类型。",
    ),
    Cause.IN_PART: (
        "Passed in part: close enough for some of the points.",
        "部分通过：结果足够接近，得到一部分分数。",
    ),
    Cause.BLOCKED: (
        "This test did not run, because a test that it builds on did not pass. Mend that one "
        "first.",
        "这个测试没有运行，因为它所依赖的测试没有通过。请先修好那一个。",
    ),
    Cause.NOT_HANDED_IN: (
        "A file that this test reads was not handed in.",
        "这个测试要读的文件没有提交。",
    ),
    Cause.NOT_WRITTEN: (
        "This part is not written yet: your code raised NotImplementedError.",
        "这一部分还没有写：代码抛出了 NotImplementedError。",
    ),
    Cause.NOT_IMPORTED: (
        "The file this test needs could not be imported. The message at the top of the report "
        "says why.",
        "这个测试需要的文件无法导入，原因见报告开头的信息。",
    ),
    Cause.WAITED: (
        "Your code was not done when its time was up, and computed for little of it. Look for "
        "input(), sleep(), a lock that nobody opens, or a loop that never ends.",
        "时间用完时代码还没有结束，而且其中只有一小部分时间在计算。"
        "请查找 input()、sleep()、没有人释放的锁，或不会结束的循环。",
    ),
    Cause.RUN_SPENT: (
        "The tests before this one used up the CPU time of the whole submission. Make the slow "
        "ones faster.",
        "前面的测试用完了整次提交的 CPU 时间。请让慢的部分变快。",
    ),
    Cause.PROCESSES: (
        "Your code tried to run more processes or threads at once than a submission may. Look for "
        "workers that are started in a loop; num_workers=0 is enough for a DataLoader here.",
        "代码同时启动的进程或线程超过了限制。请查找在循环里启动的 worker；"
        "这里 DataLoader 用 num_workers=0 就够了。",
    ),
    Cause.OPEN_FILES: (
        "Your code held more files open at once than a submission may. Close each one, best by "
        "opening it in a with statement.",
        "代码同时打开的文件超过了限制。请关闭每个文件，最好用 with 语句打开。",
    ),
    Cause.DISK_FULL: (
        "Your code filled the folder it may write to: too many bytes or too many files. Write "
        "less, or delete what is no longer needed.",
        "代码写满了允许写入的文件夹：字节太多或文件太多。请少写一些，或删除不再需要的内容。",
    ),
    Cause.FILE_SIZE: (
        "Your code wrote a single file larger than a submission may. Keep what you need in memory.",
        "代码写出的单个文件超过了限制。请把需要的内容放在内存里。",
    ),
    Cause.TOO_MUCH_TO_JUDGE: (
        "Checking what your code returned took more time or memory than a check may. Return what "
        "was asked for, in the size that was asked for.",
        "检查返回值所用的时间或内存超过了限制。请按要求的大小返回要求的内容。",
    ),
    Cause.KIND: (
        "Another kind of value is asked for: {expected} is expected, your code gave {got}.",
        "返回值的类别不对：应为{expected}，代码给出的是{got}。",
    ),
    Cause.LENGTH: (
        "Another number of entries is asked for: expected {expected}, your code gave {got}.",
        "元素个数不对：应为 {expected} 个，代码给出了 {got} 个。",
    ),
    Cause.KEYS: (
        "The dictionary has other keys than those asked for.",
        "字典的键与要求的不一致。",
    ),
    Cause.AXES: (
        "The number of axes is not right: expected {expected}, your code gave {got}. Look for a "
        "missing keepdims or reshape, and for an axis that a sum took away.",
        "轴的个数不对：应为 {expected} 个，代码给出了 {got} 个。"
        "请检查是否缺少 keepdims 或 reshape，或求和时去掉了一个轴。",
    ),
    Cause.SHAPE: (
        "The shape is not right: {got}. The kind of value and its number of axes are.",
        "形状不对：{got}。值的类别和轴的个数是对的。",
    ),
    Cause.DTYPE: (
        "The type of the numbers is not right: expected {expected}, your code gave {got}. Look "
        "where numbers are made or converted: dtype=, astype, float(), torch.tensor.",
        "数的类型（dtype）不对：应为 {expected}，代码给出的是 {got}。"
        "请检查生成或转换数的地方：dtype=、astype、float()、torch.tensor。",
    ),
    Cause.NOT_FINITE: (
        "There is NaN, infinity or a number too large where finite numbers are expected, or a "
        "finite one where they belong. Look for an overflow, log(0) or 0 / 0.",
        "应为有限数的地方出现了 NaN、无穷大或过大的数（或者相反）。请查找溢出、log(0) 或 0/0。",
    ),
    Cause.VALUE: (
        "Kind, shape and type of the answer are right, its value is not.{more}",
        "结果的类别、形状和类型都对，但数值不对。{more}",
    ),
    Cause.CHANGED: (
        "Your code changed its argument number {got} in place. Work on a copy: x = x - ... makes "
        "a new array, x -= ... changes the caller's.",
        "代码就地修改了第 {got} 个参数。请在副本上计算：x = x - ... 生成新数组，"
        "x -= ... 会改掉调用者的数组。",
    ),
    Cause.NOT_RAISED: (
        "Your code should raise {expected} here, and raised nothing.",
        "这里代码应该抛出{expected}，但什么也没有抛出。",
    ),
    Cause.OTHER_RAISED: (
        "Your code should raise {expected} here, and raised {got}.",
        "这里代码应该抛出{expected}，但抛出了{got}。",
    ),
    Cause.FIGURE: (
        "Measured: {said}{got}; all points need {expected}.",
        "测得：{said}{got}；满分要求 {expected}。",
    ),
    Cause.BAR: (
        "What was measured does not reach its bar: {said}.",
        "测得的结果没有达到要求：{said}。",
    ),
    Cause.SAID: (
        "What the test found: {said}.",
        "测试发现：{said}。",
    ),
    Cause.TABLE_LINE: (
        "Line {got} of the table that you handed in has a factor, value, seed or number that the "
        "handout does not allow there.",
        "所提交的表格第 {got} 行里有讲义不允许的因素、取值、种子或数。",
    ),
}

_KINDS: dict[str, tuple[str, str]] = {
    Kind.NONE: ("None", " None"),
    Kind.BOOL: ("a bool", "布尔值"),
    Kind.INT: ("an int", "整数（int）"),
    Kind.FLOAT: ("a float", "浮点数（float）"),
    Kind.STR: ("a string", "字符串"),
    Kind.BYTES: ("bytes", "字节串（bytes）"),
    Kind.LIST: ("a list", "列表（list）"),
    Kind.TUPLE: ("a tuple", "元组（tuple）"),
    Kind.DICT: ("a dictionary", "字典（dict）"),
    Kind.ARRAY: ("a NumPy array", " NumPy 数组"),
    Kind.TENSOR: ("a torch tensor", " torch 张量"),
    Kind.OBJECT: ("an object such as a module or a generator", "对象（例如模块或生成器）"),
    Kind.NUMBER: ("a number", "一个数"),
    Kind.PLAIN: ("a plain value such as a number or an array", "普通的值（例如数或数组）"),
}
_DIFFERENCES: dict[str, tuple[str, str]] = {
    Difference.SOME: (
        "Some of the numbers are right: look for what the others have in common, such as an "
        "edge, a sign or a row.",
        "有一部分数是对的：请看其余的数有什么共同点，例如边界、符号或某一行。",
    ),
    Difference.ALL: ("None of the numbers is right.", "没有一个数是对的。"),
    Difference.CLOSE: (
        "It is close, but not as close as honest rounding: look for work done in float32, and for "
        "a small constant such as eps that is missing or stands elsewhere.",
        "结果接近，但误差超过正常的舍入：请检查是否用 float32 计算，"
        "或 eps 之类的小常数缺失或放错了位置。",
    ),
    Difference.SIGN: ("Only the sign is the opposite.", "只有正负号相反。"),
    Difference.FACTOR: (
        "All numbers are off by one common factor: look for a mean in place of a sum, a 1/N or "
        "a scale.",
        "所有的数都差同一个倍数：请检查求和与求平均、1/N 或缩放系数。",
    ),
}
_EXCEPTIONS: dict[str, tuple[str, str]] = {
    "AttributeError": (
        "Something has no attribute or method of that name; it may be None.",
        "某个对象没有这个名字的属性或方法，它可能是 None。",
    ),
    "IndexError": (
        "An index lies outside its list or array, or has an axis too many.",
        "下标超出了列表或数组的范围，或多了一个轴。",
    ),
    "KeyError": ("A dictionary lacks the key.", "字典里没有这个键。"),
    "ModuleNotFoundError": (
        "It imports a library that is not there where this part is graded.",
        "导入了这一部分评分环境里没有的库。",
    ),
    "NameError": (
        "A name is used that the graded file does not define or import.",
        "用到了被评分的文件里没有定义或导入的名字。",
    ),
    "RecursionError": ("A function calls itself without an end.", "函数无止境地调用自己。"),
    "RuntimeError": (
        "In torch mostly shapes, types of numbers or devices that do not fit each other, or a "
        "graph that is used twice or not there.",
        "在 torch 里多半是形状、dtype 或设备不匹配，或者计算图被用了两次或不存在。",
    ),
    "TypeError": (
        "Mostly other arguments than the function takes, or None in a computation.",
        "多半是参数与函数不符，或在计算里用了 None。",
    ),
    "UnboundLocalError": (
        "A name is used before it is given a value in the function.",
        "函数里的名字在赋值之前就被使用了。",
    ),
    "ValueError": (
        "In NumPy mostly shapes that do not fit each other.",
        "在 NumPy 里多半是形状不匹配。",
    ),
    "ZeroDivisionError": ("A number is divided by 0.", "除数为 0。"),
}


def outcome_diagnosis(
    outcome: Outcome, *, cpu_seconds: float | None = None, memory_mb: int | None = None
) -> Diagnosis:
    """Return what can be told of an outcome alone; the limits are those that held."""
    cause, limit = _OF_OUTCOME[outcome], ""
    if cause is Cause.CPU_TIME and cpu_seconds is not None:
        limit = f"{round(cpu_seconds, 3):.10g} s"
    if cause is Cause.MEMORY and memory_mb is not None:
        limit = f"{memory_mb} MB"
    return Diagnosis(cause=cause, expected=limit)


def sentence(diagnosis: Diagnosis, language: Language = "en") -> str:
    """Return the sentence for what may be told."""
    place = LANGUAGES.index(language)
    cause, expected, got = diagnosis.cause, diagnosis.expected, diagnosis.got
    of_expected = _WORDING.get(cause, _plain)
    of_got = _figure if cause is Cause.FIGURE else of_expected
    more = (_DIFFERENCES if cause is Cause.VALUE else _EXCEPTIONS).get(got)
    space = "" if language == "zh" else " "
    return _SENTENCES[cause][place].format(
        expected=of_expected(expected, place),
        got=of_got(got, place),
        said=diagnosis.said.rstrip("."),
        limit=f" ({expected})" if expected else "",
        more=f"{space}{more[place]}" if more else "",
    )


def _plain(word: str, place: int) -> str:
    if word == MORE:
        return ("more", "更多")[place]
    return ("another one", "其他类型")[place] if word == OTHER else word


def _kind(word: str, place: int) -> str:
    return _KINDS[word][place]


def _exception(word: str, place: int) -> str:
    if word == OWN_EXCEPTION:
        return ("an exception of its own", "自定义的异常")[place]
    if not word:
        return ("an exception", "异常")[place]
    return (f"{'an' if word[0] in 'AEIOU' else 'a'} {word}", f" {word}")[place]


def _size(word: str, place: int) -> str:
    if word == SWAPPED:
        return ("the sizes are right, but in another order", "各轴的长度对，但顺序不对")[place]
    if word == MORE:
        return ("a later axis has another size", "后面某个轴的长度不对")[place]
    return (f"axis {word} has another size", f"第 {word} 轴的长度不对")[place]


def _figure(word: str, place: int) -> str:
    if word == NOT_A_NUMBER:
        return (", no finite number", "，不是有限的数")[place]
    about = "" if word.startswith((AT_MOST, AT_LEAST)) else ("about ", "约 ")[place]
    return (": ", "：")[place] + about + word


# How the words of a cause are written, where not as they are.
_WORDING: dict[Cause, Callable[[str, int], str]] = {
    Cause.KIND: _kind,
    Cause.SHAPE: _size,
    Cause.RAISED: _exception,
    Cause.NOT_RAISED: _exception,
    Cause.OTHER_RAISED: _exception,
}

_LIMIT = re.compile(r" \(\d+(?:\.\d+)? (?:s|MB)\)")


def is_fixed(reason: str) -> bool:
    """Tell whether a sentence is an English one that holds no constant of an author's."""
    return _LIMIT.sub("", reason, count=1) in _fixed()


@cache
def _fixed() -> frozenset[str]:
    return frozenset({PASSED["en"], *map(sentence, tellable())})
