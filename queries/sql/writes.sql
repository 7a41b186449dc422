-- Successful writes of what access rests on: aws-auth, RBAC objects, deletions of namespaces. Facts: AuditWrite.
SELECT id, ts, account, region, cluster, verb, resource, api_group, namespace, name, username, canonical_arn, session,
       access_key_id, request_uri, request_object, response_object
FROM audit
WHERE code >= 200 AND code < 300
  AND (stage = 'ResponseComplete' OR stage IS NULL)
  AND subresource IS NULL
  AND ((verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
        AND (resource IN ('roles', 'rolebindings', 'clusterroles', 'clusterrolebindings')
             OR (resource = 'configmaps' AND namespace = 'kube-system' AND (name = 'aws-auth' OR name IS NULL))))
       OR (verb = 'delete' AND resource = 'namespaces'))
