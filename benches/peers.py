#!/usr/bin/env python3
"""Runs eksplain and DuckDB in turns on the same synthetic logs; see benches/peers. A noisy machine changes both alike: only the ratios
count. DuckDB gets its best form for each log: whole objects and one json_transform for CloudTrail, typed read_json for audit, two
regular expressions a key for the authenticator. Both write Parquet with zstd level 1 and must hold the same number of rows."""
import argparse
import glob
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

S = "VARCHAR"
TRAIL = {"eventVersion": S, "eventTime": S, "eventSource": S, "eventName": S, "awsRegion": S, "sourceIPAddress": S, "userAgent": S, "errorCode": S,
         "errorMessage": S, "requestParameters": "JSON", "responseElements": "JSON", "requestID": S, "eventID": S, "readOnly": "BOOLEAN",
         "eventType": S, "recipientAccountId": S,
         "userIdentity": {"type": S, "principalId": S, "arn": S, "accountId": S, "accessKeyId": S, "userName": S, "invokedBy": S,
                          "sessionContext": {"sessionIssuer": {"arn": S, "userName": S}}}}
AUDIT = {"level": S, "auditID": S, "stage": S, "requestURI": S, "verb": S,
         "user": {"username": S, "uid": S, "groups": f"{S}[]", "extra": {"arn": f"{S}[]", "canonicalArn": f"{S}[]", "sessionName": f"{S}[]", "accessKeyId": f"{S}[]"}},
         "sourceIPs": f"{S}[]", "userAgent": S, "objectRef": {"resource": S, "namespace": S, "name": S, "apiGroup": S, "apiVersion": S, "subresource": S},
         "responseStatus": {"code": "INTEGER", "reason": S, "message": S}, "requestReceivedTimestamp": S, "stageTimestamp": S, "annotations": "JSON"}
KEYS = ["level", "msg", "arn", "client", "groups", "method", "path", "stsendpoint", "uid", "username", "accesskeyid", "accountid", "session", "userid", "error"]


def sql_type(kind):
    return kind if isinstance(kind, str) else "STRUCT(" + ", ".join(f'"{key}" {sql_type(inner)}' for key, inner in kind.items()) + ")"


def duckdb_statement(log, folder, out):
    to = f"TO '{out}/duck.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 131072)"
    if log == "cloudtrail":
        objects = f"read_json_objects('{folder}/*.json.gz', format='newline_delimited', maximum_object_size=67108864)"
        rows = f"""SELECT unnest(json_transform(json, '{json.dumps({"Records": [TRAIL]})}')."Records") AS r FROM {objects}"""
        return f"""COPY (SELECT r."eventTime"::TIMESTAMP AS ts, r.* FROM ({rows})) {to}"""
    if log == "audit":
        columns = ", ".join(f"{key}: '{sql_type(kind)}'" for key, kind in AUDIT.items())
        # The columns that eksplain writes: the authorizers' decision stands in the annotations, which are kept too.
        note = lambda key: f"""json_extract_string(annotations, '$."authorization.k8s.io/{key}"')"""
        picked = (f"""stageTimestamp::TIMESTAMP AS ts, level, auditID, stage, requestURI, verb, "user".username, "user".uid, "user".groups,
                  "user".extra.arn[1] AS arn, "user".extra.canonicalArn[1] AS canonical_arn, "user".extra.sessionName[1] AS session,
                  "user".extra.accessKeyId[1] AS access_key_id, list_contains("user".groups, 'system:masters') AS masters, sourceIPs, userAgent,
                  objectRef.resource, objectRef.namespace, objectRef.name, objectRef.apiGroup, objectRef.apiVersion, objectRef.subresource,
                  responseStatus.code, responseStatus.reason, responseStatus.message, annotations,
                  {note("decision")} AS decision, {note("reason")} AS decision_reason""")
        return f"""COPY (SELECT {picked} FROM read_json('{folder}/*.ndjson', format='newline_delimited', columns={{{columns}}})) {to}"""
    lines = f"read_csv('{folder}/*.log', columns={{line: 'VARCHAR'}}, delim='\\x01', quote='', escape='', header=false, auto_detect=false)"
    pick = lambda key: (f"""coalesce(nullif(regexp_extract(line, ' {key}="((?:[^"\\\\]|\\\\.)*)"', 1), ''), """
                        f"""nullif(regexp_extract(line, ' {key}=([^" ][^ ]*)', 1), '')) AS "{key}\"""")
    return f"""COPY (SELECT regexp_extract(line, '^time="([^"]*)"', 1)::TIMESTAMP AS ts, {', '.join(map(pick, KEYS))} FROM {lines}) {to}"""


