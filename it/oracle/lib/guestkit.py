"""Shared by uml-run and nbd-vm: the cache directory, the initramfs builder,
output relaying and process clean-up. Standard library only."""
import ctypes, fcntl, hashlib, os, re, shutil, signal, stat, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
GUEST = os.path.join(HERE, "guest")


class Fail(Exception):
    """A problem of the kit itself (exit status 125)."""


def cache_dir():
    d = os.environ.get("OXBOW_ORACLE_CACHE") or os.path.join(
        os.path.expanduser("~"), ".cache", "oxbow-oracle")
    os.makedirs(d, exist_ok=True)
    return os.path.realpath(d)


def need(path, package):
    if not os.path.exists(path):
        raise Fail("%s is missing (package %s): run bin/install-tools" % (path, package))
    return path


def fingerprint(paths, extra=""):
    h = hashlib.sha256(extra.encode())
    for p in paths:
        if p.startswith(HERE):
            with open(p, "rb") as f:
                h.update(f.read())
        else:
            st = os.stat(p)
            h.update(("%s %d %d" % (p, st.st_size, st.st_mtime_ns)).encode())
    return h.hexdigest()[:20]


class Locked:
    """Holds a lock in the cache directory, so that two runs build once."""
    def __init__(self, name):
        self.path = os.path.join(cache_dir(), name + ".lock")

    def __enter__(self):
        self.f = open(self.path, "w")
        fcntl.flock(self.f, fcntl.LOCK_EX)

    def __exit__(self, *a):
        self.f.close()


def cc(src, out, *flags):
    subprocess.run(["gcc", "-O2", "-Wall", "-o", out, src, *flags], check=True)


def libraries(binary):
    """Shared objects (and the loader) that a dynamic binary needs."""
    text = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(/[^\s()]+)", text)))


def module_closure(root, version, names):
    """Paths (relative to root/version) of the modules and what they depend on."""
    deps = {}
    with open(os.path.join(root, version, "modules.dep")) as f:
        for line in f:
            key, _, rest = line.partition(":")
            deps[os.path.basename(key).split(".ko")[0].replace("_", "-")] = (key, rest.split())
    out, missing = [], []
    for n in names:
        entry = deps.get(n.replace("_", "-"))
        if entry is None:
            missing.append(n)
            continue
        for p in [*entry[1], entry[0]]:
            if p not in out:
                out.append(p)
    return out, missing


def build_initramfs(dest, init, binaries, modroot, version, modules, extra_files):
    """Writes an initramfs to dest (gzip-compressed newc cpio)."""
    tmp = tempfile.mkdtemp(prefix="oxbow-initramfs.")
    try:
        for d in ("bin", "sbin", "etc", "dev", "proc", "sys", "ctl", "lib/modules/" + version):
            os.makedirs(os.path.join(tmp, d))
        bb = need("/bin/busybox", "busybox-static")
        shutil.copy(bb, os.path.join(tmp, "bin/busybox"))
        real = {os.path.basename(b) for b in binaries}
        names = subprocess.run([bb, "--list"], capture_output=True, text=True).stdout.split()
        for n in names:
            if n not in real and n != "busybox":
                os.symlink("busybox", os.path.join(tmp, "bin", n))
        for b in binaries:
            shutil.copy(b, os.path.join(tmp, "sbin", os.path.basename(b)))
            os.symlink("/sbin/" + os.path.basename(b), os.path.join(tmp, "bin", os.path.basename(b)))
            for lib in libraries(b):
                to = os.path.join(tmp, lib.lstrip("/"))
                if not os.path.exists(to):
                    os.makedirs(os.path.dirname(to), exist_ok=True)
                    shutil.copy(os.path.realpath(lib), to)
            if b.endswith("mke2fs"):             # the shell prefers its own mke2fs
                os.symlink("mke2fs", os.path.join(tmp, "sbin/mkfs.ext4"))
        paths, missing = module_closure(modroot, version, modules)
        for p in paths:
            to = os.path.join(tmp, "lib/modules", version, p)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(os.path.join(modroot, version, p), to)
        subprocess.run([shutil.which("depmod", path="/sbin:/usr/sbin:/bin:/usr/bin") or "depmod",
                        "-b", tmp, version], check=True, stderr=subprocess.DEVNULL)
        for to, src, mode in extra_files:
            shutil.copy(src, os.path.join(tmp, to))
            os.chmod(os.path.join(tmp, to), mode)
        with open(os.path.join(tmp, "etc/modules-load"), "w") as f:
            f.write("\n".join(m for m in modules if m not in missing) + "\n")
        for name in ("passwd", "group", "mtab"):
            with open(os.path.join(tmp, "etc", name), "w") as f:
                f.write({"passwd": "root:x:0:0::/:/bin/sh\n", "group": "root:x:0:\n"}.get(name, ""))
        shutil.copy(init, os.path.join(tmp, "init"))
        os.chmod(os.path.join(tmp, "init"), 0o755)
        archive = subprocess.run("find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 | gzip -1",
                                 shell=True, cwd=tmp, check=True, capture_output=True).stdout
        part = dest + ".part%d" % os.getpid()
        with open(part, "wb") as f:
            f.write(archive)
        os.rename(part, dest)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def drop_stale(directory, prefix, keep):
    """Removes older builds of one artefact that nobody touched for a day."""
    for n in os.listdir(directory):
        p = os.path.join(directory, n)
        if n.startswith(prefix) and n != keep and not n.endswith(".lock"):
            try:
                if time.time() - os.stat(p).st_mtime > 86400:
                    os.unlink(p)
            except OSError:
                pass


