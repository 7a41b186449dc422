-- Refused or failed requests, one row a record; RequestReceived has no verdict. Facts: DeniedRequest.
SELECT id, ts, account, region, cluster, audit_id, stage, username, uid, groups_json, canonical_arn, session, access_key_id, impersonated_username,
       impersonated_groups_json, source_ips, user_agent, verb, request_uri, api_group, resource, subresource, namespace, name, code,
       status_reason, status_message, decision, decision_reason
FROM audit
WHERE code >= 400 AND ts IS NOT NULL
