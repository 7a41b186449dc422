-- Records of a log that could not be read, where their place and time are known: what they changed is not known. Facts: RejectSeen.
SELECT id, ts, account, region, cluster, kind, SUBSTR(text, 1, 4096) AS text
FROM rejects
WHERE ts IS NOT NULL AND (account IS NOT NULL OR cluster IS NOT NULL) AND kind IN ('audit', 'cloudtrail', 'unknown')
