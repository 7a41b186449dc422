-- Refused logins by principal and error.
SELECT account, region, cluster, canonical_arn, error, COUNT(*) AS refused, MIN(ts) AS first_ts, MAX(ts) AS last_ts, MAX(id) AS last_id
FROM authenticator
WHERE outcome = 'denied'
GROUP BY account, region, cluster, canonical_arn, error
ORDER BY refused DESC, last_id
