-- The last success of each caller that was also refused, for each action; for STS also for each set of parameters. Facts: CallSuccess.
SELECT account, region, cluster, canonical_arn, event_source, event_name,
       CASE WHEN event_source = 'sts.amazonaws.com' THEN request_parameters ELSE NULL END AS request_parameters,
       MAX(id) AS last_id, MAX(ts) AS last_ts
FROM cloudtrail
WHERE error_code IS NULL AND ts IS NOT NULL AND canonical_arn IN (SELECT canonical_arn FROM cloudtrail WHERE error_code IS NOT NULL AND canonical_arn IS NOT NULL)
GROUP BY account, region, cluster, canonical_arn, event_source, event_name,
         CASE WHEN event_source = 'sts.amazonaws.com' THEN request_parameters ELSE NULL END
