-- Questions that people asked the API server about their own rights, by day; the answer is the status of the response. Facts: Review.
SELECT account, region, cluster, username, canonical_arn, groups_json, request_object,
       (response_object LIKE '%"allowed":true%') AS allowed,
       COUNT(*) AS uses, MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit
WHERE resource = 'selfsubjectaccessreviews' AND verb = 'create' AND code >= 200 AND code < 300 AND impersonated_username IS NULL
  AND (stage = 'ResponseComplete' OR stage IS NULL) AND request_object IS NOT NULL AND response_object IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), username, canonical_arn, groups_json, request_object,
         (response_object LIKE '%"allowed":true%')
