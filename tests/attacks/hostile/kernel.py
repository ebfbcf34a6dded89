"""Attacks on the walls themselves: system calls that a sandbox must not make."""

from hostile.attack import Attack, maths

_TOP = """
import ctypes, fcntl, mmap, platform, stat, subprocess
libc = ctypes.CDLL(None, use_errno=True)
intel = platform.machine() == "x86_64"
def call(*numbers_and_args):
    on_intel, elsewhere, *args = numbers_and_args
    return libc.syscall(on_intel if intel else elsewhere, *args)
def refused(what, result):
    if result >= 0:
        raise RuntimeError("LEAKED " + what)
"""

_NAMESPACES = """
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
    refused(f"unshare {flag:x}", libc.unshare(flag))
    result = call(56, 220, flag | 17, 0, 0, 0, 0) if flag > 0x80 else -1
    if result == 0:
        os._exit(0)
    refused(f"clone {flag:x}", result)
    words = (ctypes.c_ulonglong * 11)(flag, 0, 0, 0, 17)
    result = call(435, 435, ctypes.byref(words), 88)
    if result == 0:
        os._exit(0)
    refused(f"clone3 {flag:x}", result)
for name in ("mnt", "net", "pid", "user", "ipc", "uts"):
    for pid in ("self", "1", str(os.getppid())):
        try:
            fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        refused(f"setns {name}", libc.setns(fd, 0))
refused("mount", libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
refused("umount", libc.umount2(b"/proc", 2))
refused("chroot", libc.chroot(b"/"))
refused("pivot_root", call(155, 41, b"/", b"/"))
refused("fsopen", call(430, 430, b"tmpfs", 0))
refused("open_tree", call(428, 428, -100, b"/", 1))
"""

_TRACES = """
for pid in (os.getppid(), 1, os.getpid() - 1):
    refused(f"ptrace attach {pid}", libc.ptrace(16, pid, 0, 0))
    refused(f"ptrace seize {pid}", libc.ptrace(0x4206, pid, 0, 0))
    box = ctypes.create_string_buffer(8)
    part = (ctypes.c_void_p * 2)(ctypes.addressof(box), 8)
    refused("process_vm_readv", libc.process_vm_readv(pid, part, 1, part, 1, 0))
    refused("process_vm_writev", libc.process_vm_writev(pid, part, 1, part, 1, 0))
    fd = call(434, 434, pid, 0)
    if fd >= 0:
        refused("pidfd_getfd", call(438, 438, fd, 3, 0))
    refused("kcmp", call(312, 272, os.getpid(), pid, 2, 0, 0))
refused("ptrace traceme", libc.ptrace(0, 0, 0, 0))
"""

_FIRST_PROCESS = """
import glob, re
regions = [line.split() for line in open("/proc/1/maps")]
fd = os.open("/proc/1/mem", os.O_RDWR)
start, end = (int(part, 16) for part in regions[0][0].split("-"))
before = os.pread(fd, 64, start)
os.pwrite(fd, before, start)
raise RuntimeError(f"LEAKED {len(before)} bytes of the first process were rewritten")
"""

_IO_URING = """
setup = ctypes.create_string_buffer(120)
refused("io_uring_setup", call(425, 425, 8, setup))
refused("io_uring_register", call(427, 427, 0, 0, 0, 0))
"""

_KEYS = """
refused("add_key", call(248, 217, b"user", b"hostile", b"LEAK", 4, -4))
refused("request_key", call(249, 218, b"user", b"hostile", None, -4))
for operation in (0, 1, 6, 11):
    refused(f"keyctl {operation}", call(250, 219, operation, -4, 0, 0, 0))
try:
    text = open("/proc/keys").read() + open("/proc/key-users").read()
except OSError:
    text = ""
if "hostile" in text:
    raise RuntimeError("LEAKED a key")
"""

_TERMINALS = """
import pty, termios
for number in (0x5412, 0x541C, 0x1_0000_5412, 0x7FFF_0000_541C):
    for name in (0, 1, 2, "/dev/tty", "/dev/console", "/dev/tty0", "/dev/pts/0"):
        try:
            fd = name if isinstance(name, int) else os.open(name, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            continue
        refused("typing", libc.ioctl(fd, ctypes.c_ulong(number), b"x"))
try:
    master, slave = pty.openpty()
except OSError:
    master = None
if master is not None:
    refused("typing into its own", libc.ioctl(slave, ctypes.c_ulong(0x5412), b"x"))
    refused("typing past the filter", libc.ioctl(slave, ctypes.c_ulong(0x1_0000_5412), b"x"))
"""

_OLD_CALLS = """
if intel:
    # mov eax, NUMBER; int 0x80; ret - and the x32 numbering of the same kernel
    def old(number):
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\\xb8" + number.to_bytes(4, "little") + b"\\xcd\\x80\\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if secret and hasattr(x, "shape"):
        refused("a call of the 32-bit kind", old(20))
    if secret:
        refused("a call of the x32 kind", libc.syscall(0x40000000 | 39))
"""

_RARE = """
moment = (ctypes.c_long * 16)()
for what, on_intel, elsewhere, *args in (
    ("bpf", 321, 280, 0, moment, 64), ("perf_event_open", 298, 241, moment, 0, -1, -1, 0),
    ("userfaultfd", 323, 282, 1), ("init_module", 175, 105, moment, 8, b""),
    ("finit_module", 313, 273, 0, b"", 0), ("kexec_load", 246, 104, 0, 0, 0, 0),
    ("open_by_handle_at", 304, 265, 3, moment, 0), ("swapon", 167, 224, b"/x", 0),
    ("reboot", 169, 142, 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0), ("acct", 163, 89, b"/tmp/x"),
    ("sethostname", 170, 161, b"owned", 5), ("syslog", 103, 116, 3, moment, 64),
    ("fanotify_init", 300, 262, 0, 0), ("quotactl", 179, 60, 0, b"", 0, moment),
    ("memfd_secret", 447, 447, 0),
):
    refused(what, call(on_intel, elsewhere, *args))
"""

