"""Makes and describes kernel-made fixtures. Used by make-fixtures.

A case is a guest script plus the geometry of its images. make() runs it under
uml-run, then reopens COPIES of the images in a fresh kernel to record what the
kernel itself says about them, decodes the metadata independently, checks that
the two agree, and writes the compressed images and expected.json.
"""
import atexit, gzip, hashlib, json, os, shutil, struct, subprocess, tempfile

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
UML_RUN = os.path.join(HERE, "uml-run")
GOLDEN = os.path.normpath(os.path.join(HERE, "../../core/src/test/resources/golden"))

CRC = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    CRC.append(n)


def dm_checksum(data, xor):
    c = 0xFFFFFFFF
    for b in data:
        c = CRC[(c ^ b) & 255] ^ (c >> 8)
    return c ^ xor                     # the kernel does not invert at the end


def ranges(numbers):
    out = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return out


class CloneMeta:
    """Reads a dm-clone metadata image."""
    BLOCK = 4096

    def __init__(self, path):
        self.f = open(path, "rb")
        sb = self.block(0)
        (self.csum, self.flags, self.blocknr) = struct.unpack_from("<IIQ", sb, 0)
        self.magic, self.version = struct.unpack_from("<QI", sb, 32)
        self.region_size, self.target_size, self.bitset_root = struct.unpack_from("<QQQ", sb, 44 + 128)
        self.sm = dict(zip(("nr_blocks", "nr_allocated", "bitmap_root", "ref_count_root"),
                           struct.unpack_from("<QQQQ", sb, 44)))
        assert dm_checksum(sb[4:], 257649492) == self.csum, "superblock checksum"
        self.depth = 0
        self.array_blocks = 0

    def block(self, n):
        self.f.seek(n * self.BLOCK)
        return self.f.read(self.BLOCK)

    def arrays(self, root, level=1):
        self.depth = max(self.depth, level)
        b = self.block(root)
        csum, flags, nr, entries, most, vsize = struct.unpack_from("<IIQIII", b, 0)
        assert nr == root and dm_checksum(b[4:], 121107) == csum, "btree node %d" % root
        keys = struct.unpack_from("<%dQ" % entries, b, 32)
        vals = struct.unpack_from("<%dQ" % entries, b, 32 + 8 * most)
        for k, v in zip(keys, vals):
            if flags & 1:
                yield from self.arrays(v, level + 1)
            else:
                yield k, v

    def hydrated(self):
        """The set of hydrated regions, as ranges."""
        total = -(-self.target_size // self.region_size)
        out, start, pos = [], None, 0
        for _, where in self.arrays(self.bitset_root):
            b = self.block(where)
            csum, most, entries, vsize, nr = struct.unpack_from("<IIIIQ", b, 0)
            assert nr == where and dm_checksum(b[4:], 595846735) == csum, "array block %d" % where
            self.array_blocks += 1
            for w in struct.unpack_from("<%dQ" % entries, b, 24):
                if w == 0 and start is None or w == (1 << 64) - 1 and start is not None:
                    pos += 64
                    continue
                for i in range(64):
                    if (w >> i) & 1:
                        if start is None:
                            start = pos + i
                    elif start is not None:
                        out.append([start, pos + i - 1])
                        start = None
                pos += 64
        if start is not None:
            out.append([start, pos - 1])
        assert not out or out[-1][1] < total, "bits set past the last region"
        return out


    def check(self):
        """Walks everything reachable and compares it with the space map."""
        refs, problems = {0: 1}, []

        def ref(n):
            refs[n] = refs.get(n, 0) + 1
            return refs[n] == 1

        def node(root, leaf):
            if not ref(root):
                return
            b = self.block(root)
            csum, flags, nr, entries, most, vsize = struct.unpack_from("<IIQIII", b, 0)
            if nr != root or dm_checksum(b[4:], 121107) != csum:
                problems.append("btree node %d: bad checksum or block number" % root)
                return
            keys = struct.unpack_from("<%dQ" % entries, b, 32)
            at = 32 + 8 * most
            for i, k in enumerate(keys):
                v = b[at + i * vsize:at + (i + 1) * vsize]
                if flags & 1:
                    node(struct.unpack("<Q", v)[0], leaf)
                else:
                    leaf(k, v)

        node(self.bitset_root, lambda k, v: ref(struct.unpack("<Q", v)[0]))
        overflow, counts = {}, []
        node(self.sm["ref_count_root"], lambda k, v: overflow.__setitem__(k, struct.unpack("<I", v)[0]))
        ref(self.sm["bitmap_root"])
        index = self.block(self.sm["bitmap_root"])
        if dm_checksum(index[4:], 160478) != struct.unpack_from("<I", index, 0)[0]:
            problems.append("space map index: bad checksum")
        per, total = (4096 - 16) * 4, self.sm["nr_blocks"]
        for i in range(-(-total // per)):
            where, free, first = struct.unpack_from("<QII", index, 16 + 16 * i)
            ref(where)
            b = self.block(where)
            if dm_checksum(b[4:], 240779) != struct.unpack_from("<I", b, 0)[0]:
                problems.append("bitmap block %d: bad checksum" % where)
            here = []                            # nr_free counts all entries of the block,
            for n in range(per):                 # even those past the end of the device
                two = (b[16 + n // 4] >> (n % 4 * 2)) & 3
                here.append((two & 1) << 1 | two >> 1)   # low bit of the pair is the high bit
            if free != here.count(0):
                problems.append("bitmap %d: nr_free %d, really %d" % (i, free, here.count(0)))
            if 0 in here and first > here.index(0):
                problems.append("bitmap %d: none_free_before %d, free block %d" % (i, first, here.index(0)))
            counts += here
        leaked = []
        for n, c in enumerate(counts):
            if n >= total and c:
                problems.append("block %d is allocated past the end" % n)
            c = overflow.get(n, c) if c == 3 else c
            want = refs.get(n, 0)
            if c and not want:
                leaked.append(n)
            elif c != want:
                problems.append("block %d: reference count %d, really %d" % (n, c, want))
        used = sum(1 for c in counts if c)
        if used != self.sm["nr_allocated"]:
            problems.append("nr_allocated %d, really %d" % (self.sm["nr_allocated"], used))
        return {"reachable": len(refs), "allocated": used, "leaked": ranges(leaked), "problems": problems}


class CowStore:
    """Reads a persistent dm-snapshot exception store image."""
    def __init__(self, path):
        self.f = open(path, "rb")
        self.magic, self.valid, self.version, self.chunk_size = struct.unpack("<IIII", self.f.read(16))
        self.size = os.path.getsize(path)

    def exceptions(self):
        step = self.chunk_size * 512
        per_area = step // 16
        out, area = [], 0
        while True:
            at = (1 + area * (per_area + 1)) * step
            if at + step > self.size:
                return out, area
            self.f.seek(at)
            data = self.f.read(step)
            for i in range(per_area):
                old, new = struct.unpack_from("<QQ", data, i * 16)
                if new == 0:
                    return out, area
                out.append([old, new])
            area += 1


def pattern(path, sectors, seed):
    with open(path, "wb") as f:
        for at in range(0, sectors, 2048):
            f.write(b"".join(struct.pack("<Q", (seed << 40) | s) * 64
                             for s in range(at, min(at + 2048, sectors))))


def sha(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while True:
            b = f.read(1 << 20)
            if not b:
                return h.hexdigest()
            h.update(b)


def pack(path, dest):
    """Compresses an image without its zero tail. Returns its description."""
    size = os.path.getsize(path)
    end, at = 0, 0
    with open(path, "rb") as f:
        while at < size:                        # skip holes
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            f.seek(at)
            b = f.read(1 << 20)
            if not b:
                break
            s = b.rstrip(b"\0")
            if s:
                end = at + len(s)
            at += len(b)
    end = -(-end // 512) * 512
    with open(path, "rb") as f, open(dest, "wb") as raw:
        with gzip.GzipFile("", "wb", 9, raw, 0) as z:
            left = end
            while left:
                b = f.read(min(left, 1 << 20))
                z.write(b)
                left -= len(b)
    return {"file": os.path.basename(dest), "length": size, "stored": end}


def copy(a, b):
    subprocess.run(["cp", "--sparse=always", a, b], check=True)


def uml(disks, script, *args, timeout=300, ok=(0,), mem="256M"):
    argv = [UML_RUN, "--timeout", str(timeout), "--mem", mem]
    for name, path in disks:
        argv += ["--disk", "%s=%s" % (name, path)]
    r = subprocess.run(argv + ["--", script, *map(str, args)], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL)
    if r.returncode not in ok:
        raise SystemExit("%s: exit %d\n%s%s" % (script, r.returncode, r.stdout, r.stderr))
    return r.stdout


def guest(text):
    fd, path = tempfile.mkstemp(prefix="oxbow-guest.")
    os.write(fd, text.encode())
    os.close(fd)
    atexit.register(lambda: os.path.exists(path) and os.unlink(path))
    return path


def sections(text):
    """'@name' lines start sections; returns {name: [lines]}."""
    out, cur = {}, None
    for line in text.splitlines():
        if line.startswith("@"):
            cur = out.setdefault(line[1:], [])
        elif cur is not None:
            cur.append(line)
    return out


def dump(path, obj):
    """JSON with one line per top-level member."""
    with open(path, "w") as f:
        f.write("{\n" + ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in obj.items()) + "\n}\n")


CLONE_PROLOGUE = '''\
# %(about)s
# Disks: %(disks)s
set -e
LEN=%(len)d REGION=%(region)d
META=/dev/disk/meta
%(devices)s
# start FEATURES-AND-CORE-ARGS: open the metadata (formatting it if zeroed)
start() { dmsetup create clone --table "0 $LEN clone $META $DEST $SOURCE $REGION $*"; }
stop() { dmsetup remove --retry clone; }
'''
INSPECT_CLONE = guest('''\
LEN=$1 REGION=$2 DEST=$3 SOURCE=$4 SUM=$5 PROBE=$6 FEATURES=${7:-1 no_hydration}
[ $DEST = zero ] && { dmsetup create dest --table "0 $LEN zero"; DEST=/dev/mapper/dest; }
[ $SOURCE = zero ] && { dmsetup create source --table "0 $LEN zero"; SOURCE=/dev/mapper/source; }
dmsetup create clone --table "0 $LEN clone /dev/disk/meta $DEST $SOURCE $REGION $FEATURES"
echo @status; dmsetup status clone
echo @table; dmsetup table clone
[ $SUM = 1 ] && { echo @sum; sha256sum /dev/mapper/clone; }
dmsetup remove --retry clone
if [ $PROBE = 1 ]; then
  dmsetup create void --table "0 $LEN error"
  dmsetup create null --table "0 $LEN zero"
  dmsetup create clone --table "0 $LEN clone /dev/disk/meta /dev/mapper/null /dev/mapper/void $REGION 1 no_hydration"
  echo @probe; blkio /dev/mapper/clone "p ${LEN}s ${REGION}s"
  dmsetup remove --retry clone
fi
echo @dmesg; dmesg | grep 'device-mapper: ' | grep -v ': ioctl: 4\|: uevent: ' | head -20
''')


def make_clone(root, name, about, length, region, meta, body, source="pattern", dest="fill",
               seed=0x53, timeout=300, inspect_sum=True):
    """source: 'pattern' or 'zero' (a zero target). dest: 'fill' (a pattern, to
    tell untouched regions), 'blank' (zeros) or 'zero' (a zero target)."""
    out = os.path.join(root, name)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    tmp = tempfile.mkdtemp(prefix="oxbow-fixture.")
    try:
        img = lambda n: os.path.join(tmp, n)
        open(img("meta"), "w").truncate(meta)
        disks = [("meta", img("meta"))]
        devices = []
        if dest == "zero":
            devices.append('dmsetup create dest --table "0 $LEN zero"; DEST=/dev/mapper/dest')
        else:
            if dest == "fill":
                pattern(img("dest"), length, 0xD)
            else:
                open(img("dest"), "w").truncate(length * 512)
            disks.append(("dest", img("dest")))
            devices.append("DEST=/dev/disk/dest")
        if source == "zero":
            devices.append('dmsetup create source --table "0 $LEN zero"; SOURCE=/dev/mapper/source')
        else:
            pattern(img("source"), length, seed)
            disks.append(("source", img("source")))
            devices.append("SOURCE=/dev/disk/source")
        what = {"meta": "meta (%d bytes of zeros)" % meta,
                "dest": "dest (%d sectors, %s)" % (length, "pattern seed 13" if dest == "fill" else "zeros"),
                "source": "source (%d sectors, pattern seed %d)" % (length, seed)}
        script = os.path.join(out, "guest.sh")
        with open(script, "w") as f:
            f.write(CLONE_PROLOGUE % {"about": about, "len": length, "region": region,
                    "devices": "\n".join(devices), "disks": "; ".join(what[n] for n, _ in disks)} + body.strip() + "\n")
        said = uml(disks, script, timeout=timeout)
        files = {}
        for n, path in disks:
            files[n] = pack(path, os.path.join(out, n + ".img.gz"))
        m = CloneMeta(img("meta"))
        got = m.hydrated()
        count = sum(b - a + 1 for a, b in got)
        total = -(-length // region)
        walk = m.check()
        assert not walk["problems"] and not walk["leaked"], (name, walk)
        probe = total <= 150000
        small = source != "zero" and dest != "zero" and inspect_sum
        again = [(n, img(n + ".copy")) for n, _ in disks]
        for (n, a), (_, b) in zip(disks, again):
            copy(a, b)
        seen = sections(uml(again, INSPECT_CLONE, length, region,
                            "zero" if dest == "zero" else "/dev/disk/dest",
                            "zero" if source == "zero" else "/dev/disk/source",
                            int(small), int(probe), timeout=timeout))
        status = seen["status"][0]
        assert status.split()[6] == "%d/%d" % (count, total), (name, status, count, total)
        if probe:
            kernel = [list(map(int, l.split("-"))) for l in seen["probe"]]
            assert kernel == got, (name, kernel[:5], got[:5])
        sums = {}
        for n, path in disks:
            if n != "meta":
                sums[n] = sha(path)
        if small:
            sums["clone"] = seen["sum"][0].split()[0]
        dump(os.path.join(out, "expected.json"), {
            "kind": "clone", "name": name, "about": about, "kernel": "6.1.176",
            "target_sectors": length, "region_sectors": region, "regions": total,
            "files": files,
            "source": "file" if source != "zero" else "zeros", "dest": "file" if dest != "zero" else "not kept",
            "hydrated_count": count, "hydrated": got,
            "status": status, "table": seen["table"][0],
            "sha256": sums,
            "metadata": {"magic": m.magic, "version": m.version, "bitset_root": m.bitset_root,
                         "reachable_blocks": walk["reachable"], "btree_depth": m.depth, "array_blocks": m.array_blocks, "space_map": m.sm},
            "confirmed_by_kernel_reads": probe,
            "script_output": said.splitlines()[-12:],
        })
        print("clone/%-24s %9d regions %9d hydrated  depth %d  %6d bytes" %
              (name, total, count, m.depth, sum(os.path.getsize(os.path.join(out, f)) for f in os.listdir(out))), flush=True)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


SNAP_PROLOGUE = '''\
# %(about)s
# Disks: %(disks)s
set -e
LEN=%(len)d CHUNK=%(chunk)d
ORIGIN=/dev/disk/origin COW=/dev/disk/cow%(more)s
# snap [PERSISTENCE [FEATURES]]: activate the snapshot (and the origin)
snap() {
  dmsetup create snap --table "0 $LEN snapshot $ORIGIN $COW ${1:-P} $CHUNK ${2:-}"
  dmsetup create origin --table "0 $LEN snapshot-origin $ORIGIN"
}
stop() { dmsetup remove --retry snap; dmsetup remove --retry origin; }
'''
INSPECT_SNAP = guest('''\
LEN=$1 CHUNK=$2 MODE=$3 PROBE=$4 NAME=$5 FEATURES=$6
TABLE="0 $LEN snapshot /dev/disk/origin /dev/disk/cow $MODE $CHUNK $FEATURES"
dmsetup create snap --table "$TABLE"; echo @create; echo $?
echo @status; dmsetup status snap
echo @table; dmsetup table snap
echo @sum; sha256sum /dev/mapper/snap 2>&1
dmsetup remove --retry snap
if [ $PROBE = 1 ]; then
  dmsetup create void --table "0 $LEN error"
  dmsetup create snap --table "0 $LEN snapshot /dev/mapper/void /dev/disk/cow $MODE $CHUNK"
  echo @probe; blkio /dev/mapper/snap "p ${LEN}s ${CHUNK}s"
  dmsetup remove --retry snap
fi
echo @dmesg; dmesg | grep 'device-mapper: ' | grep -v ': ioctl: 4\|: uevent: ' | head -20
''')


def make_snapshot(root, name, about, length, chunk, cow, body, mode="P", features="", seed=0x4F,
                  second=None, timeout=300, check=True):
    """cow: sectors of the COW device. second: sectors of a second COW device."""
    out = os.path.join(root, name)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    tmp = tempfile.mkdtemp(prefix="oxbow-fixture.")
    try:
        img = lambda n: os.path.join(tmp, n)
        pattern(img("origin"), length, seed)
        disks = [("origin", img("origin")), ("cow", img("cow"))]
        open(img("cow"), "w").truncate(cow * 512)
        if second:
            disks.append(("cow2", img("cow2")))
            open(img("cow2"), "w").truncate(second * 512)
        script = os.path.join(out, "guest.sh")
        with open(script, "w") as f:
            f.write(SNAP_PROLOGUE % {
                "about": about, "len": length, "chunk": chunk, "more": " COW2=/dev/disk/cow2" if second else "",
                "disks": "origin (%d sectors, pattern seed %d); cow (%d sectors, zeros)" % (length, seed, cow)
                + ("; cow2 (%d sectors, zeros)" % second if second else "")} + body.strip() + "\n")
        said = uml(disks, script, timeout=timeout)
        files = {n: pack(p, os.path.join(out, n + ".img.gz")) for n, p in disks}
        stores = []
        for n in [d for d, _ in disks if d.startswith("cow")]:
            store = CowStore(img(n))
            exc, areas = store.exceptions()
            copy(img("origin"), img("o.copy"))
            copy(img(n), img("c.copy"))
            probe = store.valid == 1 and check
            size = store.chunk_size or chunk
            seen = sections(uml([("origin", img("o.copy")), ("cow", img("c.copy"))], INSPECT_SNAP,
                                length, size, mode, int(probe), n, features, timeout=timeout))
            if probe:
                kernel = [list(map(int, l.split("-"))) for l in seen["probe"]]
                assert kernel == ranges(o for o, _ in exc), (name, kernel[:5], exc[:5])
            total = seen["sum"][0].split()[0] if seen["sum"] else None
            stores.append({"cow": n, "header": {"magic": store.magic, "valid": store.valid,
                                                "version": store.version, "chunk_size": store.chunk_size},
                           "exceptions_per_area": size * 32, "full_areas": areas,
                           "exception_count": len(exc), "exceptions": exc,
                           "status": seen["status"][0], "table": seen["table"][0],
                           "snapshot_sha256": total if total and len(total) == 64 else None,
                           "kernel_messages": seen.get("dmesg", []),
                           "confirmed_by_kernel_reads": probe})
        dump(os.path.join(out, "expected.json"), {
            "kind": "snapshot", "name": name, "about": about, "kernel": "6.1.176",
            "origin_sectors": length, "chunk_sectors": chunk, "persistence": mode, "features": features,
            "files": files, "origin_sha256": sha(img("origin")), "stores": stores,
            "script_output": said.splitlines()[-12:]})
        print("snapshot/%-24s %s  %6d bytes" % (name, "  ".join("%d exceptions, %s" % (
            s["exception_count"], s["status"]) for s in stores),
            sum(os.path.getsize(os.path.join(out, f)) for f in os.listdir(out))), flush=True)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
