#!/usr/bin/env python3
# Licensed under the Apache License, Version 2.0.
"""Checker for persistent snapshot exception stores (see docs/format/snapshot.md).

usage: snapshot_cow_check.py [options] IMG

Prints one JSON object. Exit status: 0 clean (valid or properly invalidated),
1 damaged, 2 unreadable, 3 not initialised (magic is zero).
"""
import argparse
import json
import os
import struct
import sys

MAGIC = 0x70416E53


def power_of_two(n):
    return n > 0 and n & (n - 1) == 0


def main():
    ap = argparse.ArgumentParser(description="Check a snapshot COW store.")
    ap.add_argument("image")
    ap.add_argument("--sectors", type=int, help="COW device size in sectors (default: image size)")
    ap.add_argument("--origin-sectors", type=int, help="origin size, to bound old chunks")
    ap.add_argument("--max-runs", type=int, default=100000, help="list at most this many runs (0: all)")
    ap.add_argument("--max-problems", type=int, default=200)
    a = ap.parse_args()
    rep = {"image": a.image}
    problems, warnings = [], []

    def finish(code):
        rep["warnings"] = warnings[:a.max_problems]
        rep["problems"] = problems[:a.max_problems]
        if len(problems) > a.max_problems:
            rep["problems_not_listed"] = len(problems) - a.max_problems
        rep["clean"] = not problems
        json.dump(rep, sys.stdout, indent=1)
        print()
        return 1 if problems and code == 0 else code

    try:
        fd = os.open(a.image, os.O_RDONLY)
        size = os.lseek(fd, 0, os.SEEK_END)
    except OSError as e:
        rep["error"] = str(e)
        return finish(2)
    sectors = a.sectors or size // 512
    head = os.pread(fd, 512, 0)
    if len(head) < 16:
        rep["error"] = "image shorter than a header"
        return finish(2)
    magic, valid, version, chunk_size = struct.unpack_from("<IIII", head, 0)
    rep["header"] = {"magic": magic, "valid": valid, "version": version, "chunk_size": chunk_size}
    rep["cow_sectors"] = sectors
    if magic == 0:
        rep["initialised"] = False
        return finish(3)
    rep["initialised"] = True
    if magic != MAGIC:
        problems.append({"kind": "magic", "what": f"magic {magic:#x}, expected {MAGIC:#x}"})
        return finish(0)
    if version != 1:
        problems.append({"kind": "version", "what": f"version {version}, only 1 is defined"})
    if valid not in (0, 1):
        warnings.append(f"valid flag is {valid}; any non-zero value reads as valid")
    if not power_of_two(chunk_size) or chunk_size > (2**31 - 1) >> 9:
        problems.append({"kind": "geometry", "what": f"chunk size {chunk_size} is not a power of two "
                         "of at most 2097152 sectors"})
        return finish(0)
    if any(head[16:]):
        warnings.append("bytes after the 16-byte header are not zero")
    if version != 1:
        return finish(0)
    chunk_bytes = chunk_size * 512
    epa = chunk_bytes // 16
    stride = epa + 1
    nr_chunks = sectors // chunk_size
    rep["exceptions_per_area"] = epa
    rep["cow_chunks"] = nr_chunks
    if not valid:
        rep["state"] = "invalid"
    else:
        rep["state"] = "valid"

    pairs = []
    area = 0
    committed = 0
    while True:
        chunk = 1 + stride * area
        data = os.pread(fd, chunk_bytes, chunk * chunk_bytes)
        if chunk >= nr_chunks or len(data) != chunk_bytes:
            p = {"kind": "area", "what": f"metadata area {area} (chunk {chunk}) lies past the end of the "
                 "device and the areas before it are full", "chunk": chunk}
            if valid:
                problems.append(p)
            else:
                warnings.append(p["what"])
            committed = 0
            break
        vals = struct.unpack(f"<{2 * epa}Q", data)
        olds, news = vals[0::2], vals[1::2]
        n = news.index(0) if 0 in news else epa
        pairs.extend((olds[i], news[i], area, i) for i in range(n))
        if n < epa:
            if olds[n]:
                warnings.append(f"area {area} entry {n}: terminator has old chunk {olds[n]}")
            stale = sum(1 for i in range(n + 1, epa) if olds[i] or news[i])
            if stale:
                warnings.append(f"area {area}: {stale} non-zero entries after the terminator (ignored by readers)")
            committed = n
            break
        area += 1
    next_free = 2
    seen_old, seen_new = {}, {}
    for old, new, ar, i in pairs:
        where = {"area": ar, "entry": i, "old_chunk": old, "new_chunk": new}
        if new >= next_free:
            next_free = new + 1
        if new >= 1 << 56 or old >= 1 << 56:
            problems.append({"kind": "range", "what": "chunk number does not fit 56 bits", **where})
            continue
        if new % stride == 1 or new == 0:
            problems.append({"kind": "overlap", "what": "new chunk is a metadata chunk", **where})
        if new >= nr_chunks:
            problems.append({"kind": "range", "what": "new chunk lies past the end of the COW device", **where})
        if old in seen_old:
            problems.append({"kind": "duplicate", "what": "old chunk appears twice, first at area %d entry %d"
                             % seen_old[old], **where})
        else:
            seen_old[old] = (ar, i)
        if new in seen_new:
            problems.append({"kind": "duplicate", "what": "new chunk appears twice, first at area %d entry %d"
                             % seen_new[new], **where})
        else:
            seen_new[new] = (ar, i)
        if a.origin_sectors is not None and old * chunk_size >= a.origin_sectors:
            problems.append({"kind": "range", "what": "old chunk lies past the end of the origin", **where})
    if next_free % stride == 1:
        next_free += 1
    holes = [c for c in range(2, min(next_free, nr_chunks + 1)) if c % stride != 1 and c not in seen_new] \
        if next_free < 1 << 32 else []
    # Merge shrinks the table from its end, so data chunks below next_free normally are all used.
    runs = []
    for old, new, ar, i in sorted(pairs):
        if runs and runs[-1][0] + runs[-1][2] == old and runs[-1][1] + runs[-1][2] == new:
            runs[-1][2] += 1
        else:
            runs.append([old, new, 1])
    rep["areas"] = area + 1
    rep["current_area"] = area
    rep["current_committed"] = committed
    rep["nr_exceptions"] = len(pairs)
    rep["next_free_chunk"] = next_free
    rep["holes"] = len(holes)
    rep["first_holes"] = holes[:20]
    # What `status` shows right after loading this store (while not merging).
    rep["status"] = "Invalid" if not valid else \
        f"{next_free * chunk_size}/{sectors} {(area + 2) * chunk_size}"
    rep["nr_runs"] = len(runs)
    rep["runs"] = runs if not a.max_runs else runs[:a.max_runs]
    if len(rep["runs"]) < len(runs):
        rep["runs_truncated"] = True
    if not valid:
        # An invalidated store is never read again; structure findings are only informative.
        warnings.extend(p["what"] for p in problems)
        problems.clear()
    return finish(0)


if __name__ == "__main__":
    sys.exit(main())
