-- Calls that create, change or delete clusters and their access entries, in order.
SELECT ts, account, region, cluster, event_name, canonical_arn, session, error_code, id
FROM cloudtrail
WHERE event_source = 'eks.amazonaws.com' AND (read_only = FALSE OR read_only IS NULL)
ORDER BY id
