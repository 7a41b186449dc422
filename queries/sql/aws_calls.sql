-- Calls of each principal to AWS, by day; by action for the services that decide about access. Facts: AwsCalls.
SELECT account, region, cluster, canonical_arn, session, event_source,
       CASE WHEN event_source IN ('eks.amazonaws.com', 'eks-auth.amazonaws.com', 'sts.amazonaws.com', 'iam.amazonaws.com', 'sso.amazonaws.com')
            THEN event_name ELSE NULL END AS event_name,
       (error_code IS NOT NULL) AS refused,
       COUNT(*) AS uses, MIN(id) AS first_id, MIN(ts) AS first_ts, MAX(id) AS last_id, MAX(ts) AS last_ts
FROM cloudtrail
WHERE canonical_arn IS NOT NULL AND ts IS NOT NULL
GROUP BY account, region, cluster, CAST(ts AS DATE), canonical_arn, session, event_source,
         CASE WHEN event_source IN ('eks.amazonaws.com', 'eks-auth.amazonaws.com', 'sts.amazonaws.com', 'iam.amazonaws.com', 'sso.amazonaws.com')
              THEN event_name ELSE NULL END,
         (error_code IS NOT NULL)
