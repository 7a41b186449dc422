-- The last success of each identity that was also refused, for each shape of request. Facts: RequestSuccess.
SELECT account, region, cluster, COALESCE(impersonated_username, username) AS username, canonical_arn, verb, api_group, resource, subresource,
       namespace, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit
WHERE code < 400 AND ts IS NOT NULL
  AND COALESCE(impersonated_username, username) IN
      (SELECT COALESCE(impersonated_username, username) AS refused FROM audit WHERE code >= 400 AND COALESCE(impersonated_username, username) IS NOT NULL)
GROUP BY account, region, cluster, COALESCE(impersonated_username, username), canonical_arn, verb, api_group, resource, subresource, namespace
