"""The hostile code of the rows in `hostile.reading`."""

from hostile.attack import maths

FIND = """
def look(tops, needle):
    for top in tops:
        for folder, below, names in os.walk(top):
            below[:] = [name for name in below if name not in ("site-packages", "lib", "share")]
            for name in names:
                path = os.path.join(folder, name)
                try:
                    small = os.path.isfile(path) and os.path.getsize(path) < 20_000
                    if small and needle in open(path, errors="replace").read():
                        raise RuntimeError("LEAKED " + path)
                except OSError:
                    pass
"""

PLACES = 'PLACES = ("..", "/sandbox", "/home", "/tmp", "/opt", "/srv", "/var")'

FRAMES = """
frame = sys._getframe()
while frame:
    for thing in [*frame.f_locals.values(), *frame.f_globals.values()]:
        if type(thing).__name__ in ("SuiteRun", "TestSpec", "GradingJob", "Verdict"):
            raise RuntimeError("LEAKED " + type(thing).__name__)
    name = frame.f_code.co_filename
    if "suite" in name or "reference" in name or "pytest" in name:
        raise RuntimeError("LEAKED frame of " + name)
    frame = frame.f_back
"""

GARBAGE = """
import gc
for thing in gc.get_objects():
    name = getattr(thing, "__module__", "")
    if isinstance(name, str) and name.split(".")[0] in ("reference_tiny", "grader", "_pytest"):
        raise RuntimeError("LEAKED " + name)
    if isinstance(thing, dict) and "expected" in thing and "actual" in thing:
        raise RuntimeError("LEAKED locals of a comparison")
"""

MODULES = """
for name, module in list(sys.modules.items()):
    if name.split(".")[0] in ("grader", "reference_tiny", "reference", "_pytest", "pytest"):
        raise RuntimeError("LEAKED module " + name)
    if "not even near" in repr(getattr(module, "__dict__", ""))[:0] + str(module.__doc__):
        raise RuntimeError("LEAKED doc of " + name)
"""

IMPORT = """
import importlib
for name in ("reference", "reference.tiny", "reference_tiny", "grader", "grader.suite", "home",
             "grader.grading.trusted", "tiny.suite", "suite", "test_maths", "tiny.test_maths"):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    raise RuntimeError("LEAKED import of " + name)
"""

MEMORY = """
for pid in [name for name in os.listdir("/proc") if name.isdigit()] + [str(os.getppid()), "1"]:
    if pid == str(os.getpid()):
        continue
    for name in ("mem", "maps", "auxv", "syscall", "pagemap", "fdinfo", "map_files"):
        path = f"/proc/{pid}/{name}"
        try:
            if name in ("fdinfo", "map_files"):
                os.listdir(path)
            elif name == "mem":  # to open it is to have it; the others refuse at the first read
                os.close(os.open(path, os.O_RDONLY))
            else:
                os.read(os.open(path, os.O_RDONLY), 1)
        except OSError:
            continue
        raise RuntimeError(f"LEAKED {path}")
"""

ENVIRON = """
for pid in os.listdir("/proc"):
    if pid.isdigit():
        try:
            text = open(f"/proc/{pid}/environ", errors="replace").read()
        except OSError:
            continue
        if "CANARY" in text or "PYTEST" in text or "GRADER" in text:
            raise RuntimeError("LEAKED environment of " + pid)
if [name for name in os.environ if "CANARY" in name or "PYTEST" in name or "SECRET" in name]:
    raise RuntimeError("LEAKED own environment")
"""

CMDLINE = """
for pid in os.listdir("/proc"):
    for name in ("cmdline", "comm", "cgroup", "cwd", "exe", "root", "status"):
        try:
            path = f"/proc/{pid}/{name}"
            text = os.readlink(path) if name in ("cwd", "exe") else open(path).read()
        except (OSError, ValueError):
            continue
        if "grader.grading" in text or "pytest" in text or "attacks" in text:
            raise RuntimeError("LEAKED " + path)
"""

