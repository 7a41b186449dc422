//! Records as CloudTrail, the API server and the authenticator write them.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION};

/// Who calls AWS.
pub(crate) enum Caller<'a> {
    /// An IAM user, by name (with its path).
    User(&'a str),
    /// A session of a role: the role as IAM spells it, with its path, and the session.
    Session(&'a str, &'a str),
    /// A session whose access key matters.
    Key(&'a str, &'a str, &'a str),
    /// CloudFormation on behalf of such a session.
    CloudFormation(&'a str, &'a str),
}

/// The `AROA…`/`AIDA…` id of a principal's first life.
pub(crate) fn unique_id(prefix: &str, name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{prefix}{:0<17.17}", letters.to_uppercase())
}

fn identity(caller: &Caller<'_>) -> Value {
    let session = |role: &str, session: &str, key: &str| {
        let name = role.rsplit('/').next().unwrap_or(role);
        let id = unique_id("AROA", name);
        json!({"type": "AssumedRole", "principalId": format!("{id}:{session}"), "accountId": ACCOUNT, "accessKeyId": key,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"),
            "sessionContext": {"attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"}, "sessionIssuer": {"type": "Role",
                "principalId": id, "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "accountId": ACCOUNT, "userName": name}}})
    };
    match caller {
        Caller::User(path) => {
            let name = path.rsplit('/').next().unwrap_or(path);
            json!({"type": "IAMUser", "principalId": unique_id("AIDA", name), "arn": format!("arn:aws:iam::{ACCOUNT}:user/{path}"), "accountId": ACCOUNT,
                "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": name})
        }
        Caller::Session(role, name) => session(role, name, "ASIAIOSFODNN7EXAMPLE"),
        Caller::Key(role, name, key) => session(role, name, key),
        Caller::CloudFormation(role, name) => {
            let mut identity = session(role, name, "ASIAIOSFODNN7EXAMPLE");
            identity["invokedBy"] = json!("cloudformation.amazonaws.com");
            identity
        }
    }
}

/// A call that succeeded; IAM's are recorded in us-east-1.
pub(crate) fn call(
    time: &str,
    caller: &Caller<'_>,
    service: &str,
    name: &str,
    request: Value,
    response: Value,
) -> Value {
    json!({"eventVersion": "1.11", "eventID": format!("{service}-{name}-{time}-{request}"), "eventTime": time,
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": if service == "iam" { "us-east-1" } else { REGION },
        "sourceIPAddress": "203.0.113.10", "userAgent": "aws-cli/2.27.0", "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": ACCOUNT,
        "managementEvent": true, "eventCategory": "Management", "userIdentity": identity(caller), "requestParameters": request, "responseElements": response})
}

/// A call that AWS refused.
pub(crate) fn refused_call(
    time: &str,
    caller: &Caller<'_>,
    service: &str,
    name: &str,
    request: Value,
    (code, message): (&str, &str),
) -> Value {
    let mut call = call(time, caller, service, name, request, json!({"message": message}));
    call["errorCode"] = json!(code);
    call["errorMessage"] = json!(message);
    call
}

/// CreateCluster.
pub(crate) fn create_cluster(time: &str, caller: &Caller<'_>, cluster: &str, mode: &str) -> Value {
    let access = json!({"authenticationMode": mode, "bootstrapClusterCreatorAdminPermissions": true});
    let created = time.parse::<jiff::Timestamp>().unwrap().as_second();
    call(
        time,
        caller,
        "eks",
        "CreateCluster",
        json!({"name": cluster, "roleArn": super::role("eks-service"), "resourcesVpcConfig": {"subnetIds": ["subnet-1"]}, "version": "1.33", "accessConfig": access}),
        json!({"cluster": {"name": cluster, "arn": format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{cluster}"), "createdAt": created, "status": "CREATING",
            "roleArn": super::role("eks-service"), "version": "1.33", "accessConfig": access}}),
    )
}

/// DeleteCluster of prod.
pub(crate) fn delete_cluster(time: &str, caller: &Caller<'_>) -> Value {
    call(
        time,
        caller,
        "eks",
        "DeleteCluster",
        json!({"name": "prod"}),
        json!({"cluster": {"name": "prod", "status": "DELETING"}}),
    )
}

/// CreateAccessEntry on prod.
pub(crate) fn create_entry(time: &str, caller: &Caller<'_>, principal: &str) -> Value {
    let created = time.parse::<jiff::Timestamp>().unwrap().as_second();
    call(
        time,
        caller,
        "eks",
        "CreateAccessEntry",
        json!({"name": "prod", "principalArn": principal, "type": "STANDARD"}),
        json!({"accessEntry": {"clusterName": "prod", "principalArn": principal, "kubernetesGroups": [], "username": principal, "type": "STANDARD",
            "createdAt": created, "modifiedAt": created, "tags": {}}}),
    )
}

/// DeleteAccessEntry on prod; the principal travels in the URL.
pub(crate) fn delete_entry(time: &str, caller: &Caller<'_>, principal: &str) -> Value {
    call(
        time,
        caller,
        "eks",
        "DeleteAccessEntry",
        json!({"name": "prod", "principalArn": percent(principal)}),
        Value::Null,
    )
}

/// AssociateAccessPolicy on prod; no namespaces is the whole cluster.
pub(crate) fn associate(time: &str, caller: &Caller<'_>, principal: &str, policy: &str, namespaces: &[&str]) -> Value {
    let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
    let kind = if namespaces.is_empty() { "cluster" } else { "namespace" };
    let scope = json!({"type": kind, "namespaces": namespaces});
    call(
        time,
        caller,
        "eks",
        "AssociateAccessPolicy",
        json!({"name": "prod", "principalArn": percent(principal), "policyArn": policy, "accessScope": scope}),
        json!({"clusterName": "prod", "principalArn": principal, "associatedAccessPolicy": {"policyArn": policy, "accessScope": scope}}),
    )
}

/// DisassociateAccessPolicy on prod.
pub(crate) fn disassociate(time: &str, caller: &Caller<'_>, principal: &str, policy: &str) -> Value {
    let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
    call(
        time,
        caller,
        "eks",
        "DisassociateAccessPolicy",
        json!({"name": "prod", "principalArn": percent(principal), "policyArn": percent(&policy)}),
        Value::Null,
    )
}

fn percent(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

/// DeleteRole.
pub(crate) fn delete_role(time: &str, caller: &Caller<'_>, name: &str) -> Value {
    call(
        time,
        caller,
        "iam",
        "DeleteRole",
        json!({"roleName": name}),
        Value::Null,
    )
}

/// CreateRole: a new unique id.
pub(crate) fn create_role(time: &str, caller: &Caller<'_>, path: &str, name: &str, unique_id: &str) -> Value {
    call(
        time,
        caller,
        "iam",
        "CreateRole",
        json!({"roleName": name, "path": path, "assumeRolePolicyDocument": "{}"}),
        json!({"role": {"path": path, "roleName": name, "roleId": unique_id, "arn": format!("arn:aws:iam::{ACCOUNT}:role{path}{name}")}}),
    )
}

/// The audit log's `user` of a session of a role that the authenticator let in.
pub(crate) fn session_user(username: &str, groups: &[&str], role: &str, session: &str) -> Value {
    let id = unique_id("AROA", role);
    let groups: Vec<&str> = groups.iter().copied().chain(["system:authenticated"]).collect();
    json!({"username": username, "uid": format!("aws-iam-authenticator:{ACCOUNT}:{id}"), "groups": groups,
        "extra": {"accessKeyId": ["ASIAIOSFODNN7EXAMPLE"], "arn": [format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}")],
            "canonicalArn": [super::role(role)], "principalId": [id], "sessionName": [session]}})
}

/// The audit log's `user` of an IAM user that the authenticator let in.
pub(crate) fn iam_user(username: &str, groups: &[&str], name: &str) -> Value {
    let id = unique_id("AIDA", name);
    let groups: Vec<&str> = groups.iter().copied().chain(["system:authenticated"]).collect();
    json!({"username": username, "uid": format!("aws-iam-authenticator:{ACCOUNT}:{id}"), "groups": groups,
        "extra": {"accessKeyId": ["AKIAIOSFODNN7EXAMPLE"], "arn": [super::user(name)], "canonicalArn": [super::user(name)], "principalId": [id], "sessionName": [""]}})
}

/// An audit event; `over` replaces what a usual one has.
pub(crate) fn event(time: &str, over: Value) -> Value {
    let instant: jiff::Timestamp = time.parse().unwrap();
    let stamp = |nanos: i64| {
        let later = instant.checked_add(jiff::SignedDuration::from_millis(nanos)).unwrap();
        format!("{later:.6}")
    };
    let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": format!("a-{time}-{over}"), "stage": "ResponseComplete",
        "requestURI": "/x", "verb": "list", "user": {"username": "dave", "groups": ["system:authenticated"]}, "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.33.0",
        "objectRef": {"resource": "pods", "namespace": "dev", "apiVersion": "v1"}, "responseStatus": {"code": 200},
        "requestReceivedTimestamp": stamp(100), "stageTimestamp": stamp(200),
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}});
    let fields: &Map<String, Value> = over.as_object().unwrap();
    for (key, value) in fields {
        event[key] = value.clone();
    }
    event
}

/// A whole write of aws-auth.
pub(crate) fn write_aws_auth(time: &str, user: Value, data: Value) -> Value {
    let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "aws-auth", "namespace": "kube-system", "uid": "0d0e5f7e-1"}, "data": data});
    event(
        time,
        json!({"verb": "update", "user": user, "requestURI": "/api/v1/namespaces/kube-system/configmaps/aws-auth",
            "objectRef": {"resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1"},
            "requestObject": object, "responseObject": object}),
    )
}

