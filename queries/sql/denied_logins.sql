-- Refused logins, line by line. Facts: DeniedLogin.
SELECT id, ts, account, region, cluster, stream, arn, canonical_arn, error, client, session
FROM authenticator
WHERE outcome = 'denied' AND ts IS NOT NULL
