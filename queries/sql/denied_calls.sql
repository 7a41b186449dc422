-- AWS calls with an error. Facts: DeniedCall.
SELECT id, ts, account, region, cluster, event_id, event_source, event_name, principal_type, principal_id, arn, canonical_arn,
       identity_account, access_key_id, user_name, session_issuer_arn, session, source_identity, invoked_by, source_ip,
       user_agent, error_code, error_message, shared_event_id, request_parameters, response_elements
FROM cloudtrail
WHERE error_code IS NOT NULL AND ts IS NOT NULL
