-- What STS said of callers whose connection also saw a refusal: their session and unique id. Facts: StsResponse.
SELECT id, ts, account, region, cluster, stream, canonical_arn, session, user_id, access_key_id, client
FROM authenticator
WHERE msg = 'STS response' AND ts IS NOT NULL
  AND client IN (SELECT client FROM authenticator WHERE outcome = 'denied' AND client IS NOT NULL)
