-- Which call to STS issued which temporary key, and with which key it was signed itself; the key is cut out of the response beside this text.
SELECT id, access_key_id, response_elements
FROM cloudtrail
WHERE event_source = 'sts.amazonaws.com' AND error_code IS NULL
  AND event_name IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'GetSessionToken', 'GetFederationToken', 'AssumeRoot')
