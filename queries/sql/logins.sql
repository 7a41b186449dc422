-- Granted logins of one day that are alike. Facts: Login.
SELECT account, region, cluster, canonical_arn, arn, username, groups_json, masters, uid, COUNT(*) AS uses,
       MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM authenticator
WHERE outcome = 'granted' AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, arn, username, groups_json, masters, uid