MOUNTS = """
for name in ("mountinfo", "mounts", "mountstats"):
    try:
        text = open("/proc/self/" + name).read()
    except OSError:
        continue
    known = @HOST@
    if known["canary"] in text or "/suite" in text or "reference" in text:
        raise RuntimeError("LEAKED " + text)
"""

FDS = """
import fcntl, stat
def search(where):
    for fd in range(3, 1024):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        if stat.S_ISSOCK(mode):
            continue
        raise RuntimeError(f"LEAKED fd {fd} of mode {mode:o} {where}")
search("at import")
"""

SOCKETS = """
import socket
found = []
for fd in range(3, 1024):
    try:
        peer = socket.socket(fileno=os.dup(fd))
    except OSError:
        continue
    with peer:
        found.append(fd)
if len(found) > 1:
    raise RuntimeError(f"LEAKED {len(found)} sockets where one test has one")
"""

LEAVE = """
import glob, mmap
places = ["/tmp", "/dev/shm", "/var/tmp", "/run", "/home", "/root", "/sandbox", "/sandbox/scratch",
          "/sandbox/submission", "/sandbox/runner", os.path.expanduser("~"), os.getcwd(), ".."]
places += sys.path + glob.glob("/dev/*") + [os.path.dirname(os.__file__)]
"""

LEAVE_FILES = maths(
    """
for place in places:
    try:
        with open(os.path.join(place, "hostile-left"), "w") as file:
            file.write("LEAKED of the last submission " * 1000)
        os.chmod(os.path.join(place, "hostile-left"), 0o777)
    except OSError:
        pass
""",
    LEAVE,
)

FIND_FILES = maths(
    """
for place in places:
    path = os.path.join(place, "hostile-left")
    if os.path.exists(path) and not mine:
        raise RuntimeError("LEAKED " + path)
""",
    LEAVE + "mine = False\n",
)

IPC = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
KEY, SIZE, CREATE = 0x7F3A, 4096, 0o1666
class Mail(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_long), ("text", ctypes.c_char * 64)]
"""

LEAVE_IPC = maths(
    """
piece = libc.shmget(KEY, SIZE, CREATE)
address = libc.shmat(piece, None, 0) if piece >= 0 else None
if address and address != ctypes.c_void_p(-1).value:
    ctypes.memmove(address, b"LEAKED", 6)
box = libc.msgget(KEY, CREATE)
if box >= 0:
    libc.msgsnd(box, ctypes.byref(Mail(1, b"LEAKED")), 64, 0o4000)
libc.semget(KEY, 1, CREATE)
mq_open = ctypes.CDLL("librt.so.1").mq_open
mq_open(b"/hostile-queue", os.O_CREAT | os.O_RDWR, 0o666, None)
""",
    IPC,
)

FIND_IPC = maths(
    """
if not seen:
    if libc.shmget(KEY, 0, 0o666) >= 0:
        raise RuntimeError("LEAKED shared memory of an earlier submission")
    if libc.msgget(KEY, 0o666) >= 0:
        raise RuntimeError("LEAKED a message queue of an earlier submission")
    if libc.semget(KEY, 0, 0o666) >= 0:
        raise RuntimeError("LEAKED semaphores of an earlier submission")
    if ctypes.CDLL("librt.so.1").mq_open(b"/hostile-queue", os.O_RDONLY) >= 0:
        raise RuntimeError("LEAKED a POSIX queue of an earlier submission")
""",
    IPC + "seen = False\n",
)

FILL_MEMORY = maths(
    """
blocks = [bytearray(b"LEAKED-bytes" * 10**5) for _ in range(100)]
arrays = [np.frombuffer(block, dtype=np.uint8).copy() for block in blocks]
""",
    "import numpy as np\n",
)

READ_MEMORY = maths(
    """
needle = b"LEAKED-" + b"bytes"
for size in (2**12, 2**16, 2**20, 2**24, 2**27):
    rough = np.empty(size, dtype=np.uint8)
    if needle in rough.tobytes():
        raise RuntimeError("LEAKED memory of an earlier submission")
for size in (64, 4096, 2**20, 2**26):
    address = libc.malloc(size)
    if needle in ctypes.string_at(address, size):
        raise RuntimeError("LEAKED memory of an earlier submission")
