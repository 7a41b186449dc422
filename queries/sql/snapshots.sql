-- Present state as it was seen. Facts: Snapshot.
SELECT id, ts, account, region, cluster, kind, name, body
FROM snapshot
WHERE ts IS NOT NULL