/// A write of an RBAC object, by verb: `create`, `update`, `delete`.
pub(crate) fn write_rbac(time: &str, user: Value, verb: &str, resource: &str, object: &Value) -> Value {
    let meta = &object["metadata"];
    let response = if verb == "delete" {
        json!({"kind": "Status", "status": "Success"})
    } else {
        object.clone()
    };
    event(
        time,
        json!({"verb": verb, "user": user, "responseObject": response, "requestObject": object, "responseStatus": {"code": if verb == "create" { 201 } else { 200 }},
            "objectRef": {"resource": resource, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1", "name": meta["name"], "namespace": meta["namespace"]}}),
    )
}

/// A request that RBAC refused; `object` is the objectRef.
pub(crate) fn forbidden(time: &str, user: Value, verb: &str, object: Value) -> Value {
    let name = user["username"].as_str().unwrap_or_default();
    let place = match object["namespace"].as_str() {
        Some(namespace) => format!("in the namespace \"{namespace}\""),
        None => "at the cluster scope".to_owned(),
    };
    let resource = match object["subresource"].as_str() {
        Some(sub) => format!("{}/{sub}", object["resource"].as_str().unwrap()),
        None => object["resource"].as_str().unwrap().to_owned(),
    };
    let group = object["apiGroup"].as_str().unwrap_or_default();
    let message = format!(
        "{resource} is forbidden: User \"{name}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
    );
    event(
        time,
        json!({"verb": verb, "level": "Metadata", "objectRef": object, "user": user, "responseStatus": {"status": "Failure", "reason": "Forbidden", "code": 403, "message": message},
            "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}}),
    )
}

/// The authenticator's line of what STS said: a session of a role, or a user where the session is empty.
pub(crate) fn sts_line(time: &str, arn: &str, key: &str, session: &str, unique_id: &str, port: u32) -> String {
    format!(
        "time=\"{time}\" level=info msg=\"STS response\" accesskeyid={key} accountid={ACCOUNT} arn=\"{arn}\" client=\"127.0.0.1:{port}\" method=POST path=/authenticate session={session} stsendpoint=sts.{REGION}.amazonaws.com userid={unique_id}\n"
    )
}

/// `access denied`: not mapped.
pub(crate) fn denied_line(time: &str, arn: &str, port: u32) -> String {
    format!(
        "time=\"{time}\" level=warning msg=\"access denied\" arn=\"{arn}\" client=\"127.0.0.1:{port}\" error=\"ARN is not mapped\" method=POST path=/authenticate\n"
    )
}

/// `access granted`.
pub(crate) fn granted_line(time: &str, arn: &str, username: &str, groups: &str, unique_id: &str, port: u32) -> String {
    format!(
        "time=\"{time}\" level=info msg=\"access granted\" arn=\"{arn}\" client=\"127.0.0.1:{port}\" groups=\"[{groups}]\" method=POST path=/authenticate stsendpoint=sts.{REGION}.amazonaws.com uid=\"aws-iam-authenticator:{ACCOUNT}:{unique_id}\" username=\"{username}\"\n"
    )
}
