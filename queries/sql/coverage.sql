-- What each table holds of one place on one UTC day. Facts: CoverageDay.
SELECT 'audit' AS source, account, region, cluster, CAST(ts AS DATE) AS day, COUNT(*) AS records,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit WHERE ts IS NOT NULL GROUP BY account, region, cluster, CAST(ts AS DATE)
UNION ALL
SELECT 'authenticator' AS source, account, region, cluster, CAST(ts AS DATE) AS day, COUNT(*) AS records,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM authenticator WHERE ts IS NOT NULL GROUP BY account, region, cluster, CAST(ts AS DATE)
UNION ALL
SELECT 'cloudtrail' AS source, account, region, cluster, CAST(ts AS DATE) AS day, COUNT(*) AS records,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM cloudtrail WHERE ts IS NOT NULL GROUP BY account, region, cluster, CAST(ts AS DATE)
UNION ALL
SELECT 'snapshot' AS source, account, region, cluster, CAST(ts AS DATE) AS day, COUNT(*) AS records,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM snapshot WHERE ts IS NOT NULL GROUP BY account, region, cluster, CAST(ts AS DATE)
