"""Values that lie: about what they equal, their type, shape, dtype, size, state or history."""

from hostile.attack import SPLIT, Attack
from hostile.code.forging import WRONG
from hostile.code.lying import (
    AGREES_TO_RAISE,
    ALIASES,
    ATTRIBUTES,
    BY_IDENTITY,
    DEEP,
    DRIP,
    EQUAL,
    EXCEPTIONS,
    FIRST_WINS,
    GROWS,
    HUGE,
    LYING,
    MUTATES,
    ODD_NODES,
    ORDER,
    STATE,
    SUBCLASSES,
    TENSORS,
    WIRE,
    frames,
    values,
)

ROWS = (
    Attack(
        "equals-everything",
        "Returns array and float subclasses that equal everything and are at no distance.",
        ("equal-to-all",),
        {"tiny/maths.py": EQUAL},
        wall=SPLIT,
    ),
    Attack(
        "subclasses-builtins",
        "Returns list, str and dict subclasses that lie about length, items and value.",
        ("equal-to-all",),
        {"tiny/maths.py": SUBCLASSES},
        wall=SPLIT,
    ),
    Attack(
        "poses-as-an-array",
        "Returns objects that claim to be arrays and floats and end the process when looked at.",
        ("equal-to-all", "exit-in-call"),
        {"tiny/maths.py": ATTRIBUTES},
        wall=SPLIT,
    ),
    Attack(
        "subclasses-tensors",
        "Returns tensors and parameters whose comparison always says equal.",
        ("tensor-subclass",),
        {"tiny/net.py": TENSORS},
        wall=SPLIT,
    ),
    Attack(
        "zeroes-its-input",
        "Changes the input in place, in the hope that the expected answer changes too.",
        ("mutate-inputs",),
        {"tiny/maths.py": MUTATES},
        wall=SPLIT,
    ),
    Attack(
        "zeroes-all-arrays",
        "Overwrites every array and argument it can find in its process.",
        ("mutate-inputs", "gc"),
        {"tiny/maths.py": ALIASES},
        wall=SPLIT,
    ),
    Attack(
        "returns-empty-arrays",
        "Returns empty arrays of one, two and three axes, which broadcast to anything.",
        ("empty",),
        values("np.empty((0, 1)), np.empty((0, 5)), np.empty((3, 0)), np.empty(0), []"),
        wall=SPLIT,
    ),
    Attack(
        "returns-broadcastable-values",
        "Returns scalars and arrays with axes of one where whole arrays are asked.",
        ("broadcast",),
        values("np.zeros((1, 1)), np.zeros((1, 5)), np.float64(0), 0, True, np.zeros(())"),
        wall=SPLIT,
    ),
    Attack(
        "returns-nan",
        "Returns NaN and infinities in every form, which no comparison finds too large.",
        ("nan-inf",),
        values(
            "np.full((3, 5), np.nan), np.full((4,), np.nan), float('nan'), float('-inf'),"
            " np.float64('inf'), np.full((3, 5), np.inf), complex('nan')"
        ),
        wall=SPLIT,
    ),
    Attack(
        "returns-other-dtypes",
        "Returns right shapes as float16, objects, text, dates, structures and complex numbers.",
        ("dtype-layout",),
        values(
            "np.zeros((3, 5), np.float16), np.zeros((3, 5), object), np.zeros((3, 5), 'U3'),"
            " np.zeros((3, 5), 'M8[s]'), np.zeros((3, 5), [('a', 'f8')]), np.zeros((3, 5)) + 3.14j,"
            " np.zeros((3, 5), np.longdouble), np.ma.masked_all((3, 5)), np.matrix('1 2; 3 4')"
        ),
        wall=SPLIT,
    ),
    Attack(
        "returns-other-layouts",
        "Returns views with negative, zero and overlapping strides, and swapped bytes.",
        ("dtype-layout",),
        values(
            "np.lib.stride_tricks.as_strided(np.zeros(1), (3, 5), (0, 0)),"
            " np.zeros((5, 3)).T, np.zeros((3, 5), '>f8'), np.zeros((6, 5))[::-2],"
            " np.lib.stride_tricks.as_strided(np.zeros(1), (2**20, 2**20), (0, 0))"
        ),
        wall=SPLIT,
    ),
    Attack(
        "lies-about-its-state",
        "Lists parameters that are not its own and computes with others.",
        ("fake-state",),
        {"tiny/net.py": STATE},
        earned=("test_linear_maps_three_to_two",),
        wall=SPLIT,
    ),
    Attack(
        "right-once",
        "Answers right on the very first call of all, and wrong ever after.",
        ("call-order",),
        {"tiny/maths.py": ORDER},
        earned=("double",),  # each sandbox has a first call
        wall=SPLIT,
    ),
    Attack(
        "repeats-its-first-answer",
        "Computes once in a process and gives that answer to every later question.",
        ("call-order",),
        {"fnn/layers.py": FIRST_WINS},
        lab="fnn",
        earned=("test_softmax_by_hand", "test_softmax_survives_logits_far_apart"),  # one call each
        wall=SPLIT,
    ),
    Attack(
        "caches-by-identity",
        "Caches answers by the identity of what it was given rather than its value.",
        ("cached-by-id",),
        {"fnn/optim.py": BY_IDENTITY},
        lab="fnn",
        earned=(  # one step of each optimiser is asked there
            "test_a_gradient_of_zero_moves_nothing",
            "test_first_step_of_adam_and_adagrad_ignores_the_gradients_size",
        ),
        wall=SPLIT,
    ),
    Attack(
        "sends-huge-headers",
        "Announces and sends headers and buffers of many gigabytes.",
        ("huge-header", "memory"),
        frames(HUGE),
    ),
    Attack(
        "nests-deeply",
        "Sends lists, dicts and JSON nested thousands of levels deep.",
        ("deep-nesting",),
        frames(DEEP),
        wall=SPLIT,
    ),
    Attack(
        "lies-about-sizes",
        "Sends arrays whose dtype, shape and length do not fit together.",
        ("lying-sizes",),
        frames(LYING),
        wall=SPLIT,
    ),
    Attack(
        "sends-odd-nodes",
        "Sends numbers that overflow, broken text, doubled keys, buffers and handles.",
        ("lying-sizes", "nan-inf"),
        frames(ODD_NODES),
        wall=SPLIT,
    ),
    Attack(
        "drips",
        "Sends its answer byte by byte, so that no single read ever times out.",
        ("drip-feed",),
        {"tiny/maths.py": WIRE + DRIP + WRONG},
    ),
    Attack(
        "changes-while-it-is-read",
        "Returns memory that another thread keeps changing.",
        ("call-order", "thread-bomb"),
        {"tiny/maths.py": GROWS},
        wall=SPLIT,
    ),
    Attack(
        "raises-odd-exceptions",
        "Raises exceptions with endless text and names, groups of them, and recursion.",
        ("equal-to-all", "deep-nesting"),
        {"tiny/maths.py": EXCEPTIONS},
        wall=SPLIT,
    ),
    Attack(
        "refuses-everything",
        "Raises ValueError at every call, to pass the tests that ask for a refusal.",
        ("equal-to-all", "call-order"),
        {
            "fnn/layers.py": AGREES_TO_RAISE
            + "activation = activation_grad = softmax = initialise = MLP = refuse\n",
            "fnn/optim.py": AGREES_TO_RAISE + "step = learning_rate = refuse\n",
            "fnn/model.py": AGREES_TO_RAISE + "FNN = fit = refuse\n",
            "fnn/study.py": AGREES_TO_RAISE + "run_cell = refuse\n",
        },
        lab="fnn",
        wall=SPLIT,
    ),
)