def seconds(text):
    m = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text)
    if not m:
        raise Fail("bad duration: " + text)
    return float(m[1]) * {"ms": 0.001, None: 1, "s": 1, "m": 60, "h": 3600}[m[2]]


class Relay:
    """Copies what a growing file gains to a descriptor."""
    def __init__(self, path, fd):
        self.f = open(path, "rb")
        self.fd = fd

    def pump(self):
        while True:
            data = self.f.read(1 << 16)
            if not data:
                return
            view = memoryview(data)
            while view:
                view = view[os.write(self.fd, view):]


class Child:
    """A guest process tree in its own session, killed as a whole: on kill(),
    and by a watchdog if this process itself dies without cleaning up."""
    def __init__(self, argv, cwd, env, log):
        r, w = os.pipe()
        self.pipe = w
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        self.proc = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, start_new_session=True)
        self.sid = self.proc.pid
        if os.fork() == 0:                       # watchdog
            try:
                os.setsid()
                for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(s, signal.SIG_IGN)
                null = os.open(os.devnull, os.O_RDWR)
                for n in (0, 1, 2):
                    os.dup2(null, n)
                os.closerange(3, r)
                os.closerange(r + 1, 1024)
                if os.read(r, 1) == b"":         # the parent vanished
                    kill_session(self.sid)
                    shutil.rmtree(cwd, ignore_errors=True)
            finally:
                os._exit(0)
        os.close(r)
        self.live = True

    def alive(self):
        return self.proc.poll() is None

    def kill(self):
        kill_session(self.sid)
        self.proc.wait()

    def done(self):
        """Ends what is left of the tree, and the watchdog."""
        if self.live:
            self.live = False
            self.kill()
            os.write(self.pipe, b"x")
            os.close(self.pipe)
            try:
                while True:                      # the watchdog and any orphans
                    os.wait()
            except ChildProcessError:
                pass


def session_members(sid):
    out = []
    for n in os.listdir("/proc"):
        if n.isdigit():
            try:
                with open("/proc/%s/stat" % n) as f:
                    fields = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == sid and fields[0] != "Z":
                out.append(int(n))
    return out


def kill_session(sid):
    for _ in range(50):
        members = session_members(sid)
        if not members:
            return
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.01)


def supervise(child, ctl, relays, timeout, crash=False):
    """Relays output until the guest ends. Returns the exit status, or None if
    the guest ended without reporting one."""
    deadline = time.monotonic() + timeout
    status = os.path.join(ctl, "status")
    crashed = os.path.join(ctl, "crash")
    pause, killed = 0.005, None
    while child.alive():
        for r in relays:
            r.pump()
        if crash and os.path.exists(crashed):
            child.kill()
            killed = crashed
            break
        if time.monotonic() > deadline:
            child.kill()
            for r in relays:
                r.pump()
            return 124
        if os.path.exists(status) and os.path.getsize(status):
            end = time.monotonic() + 3           # let it power off by itself
            while child.alive() and time.monotonic() < end:
                time.sleep(0.005)
            break
        time.sleep(pause)
        pause = min(pause * 1.2, 0.02)
    for r in relays:
        r.pump()
    try:
        with open(killed or status) as f:
            return int(f.read())
    except (OSError, ValueError):
        return None
