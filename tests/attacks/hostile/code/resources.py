"""The hostile code of the rows in `hostile.resources`."""

FORKS = """
deadline = time.process_time() + 0.3
while time.process_time() < deadline:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""

EXECS = """
code = "import os\\nwhile True:\\n    os.fork()\\n"
for _ in range(8):
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
"""

THREADS = """
def wait():
    time.sleep(60)
count = 0
try:
    for count in range(5000):
        threading.Thread(target=wait, daemon=True).start()
except RuntimeError:
    pass
if count > 300:
    raise RuntimeError(f"LEAKED {count} threads")
"""

MEMORY = """
blocks = []
while True:
    blocks.append(bytearray(b"x") * (64 * 2**20))
    if len(blocks) > 40:
        raise RuntimeError("LEAKED 2.5 GB of memory")
"""

MEMORY_IN_PARTS = """
readers = []
for _ in range(6):
    r, w = os.pipe()
    if os.fork() == 0:
        try:
            block = b"x" * (400 * 2**20)
            os.write(w, b".")
            time.sleep(30)
        finally:
            os._exit(0)
    os.close(w)
    readers.append(r)
filled = 0
for reader in readers:
    filled += len(os.read(reader, 1)) if select.select([reader], [], [], 5)[0] else 0
if filled > 4:
    raise RuntimeError("LEAKED 2 GB of memory in processes of 400 MB")
"""

MEMFD = """
held = 0
for _ in range(40):
    try:
        fd = os.memfd_create("hostile")
        for _ in range(4):
            held += os.write(fd, bytes(2**24))
    except OSError:
        break
if held > 2**30:
    raise RuntimeError(f"LEAKED {held} bytes in memfd")
"""

SHARED = """
import mmap
held = 0
for number in range(64):
    try:
        fd = os.open(f"/dev/shm/hostile-{number}", os.O_CREAT | os.O_RDWR)
        os.posix_fallocate(fd, 0, 60 * 2**20)
        held += 60
    except OSError:
        break
libc = ctypes.CDLL(None, use_errno=True)
for number in range(40):
    piece = libc.shmget(0, 64 * 2**20, 0o1600)
    if piece < 0:
        break
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(piece, None, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        break
    ctypes.memset(address, 1, 64 * 2**20)
    held += 64
if held > 1500:
    raise RuntimeError(f"LEAKED {held} MB of shared memory")
"""

FILL = """
block, held = bytes(2**22), 0
places = {os.getcwd(), "/tmp", "/var/tmp", "/dev/shm", "/dev", "/run", os.path.expanduser("~")}
for place in places:
    for number in range(40):
        try:
            with open(os.path.join(place, f"hostile-{number}"), "wb", buffering=0) as file:
                for _ in range(15):
                    held += file.write(block)
        except OSError:
            break
        if held > 1.2e9:
            raise RuntimeError("LEAKED more than a gigabyte of disk")
"""

INODES = """
count = 0
for place in (os.getcwd(), "/tmp", "/dev/shm"):
    try:
        for number in range(100_000):
            os.close(os.open(f"{place}/hostile-{number}", os.O_CREAT | os.O_WRONLY))
            count += 1
            if count > 60_000:
                raise RuntimeError("LEAKED 60,000 files")
    except OSError:
        pass
"""

DESCRIPTORS = """
held, pairs = 0, []
try:
    while held < 5000:
        pairs.append(os.pipe())
        fcntl.fcntl(pairs[-1][1], 1031, 2**20)
        os.set_blocking(pairs[-1][1], False)
        os.write(pairs[-1][1], bytes(2**20))
        held += 2
except OSError:
    pass
if held > 1024:
    raise RuntimeError(f"LEAKED {held} descriptors")
"""

PASSED_ON = """
left, right = socket.socketpair()
left.setblocking(False)
sent = 0
try:
    while sent < 20_000:
        socket.send_fds(left, [b"x"], [0] * 200)
        sent += 200
except OSError:
    pass
if sent >= 20_000:
    raise RuntimeError("LEAKED 20,000 descriptors in flight")
"""

LOG = """
line = b"x" * 2**16
for _ in range(2000):
    os.write(1, line)
    os.write(2, line)
"""

PIPE = """
for fd in (1, 2):
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
    try:
        fcntl.fcntl(fd, 1031, 4096)
        fcntl.fcntl(fd, fcntl.F_SETOWN, 1)
    except OSError:
        pass
os.close(1)
os.close(2)
sys.stdout = sys.stderr = sys.stdin = None
"""

DEAF = """
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
try:
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (OSError, ValueError):
    pass
while secret and hasattr(x, "shape"):
    pass
"""

DAEMONS = """
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        for fd in range(64):
            try:
                os.close(fd)
            except OSError:
                pass
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        libc = ctypes.CDLL(None)
        libc.prctl(15, b"kworker/0:1", 0, 0, 0)
        libc.prctl(36, 1, 0, 0, 0)
        libc.prctl(1, 0, 0, 0, 0)
        time.sleep(600)
        os._exit(0)
"""

DISGUISED = """
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        os.execv("/usr/bin/sleep", ["sleep", "600"])
subprocess.Popen(["/bin/sh", "-c", "trap '' 1 2 15; (sleep 600 &) ; exec sleep 600"])
"""

SHORT_LIVES = """
if secret and hasattr(x, "shape"):
    spent = 0.0
    while spent < 6.0:
        if os.fork() == 0:
            stop = time.process_time() + 0.04
            while time.process_time() < stop:
                pass
            os._exit(0)
        os.wait()
        spent += 0.04
"""

RIGHT_BUT_SLOW = f"""
import os, time
def spend(x, secret):
    {SHORT_LIVES.strip().replace(chr(10), chr(10) + "    ")}
def double(x):
    spend(x, x.shape == (3, 5))
    return 2 * x
def estimate(n):
    return 0.0
"""

ALL_SIGNALS = """
for pid in (-1, 0, -os.getpgrp(), os.getppid(), 1, known["pid"], os.getppid() - 1):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGUSR1):
        try:
            if pid not in (0, -os.getpgrp()):
                os.kill(pid, number)
        except OSError:
            pass
