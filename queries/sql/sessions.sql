-- Role sessions and unique ids behind a principal, from logins and from requests, by day; the access key of sessions that may be shared:
-- not of nodes, whose names say what they are, nor of people's. Facts: SessionSeen.
SELECT account, region, cluster, canonical_arn, session, user_id AS unique_id,
       CASE WHEN session IS NULL OR session = '' OR session LIKE 'i-%' OR session LIKE '%@%' THEN NULL ELSE access_key_id END AS access_key_id,
       COUNT(*) AS uses, MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM authenticator
WHERE msg = 'STS response' AND canonical_arn IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, session, user_id,
         CASE WHEN session IS NULL OR session = '' OR session LIKE 'i-%' OR session LIKE '%@%' THEN NULL ELSE access_key_id END
UNION ALL
SELECT account, region, cluster, canonical_arn, session, uid AS unique_id,
       CASE WHEN session IS NULL OR session = '' OR session LIKE 'i-%' OR session LIKE '%@%' THEN NULL ELSE access_key_id END AS access_key_id,
       COUNT(*) AS uses, MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit
WHERE canonical_arn IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, session, uid,
         CASE WHEN session IS NULL OR session = '' OR session LIKE 'i-%' OR session LIKE '%@%' THEN NULL ELSE access_key_id END