def duckdb_child(log, folder, out, threads):
    import duckdb
    os.makedirs(out)
    connection = duckdb.connect()
    connection.execute(f"SET threads={threads}; SET preserve_insertion_order=false; SET temp_directory='{out}/tmp'")
    connection.execute(duckdb_statement(log, folder, out))


def measured(command):
    """Wall seconds, CPU seconds, peak MiB of one process."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - began
    if status:
        sys.exit(f"{command[0]} failed: {errors.decode()[-2000:]}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--scale", type=float, default=0.25)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--logs", default="cloudtrail,audit,authenticator")
    parser.add_argument("--flat", action="store_true", help="also ingest four times as much, by eksplain alone")
    parser.add_argument("--duckdb-child", nargs=3, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.duckdb_child:
        return duckdb_child(*a.duckdb_child, a.threads)
    import duckdb

    def data(scale):
        folder = f"{a.work}/data-{scale}"
        if not os.path.exists(f"{folder}/done"):
            print(f"making data of scale {scale} in {folder}", file=sys.stderr)
            subprocess.check_call([sys.executable, "benches/generate.py", folder, "--scale", str(scale)])
            open(f"{folder}/done", "w").close()
        return folder

    def eksplain(folder, out):
        return [os.environ["EKSPLAIN_BINARY"], "--lake", out, "-q", "ingest", "files", folder, "--threads", str(a.threads), "--keep-raw", "none"]

    folder, rows = data(a.scale), lambda pattern: duckdb.sql(f"SELECT COUNT(*) FROM read_parquet('{pattern}')").fetchone()[0]
    print(f"{a.pairs} interleaved pairs, {a.threads} threads, scale {a.scale}; ratios are DuckDB to eksplain, above 1 eksplain is ahead")
    print(f"{'log':<14} {'rows':>9} {'time ratio':>10} {'cpu ratio':>9} {'eksplain s':>10} {'duckdb s':>8} {'eksplain MiB':>12} {'duckdb MiB':>10}")
    for log in a.logs.split(","):
        pairs = []
        for pair in range(a.pairs + 1):
            out = f"{a.work}/out"
            shutil.rmtree(out, ignore_errors=True)
            ours = measured(eksplain(f"{folder}/{log}", f"{out}/lake"))
            peer = [sys.executable, __file__, "--work", a.work, "--threads", str(a.threads), "--duckdb-child", log, f"{folder}/{log}", f"{out}/duck"]
            theirs = measured(peer)
            counts = rows(f"{out}/lake/{log}/**/*.parquet"), rows(f"{out}/duck/duck.parquet")
            if counts[0] != counts[1]:
                sys.exit(f"{log}: eksplain has {counts[0]} rows, DuckDB {counts[1]}")
            if pair:  # the first warms the page cache
                pairs.append((ours, theirs))
        middle = lambda pick: statistics.median(pick(ours, theirs) for ours, theirs in pairs)
        print(f"{log:<14} {counts[0]:>9} {middle(lambda o, t: t[0] / o[0]):>10.2f} {middle(lambda o, t: t[1] / o[1]):>9.2f} "
              f"{middle(lambda o, t: o[0]):>10.2f} {middle(lambda o, t: t[0]):>8.2f} {max(o[2] for o, _ in pairs):>12.0f} {max(t[2] for _, t in pairs):>10.0f}", flush=True)
    if a.flat:
        large = data(a.scale * 4)
        for log in a.logs.split(","):
            peaks = []
            for source in (folder, large):
                shutil.rmtree(f"{a.work}/out", ignore_errors=True)
                size = sum(os.path.getsize(path) for path in glob.glob(f"{source}/{log}/*"))
                peaks.append((size / 1e6, measured(eksplain(f"{source}/{log}", f"{a.work}/out/lake"))[2]))
            print(f"{log:<14} peak memory: " + ", ".join(f"{peak:.0f} MiB for {size:.0f} MB as stored" for size, peak in peaks))
    shutil.rmtree(f"{a.work}/out", ignore_errors=True)


if __name__ == "__main__":
    main()