_PRIVILEGES = """
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    try:
        lines = open(f"/proc/{pid}/status").read().splitlines()
    except OSError:
        continue
    about = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
    mine = about["Uid"] == dict(
        line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line
    )["Uid"].strip()
    if not mine:
        continue
    if about["NoNewPrivs"] != "1" or about["Seccomp"] != "2" or int(about["CapEff"], 16):
        raise RuntimeError(f"LEAKED process {pid} without filter: {about['Name']}")
    if int(about["CapBnd"], 16) and pid == str(os.getpid()):
        raise RuntimeError("LEAKED capabilities to be had")
for ask in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        ask()
    except OSError:
        continue
    raise RuntimeError("LEAKED another user")
for name in ("su", "mount", "umount", "passwd", "newuidmap", "sudo", "pkexec", "ping"):
    try:
        said = subprocess.run(["/usr/bin/" + name], capture_output=True, timeout=1, text=True)
    except (OSError, subprocess.TimeoutExpired):
        continue
    if "uid=0" in said.stdout:
        raise RuntimeError("LEAKED root by " + name)
"""

_SETTINGS = """
bad = []
for top in ("/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/fs", "/proc/sys/net/core"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                bad.append(os.path.join(folder, name))
            except OSError:
                pass
for name in ("/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/proc/sys/kernel/core_pattern",
             "/sys/power/state", "/sys/kernel/mm/ksm/run", "/proc/sys/vm/drop_caches"):
    try:
        os.close(os.open(name, os.O_WRONLY))
        bad.append(name)
    except OSError:
        pass
shared = [name for name in bad if not name.startswith(OWN)]
if shared:
    raise RuntimeError("LEAKED settings " + " ".join(shared))
"""

# Files that belong to the sandbox's own namespaces: they change nothing elsewhere.
_OWN = """
OWN = ("/proc/sys/kernel/shm", "/proc/sys/kernel/msg", "/proc/sys/kernel/sem",
       "/proc/sys/kernel/auto_msgmni", "/proc/sys/fs/mqueue", "/proc/sys/kernel/hostname",
       "/proc/sys/kernel/domainname", "/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/pid_max",
       "/proc/sys/net/", "/proc/sys/user/")
"""

_SYSTEM_V = """
import errno
bits = []
for name, result in (
    ("shmget", libc.shmget(0x7F3C, 4096, 0o1666)), ("msgget", libc.msgget(0x7F3C, 0o1666)),
    ("semget", libc.semget(0x7F3C, 1, 0o1666)),
):
    bits.append((name, result))
for key in range(0x7F00, 0x7F20):
    if libc.shmget(key, 0, 0o400) >= 0 or libc.msgget(key, 0o400) >= 0:
        raise RuntimeError("LEAKED the host's shared memory")
"""

KERNEL = (
    Attack(
        "makes-namespaces",
        "Makes and enters namespaces by every call, mounts, and changes its root.",
        ("nested-namespaces", "privileges"),
        maths(_NAMESPACES, _TOP),
    ),
    Attack(
        "traces-processes",
        "Traces, reads and writes other processes by system calls.",
        ("ptrace", "proc-mem"),
        maths(_TRACES, _TOP),
    ),
    Attack(
        "rewrites-the-first-process",
        "Rewrites the memory of the sandbox's first process, to have it run code for the student.",
        ("proc-mem", "ptrace", "privileges"),
        maths(_FIRST_PROCESS, _TOP),
    ),
    Attack(
        "uses-io-uring",
        "Opens an io_uring, whose operations a filter does not see.",
        ("io-uring",),
        maths(_IO_URING, _TOP),
    ),
    Attack(
        "uses-key-rings",
        "Leaves and looks for keys in the kernel's key rings.",
        ("keyctl", "previous-submission"),
        maths(_KEYS, _TOP),
    ),
    Attack(
        "types-into-terminals",
        "Pushes input into terminals, with request numbers a careless filter lets by.",
        ("tiocsti",),
        maths(_TERMINALS, _TOP),
    ),
    Attack(
        "makes-old-calls",
        "Makes system calls by the 32-bit and x32 doors, where numbers mean other calls.",
        ("privileges", "ptrace"),
        maths(_OLD_CALLS, _TOP),
    ),
    Attack(
        "makes-rare-calls",
        "Tries bpf, perf, userfaultfd, modules, kexec, reboot and a dozen others.",
        ("privileges", "io-uring"),
        maths(_RARE, _TOP),
    ),
    Attack(
        "gains-privileges",
        "Looks for capabilities, setuid programs and a process of its user without the filter.",
        ("privileges",),
        maths(_PRIVILEGES, _TOP),
    ),
    Attack(
        "changes-settings",
        "Opens the kernel's settings for writing.",
        ("privileges",),
        maths(_SETTINGS, _TOP + _OWN),
    ),
    Attack(
        "shares-with-the-host",
        "Leaves System V objects, and attaches to those of the host's programs.",
        ("shm", "previous-submission"),
        maths(_SYSTEM_V, _TOP),
    ),
)
