-- Records of a log that could not be read, as far as their place is known: what they changed is not known. Facts: RejectSeen.
SELECT id, ts, account, region, cluster, kind, source_uri, SUBSTR(text, 1, 4096) AS text
FROM rejects
WHERE (account IS NOT NULL OR cluster IS NOT NULL) AND kind IN ('audit', 'cloudtrail', 'unknown')
