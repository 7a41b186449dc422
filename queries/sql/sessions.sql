-- Role sessions and unique ids behind a principal, from logins and from requests, by day. Facts: SessionSeen.
SELECT account, region, cluster, canonical_arn, session, user_id AS unique_id, COUNT(*) AS uses,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM authenticator
WHERE msg = 'STS response' AND canonical_arn IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, session, user_id
UNION ALL
SELECT account, region, cluster, canonical_arn, session, uid AS unique_id, COUNT(*) AS uses,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit
WHERE canonical_arn IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, session, uid
