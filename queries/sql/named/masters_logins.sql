-- Logins with system:masters, newest first: what the AWS article's Insights query looks for, from parsed fields.
SELECT ts, account, region, cluster, canonical_arn, username, uid, id
FROM authenticator
WHERE outcome = 'granted' AND masters
ORDER BY id DESC