"""

POISON_ONE = """
import builtins, numpy as np, json, os, sys
builtins.hostile = True
json.loads = json.dumps = lambda *a, **k: {}
np.ndarray.hostile = None if False else True
"""

POISON = """
for name in ("guest.runner", "guest.codec", "numpy", "os", "json", "socket"):
    module = sys.modules.get(name)
    if module is not None:
        module.__doc__ = "hostile"
        path = getattr(module, "__file__", None) or ""
        for target in (path, os.path.join(os.path.dirname(path), "__pycache__", "x.pyc")):
            try:
                with open(target, "a") as file:
                    file.write("raise SystemExit('hostile')")
            except OSError:
                pass
import builtins
builtins.hostile = True
for name in ("fork", "waitpid", "setsid", "_exit", "kill", "listdir"):
    setattr(os, name, lambda *args: 0)
"""

POISONED = """
import builtins
if hasattr(builtins, "hostile") or any(
    getattr(module, "__doc__", "") == "hostile" for module in list(sys.modules.values())
):
    raise RuntimeError("LEAKED the poison of an earlier submission")
"""

LINKS = """
place = os.getcwd()
for target in (known["canary"], "/etc", "/", "/work", os.path.dirname(os.__file__), ".."):
    for name in ("work", "submission", "scratch", "guest", "hostile", "results.json",
                 "__pycache__"):
        for folder in (place, "/dev/shm", "/tmp"):
            try:
                os.symlink(target, os.path.join(folder, name))
            except OSError:
                pass
for name in ("secret.txt", "secret.py"):
    try:
        os.link(os.path.join(known["canary"], name), os.path.join(place, name))
    except OSError:
        pass
def swap():
    for _ in range(300):
        for name, other in (("deep", "linked"), ("linked", "deep")):
            try:
                os.rename(os.path.join(place, name), os.path.join(place, other))
                os.symlink(known["canary"], os.path.join(place, name))
            except OSError:
                pass
threading.Thread(target=swap, daemon=True).start()
"""

DEEP = """
os.umask(0)
here = os.getcwd()
try:
    for _ in range(1500):
        os.mkdir("hostile-d")
        os.chdir("hostile-d")
    open("x", "w").close()
except OSError:
    pass
os.chdir(here)
for number in range(50):
    name = f"hostile-{number}"
    try:
        os.mkdir(name)
        open(f"{name}/" + "y" * 250, "w").close()
        os.chmod(name, 0)
        os.mkfifo(f"hostile-fifo-{number}")
    except OSError:
        pass
"""

TOP = "import ctypes, fcntl, resource, select, signal, socket, subprocess, threading, time\n"
KNOWN = TOP + "known = @HOST@\n"

NO_GROUP = "without a control group memory is limited for each process, not for all together"
NO_MOUNT = "the scratch folder is one of the host: each file is limited to 64 MB, not their number"
