"""The hostile code of rows in `hostile.resources` that ask for more than their share."""

PRIORITY = """
got = []
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    try:
        os.sched_setscheduler(0, policy, os.sched_param(50))
        got.append("a real-time priority")
    except OSError:
        pass
try:
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    got.append("a higher priority")
except OSError:
    pass
if ctypes.CDLL(None, use_errno=True).mlockall(3) == 0:
    got.append("locked memory")
if got:
    raise RuntimeError("LEAKED " + ", ".join(got))
"""

LIMITS = """
for name in ("NPROC", "NOFILE", "FSIZE", "CPU", "AS", "CORE", "MEMLOCK", "STACK"):
    kind = getattr(resource, "RLIMIT_" + name)
    for pid in (os.getpid(), os.getppid(), 1):
        try:
            hard = resource.prlimit(pid, kind)[1]
            if hard == resource.RLIM_INFINITY:
                continue
            resource.prlimit(pid, kind, (hard + 1, hard + 1))
        except (OSError, ValueError):
            continue
        raise RuntimeError(f"LEAKED a higher limit of {name} for {pid}")
try:
    open("/proc/self/oom_score_adj", "w").write("-1000")
except OSError:
    pass
else:
    raise RuntimeError("LEAKED a life beyond the memory limit")
for top, _, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        try:
            os.close(os.open(os.path.join(top, name), os.O_WRONLY))
        except OSError:
            continue
        raise RuntimeError("LEAKED control group " + top)
"""
