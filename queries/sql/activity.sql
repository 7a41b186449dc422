-- Requests of one identity of one day that are alike, one stage for each; failed logins are no requests of anybody. Facts: Activity.
SELECT account, region, cluster, username, CASE WHEN username LIKE 'system:%' THEN NULL ELSE uid END AS uid, canonical_arn, groups_json, masters,
       impersonated_username, impersonated_groups_json, (code IS NULL OR code < 400) AS allowed,
       CASE WHEN decision_reason LIKE 'EKS Access Policy: %' THEN decision_reason ELSE NULL END AS access_policy_reason,
       CASE WHEN decision_reason LIKE 'EKS Access Policy: %' THEN namespace ELSE NULL END AS access_policy_namespace,
       COUNT(*) AS uses, MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM audit
WHERE (stage IN ('ResponseComplete', 'Panic') OR stage IS NULL) AND (code IS NULL OR code <> 401) AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), username, CASE WHEN username LIKE 'system:%' THEN NULL ELSE uid END, canonical_arn, groups_json, masters,
         impersonated_username, impersonated_groups_json, (code IS NULL OR code < 400),
         CASE WHEN decision_reason LIKE 'EKS Access Policy: %' THEN decision_reason ELSE NULL END,
         CASE WHEN decision_reason LIKE 'EKS Access Policy: %' THEN namespace ELSE NULL END