""",
    """import ctypes
import numpy as np
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
""",
)

NETWORK = """
import socket
known = @HOST@
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", known["tcp"])),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", known["udp"])),
    (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    (socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53)),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", known["tcp"])),
):
    try:
        with socket.socket(family, kind) as peer:
            peer.settimeout(0.2)
            peer.connect(address)
            peer.send(b"hello")
    except OSError:
        continue
    raise RuntimeError("LEAKED connection to " + str(address))
for family in (16, 17, 31, 38, 40, 44):  # netlink, packet, bluetooth, alg, vsock, xdp
    try:
        socket.socket(family, socket.SOCK_RAW).close()
    except OSError:
        continue
    raise RuntimeError(f"LEAKED a socket of family {family}")
"""

LOCAL_SOCKETS = """
import socket
known = @HOST@
for kind, address in (
    (socket.SOCK_STREAM, known["door"]), (socket.SOCK_STREAM, known["abstract"]),
    (socket.SOCK_DGRAM, known["post"]), (socket.SOCK_STREAM, "/var/run/docker.sock"),
    (socket.SOCK_STREAM, "/run/systemd/private"),
    (socket.SOCK_STREAM, "/run/dbus/system_bus_socket"),
    (socket.SOCK_DGRAM, "/dev/log"), (socket.SOCK_STREAM, "\\0/tmp/.X11-unix/X0"),
):
    try:
        with socket.socket(socket.AF_UNIX, kind) as peer:
            peer.settimeout(0.2)
            peer.connect(address)
            peer.send(b"hello")
    except OSError:
        continue
    raise RuntimeError("LEAKED connection to " + repr(address))
"""

NAMES = """
import socket
for name in ("example.com", "localhost.localdomain", "metadata.google.internal"):
    for ask in (lambda: socket.getaddrinfo(name, 80), lambda: socket.gethostbyname(name)):
        try:
            answer = ask()
        except OSError:
            continue
        if "127.0.0.1" not in str(answer):
            raise RuntimeError("LEAKED an answer of a name service")
for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/passwd", "/etc/shadow", "/etc/hostname"):
    try:
        open(name).close()
    except OSError:
        continue
    raise RuntimeError("LEAKED " + name)
"""

OTHERS = """
import glob
known = @HOST@
for place in (known["temp"], "/tmp", "/var/tmp", "/sandbox", "/mnt", "..", "../..", "/proc/1/cwd",
              "/proc/1/root" + known["temp"], "/proc/self/root" + known["temp"]):
    for path in glob.glob(place + "/proctor-*/submission/*") + glob.glob(place + "/*/secret.py"):
        raise RuntimeError("LEAKED path " + path)
    try:
        if "CANARY" in open(place + "/proctor-another-run/submission/secret.py").read():
            raise RuntimeError("LEAKED file of another submission")
    except OSError:
        pass
"""

DEVICES = """
import stat
for name in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/proc/kcore", "/proc/kmsg",
             "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/loop0", "/dev/fuse", "/dev/kvm",
             "/dev/net/tun", "/dev/dri/card0", "/dev/nvidiactl"):
    try:
        os.close(os.open(name, os.O_RDONLY))
    except OSError:
        continue
    raise RuntimeError("LEAKED " + name)
for place in ("/tmp", "/dev/shm", os.getcwd()):
    for kind, number in ((stat.S_IFBLK, os.makedev(254, 0)), (stat.S_IFCHR, os.makedev(1, 1))):
        try:
            os.mknod(place + "/hostile-device", 0o666 | kind, number)
            os.close(os.open(place + "/hostile-device", os.O_RDONLY))
        except OSError:
            continue
        raise RuntimeError("LEAKED a device made in " + place)
"""

HIDDEN_TEXT = """
if not secret:
    print("\\x1b]0;SMUG" "GLED\\x07\\x1b[8mhidden\\u202eesrever\\u200bzero\\x00width")
    print("\\x9b31m\\u2066\\ufeff\\x1b]8;;http://example.com\\x07")
    raise ValueError("\\x1b[2J\\u202e\\U000e0041 tag \\ue000 \\udc80")
"""
