-- AWS calls that change access or the life of clusters and principals, refused ones too. Facts: CloudTrailCall.
SELECT id, ts, account, region, cluster, event_id, event_source, event_name, principal_type, principal_id, arn, canonical_arn,
       identity_account, access_key_id, user_name, session_issuer_arn, session, source_identity, invoked_by, source_ip,
       user_agent, error_code, error_message, shared_event_id, request_parameters, response_elements
FROM cloudtrail
WHERE (event_source = 'eks.amazonaws.com' AND (read_only = FALSE OR read_only IS NULL OR event_name IN ('CreateCluster', 'DeleteCluster')))
   OR (event_source = 'iam.amazonaws.com'
       AND event_name IN ('CreateUser', 'DeleteUser', 'UpdateUser', 'CreateRole', 'DeleteRole', 'UpdateRole', 'UpdateAssumeRolePolicy',
                          'CreateServiceLinkedRole', 'DeleteServiceLinkedRole'))
   OR (event_source = 'cloudformation.amazonaws.com' AND event_name IN ('CreateStack', 'UpdateStack', 'ExecuteChangeSet'))
