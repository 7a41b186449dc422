//! What each operation of a plan leaves in the logs.

use super::*;

impl Writer<'_> {
    pub(super) fn op(&mut self, at: Time, op: &Op, before: &World) {
        match op {
            Op::CreateCluster {
                cluster,
                by,
                session,
                mode,
                mode_said,
                bootstrap,
            } => {
                let n = self.logs.names.names[*cluster].clone();
                let mut request = json!({"name": n.name, "roleArn": format!("arn:aws:iam::{}:role/eks-service", n.account), "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}});
                let said = bootstrap.unwrap_or(true);
                if *mode_said || *mode != Mode::ConfigMap {
                    request["accessConfig"] = json!({"authenticationMode": mode.text()});
                    if let Some(b) = bootstrap {
                        request["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] = json!(b);
                    }
                }
                let response = json!({"cluster": {"name": n.name, "arn": cluster_arn(&self.world, *cluster), "createdAt": at as f64 + 0.25, "status": "CREATING", "version": "1.31",
                    "accessConfig": {"bootstrapClusterCreatorAdminPermissions": said, "authenticationMode": mode.text()}}});
                self.eks(at, *by, session, *cluster, "CreateCluster", request, response, None);
            }
            Op::FailedCreate { cluster, by, session } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let error = (
                    "ResourceInUseException",
                    format!("Cluster already exists with name: {name}"),
                );
                self.eks(
                    at,
                    *by,
                    session,
                    *cluster,
                    "CreateCluster",
                    json!({"name": name}),
                    Value::Null,
                    Some(error),
                );
            }
            Op::DeleteCluster { cluster, by } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let response = json!({"cluster": {"name": name, "status": "DELETING"}});
                self.eks(
                    at,
                    *by,
                    "ops",
                    *cluster,
                    "DeleteCluster",
                    json!({"name": name}),
                    response,
                    None,
                );
            }
            Op::SetMode { cluster, by, mode } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let request = json!({"name": name, "accessConfig": {"authenticationMode": mode.text()}});
                let response = json!({"update": {"id": self.logs.rng.uuid(), "status": "InProgress", "type": "AccessConfigUpdate", "params": [{"type": "AuthenticationMode", "value": mode.text()}]}});
                self.eks(at, *by, "ops", *cluster, "UpdateClusterConfig", request, response, None);
            }
            Op::CreateAwsAuth { cluster, by, .. } => self.aws_auth_write(at, *cluster, *by, "create", None),
            Op::WriteAwsAuth {
                cluster,
                by,
                mappings,
                broken_roles,
            } => {
                // Whoever writes is judged by the mapping that stood before.
                let after = std::mem::replace(&mut self.world, before.clone());
                let verb = if self.logs.rng.chance(50) { "update" } else { "patch" };
                self.aws_auth_write(at, *cluster, *by, verb, Some((mappings, *broken_roles)));
                self.world = after;
            }
            Op::DeleteAwsAuth { cluster, by } => self.aws_auth_write(at, *cluster, *by, "delete", None),
            Op::CreateEntry {
                cluster,
                by,
                principal,
                groups,
            } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let p = &self.world.principals[*principal];
                let arn = p.arn();
                let username = if p.kind == Kind::User {
                    arn.clone()
                } else {
                    p.sts_arn("{{SessionName}}")
                };
                let request =
                    json!({"name": name, "principalArn": arn, "kubernetesGroups": groups, "type": "STANDARD"});
                let response = json!({"accessEntry": {"clusterName": name, "principalArn": arn, "kubernetesGroups": groups, "username": username, "type": "STANDARD", "createdAt": at as f64}});
                self.eks(at, *by, "ops", *cluster, "CreateAccessEntry", request, response, None);
            }
            Op::DeleteEntry { cluster, by, principal } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let request = json!({"name": name, "principalArn": percent(&self.world.principals[*principal].arn())});
                self.eks(
                    at,
                    *by,
                    "ops",
                    *cluster,
                    "DeleteAccessEntry",
                    request,
                    Value::Null,
                    None,
                );
            }
            Op::StackDeletesEntry { cluster, by, principal } => {
                let n = self.logs.names.names[*cluster].clone();
                let arn = percent(&self.world.principals[*principal].arn());
                let request = json!({"name": n.name, "principalArn": arn});
                self.eks(
                    at,
                    *by,
                    "ops",
                    *cluster,
                    "DeleteAccessEntry",
                    request,
                    Value::Null,
                    None,
                );
                let day = (n.account, n.region, iso(at)[..10].to_owned());
                if let Some(record) = self.logs.trail.get_mut(&day).and_then(|records| records.last_mut()) {
                    let stack = json!("cloudformation.amazonaws.com");
                    record.content["userIdentity"]["invokedBy"] = stack.clone();
                    record.content["sourceIPAddress"] = stack.clone();
                    record.content["userAgent"] = stack;
                }
            }
            Op::Associate {
                cluster,
                by,
                principal,
                policy,
                namespaces,
            } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let arn = self.world.principals[*principal].arn();
                let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
                let scope = if namespaces.is_empty() {
                    json!({"type": "cluster", "namespaces": []})
                } else {
                    json!({"type": "namespace", "namespaces": namespaces})
                };
                let request =
                    json!({"name": name, "principalArn": percent(&arn), "policyArn": policy, "accessScope": scope});
                let response = json!({"clusterName": name, "principalArn": arn, "associatedAccessPolicy": {"policyArn": policy, "accessScope": scope, "associatedAt": at as f64}});
                self.eks(
                    at,
                    *by,
                    "ops",
                    *cluster,
                    "AssociateAccessPolicy",
                    request,
                    response,
                    None,
                );
            }
            Op::Disassociate {
                cluster,
                by,
                principal,
                policy,
            } => {
                let name = self.logs.names.names[*cluster].name.clone();
                let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
                let request = json!({"name": name, "principalArn": percent(&self.world.principals[*principal].arn()), "policyArn": percent(&policy)});
                self.eks(
                    at,
                    *by,
                    "ops",
                    *cluster,
                    "DisassociateAccessPolicy",
                    request,
                    Value::Null,
                    None,
                );
            }
            Op::Bind {
                cluster,
                by,
                name,
                role,
                namespace,
                subject,
            } => {
                let (resource, kind) = if namespace.is_some() {
                    ("rolebindings", "RoleBinding")
                } else {
                    ("clusterrolebindings", "ClusterRoleBinding")
                };
                let subject = match subject {
                    Subject::User(u) => json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": u}),
                    Subject::Group(g) => json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": g}),
                    Subject::ServiceAccount(ns, n) => json!({"kind": "ServiceAccount", "namespace": ns, "name": n}),
                };
                if *role == "pod-getter" {
                    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
                    let reference = json!({"resource": "clusterroles", "name": "pod-getter", "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
                    let object = json!({"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "pod-getter"}, "rules": rules});
                    self.kube_write(
                        at,
                        *cluster,
                        *by,
                        "create",
                        reference,
                        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
                        Some(object),
                    );
                }
                let mut meta = json!({"name": name});
                let mut reference = json!({"resource": resource, "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
                let mut uri = format!("/apis/rbac.authorization.k8s.io/v1/{resource}");
                if let Some(n) = namespace {
                    meta["namespace"] = json!(n);
                    reference["namespace"] = json!(n);
                    uri = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{n}/{resource}");
                }
                let object = json!({"kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta, "subjects": [subject],
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}});
                self.kube_write(at, *cluster, *by, "create", reference, &uri, Some(object));
            }
            Op::Unbind {
                cluster,
                by,
                name,
                namespace,
            } => {
                let resource = if namespace.is_some() {
                    "rolebindings"
                } else {
                    "clusterrolebindings"
                };
                let mut reference = json!({"resource": resource, "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
                if let Some(n) = namespace {
                    reference["namespace"] = json!(n);
                }
                let uri = format!("/apis/rbac.authorization.k8s.io/v1/{resource}/{name}");
                let response = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
                self.kube_write(at, *cluster, *by, "delete", reference, &uri, Some(response));
            }
            Op::DeletePrincipal { principal, by } => {
                let p = self.world.principals[*principal].clone();
                let (name, request) = match p.kind {
                    Kind::User => ("DeleteUser", json!({"userName": p.name})),
                    _ => ("DeleteRole", json!({"roleName": p.name})),
                };
                self.call(
                    at,
                    *by,
                    "ops",
                    &p.account,
                    "us-east-1",
                    "iam.amazonaws.com",
                    name,
                    request,
                    Value::Null,
                    None,
                );
            }
            Op::RecreatePrincipal { principal, by } => {
                let p = self.world.principals[*principal].clone();
                let id = p.unique_ids.last().expect("a principal has an id").clone();
                let (name, request, response) = match p.kind {
                    Kind::User => (
                        "CreateUser",
                        json!({"userName": p.name, "path": p.path}),
                        json!({"user": {"userName": p.name, "path": p.path, "userId": id, "arn": p.arn()}}),
                    ),
                    _ => (
                        "CreateRole",
                        json!({"roleName": p.name, "path": p.path}),
                        json!({"role": {"roleName": p.name, "path": p.path, "roleId": id, "arn": p.arn()}}),
                    ),
                };
                self.call(
                    at,
                    *by,
                    "ops",
                    &p.account,
                    "us-east-1",
                    "iam.amazonaws.com",
                    name,
                    request,
                    response,
                    None,
                );
            }
            Op::Request {
                cluster,
                by,
                session,
                ask,
            } => {
                if self.world.life(*cluster).is_none() {
                    return;
                }
                let Some(login) = self.log_in(at, *cluster, *by, session) else {
                    return;
                };
                let life = self.world.life(*cluster).expect("seen above").clone();
                let user = self.user(*by, session, &login);
                let subjects = subjects_of(&login.username, &login.groups);
                let allowed = allows(&life, &login, &subjects, ask)
                    .then(|| Self::reason(&self.world, &life, *by, &login))
                    .ok_or(());
                self.ask(at, *cluster, user, &login.username, allowed, ask);
            }
            Op::WorkloadRequest {
                cluster,
                namespace,
                name,
                ask,
            } => {
                let Some(life) = self.world.life(*cluster).cloned() else {
                    return;
                };
                let username = format!("system:serviceaccount:{namespace}:{name}");
                let user = json!({"username": username, "uid": "6f1c2b1e-0000-4000-8000-000000000002",
                    "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"]});
                let login = Login {
                    username: username.clone(),
                    groups: vec![],
                    policies: BTreeMap::new(),
                    by: "workload",
                };
                let subjects = [Subject::ServiceAccount((*namespace).into(), (*name).into())];
                let allowed = allows(&life, &login, &subjects, ask)
                    .then(|| {
                        "RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to ServiceAccount \"n/ns\""
                            .to_owned()
                    })
                    .ok_or(());
                self.ask(at, *cluster, user, &username, allowed, ask);
            }
            Op::AnonymousRequest { cluster, ask } => {
                if self.world.life(*cluster).is_some() {
                    let user = json!({"username": "system:anonymous", "groups": ["system:unauthenticated"]});
                    self.ask(at, *cluster, user, "system:anonymous", Err(()), ask);
                }
            }
            Op::Admission {
                cluster,
                by,
                session,
                ask,
                reason,
            } => {
                if self.world.life(*cluster).is_none() {
                    return;
                }
                let Some(login) = self.log_in(at, *cluster, *by, session) else {
                    return;
                };
                let user = self.user(*by, session, &login);
                let (code, message) = match *reason {
                    "admission.pod-security" => (
                        403,
                        "pods \"thing\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
                    ),
                    "admission.quota" => (
                        403,
                        "pods \"thing\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=10, limited: pods=10",
                    ),
                    _ => (
                        403,
                        "admission webhook \"validate.example.com\" denied the request: no owner label",
                    ),
                };
                let event = Self::request_event(ask, user, code, "allow", "", Some(message.to_owned()));
                self.audit(at, *cluster, 950, event);
            }
            Op::BadToken { cluster, reason } => {
                if self.world.life(*cluster).is_none() {
                    return;
                }
                let error = match *reason {
                    "authn.token.expired" => "input token was not properly formatted: X-Amz-Date parameter is expired (15 minute expiration) 2026-03-01 07:11:46 +0000 UTC".to_owned(),
                    "authn.token.malformed" => "input token was not properly formatted: token is missing expected \\\"k8s-aws-v1.\\\" prefix".to_owned(),
                    _ => "sts getCallerIdentity failed: error from AWS (expected 200, got 403) on us-west-2 endpoint. Body: {\\\"Error\\\":{\\\"Code\\\":\\\"InvalidClientTokenId\\\",\\\"Message\\\":\\\"The security token included in the request is invalid.\\\",\\\"Type\\\":\\\"Sender\\\"},\\\"RequestId\\\":\\\"x\\\"}".to_owned(),
                };
                let client = 40000 + self.logs.rng.below(9000);
                self.authenticator(at, *cluster, &format!("level=warning msg=\"access denied\" client=\"127.0.0.1:{client}\" error=\"{error}\" method=POST path=/authenticate"));
                self.unauthorized(at, *cluster);
            }
            Op::AwsRefusal {
                by,
                session,
                region,
                cluster,
                reason,
            } => {
                let p = self.world.principals[*by].clone();
                let who = p.sts_arn(session);
                let target = cluster.map(|c| cluster_arn(&self.world, c));
                let name = cluster.map(|c| self.logs.names.names[c].name.clone());
                let region = cluster.map_or(region.clone(), |c| self.logs.names.names[c].region.clone());
                let account = p.account.clone();
                match (*reason, target, name) {
                    ("sts.trust-policy", ..) => {
                        let message = format!(
                            "User: {who} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{account}:role/Target because no role trust policy allows the sts:AssumeRole action"
                        );
                        self.call(
                            at,
                            *by,
                            session,
                            &account,
                            &region,
                            "sts.amazonaws.com",
                            "AssumeRole",
                            Value::Null,
                            Value::Null,
                            Some(("AccessDenied", message)),
                        );
                    }
                    (reason, Some(target), Some(name)) => {
                        let why = match reason {
                            "iam.scp.explicit" => "with an explicit deny in a service control policy".to_owned(),
                            "iam.permissions-boundary" => {
                                "because no permissions boundary allows the eks:DescribeCluster action".to_owned()
                            }
                            _ => "because no identity-based policy allows the eks:DescribeCluster action".to_owned(),
                        };
                        let message = format!(
                            "User: {who} is not authorized to perform: eks:DescribeCluster on resource: {target} {why}"
                        );
                        self.call(
                            at,
                            *by,
                            session,
                            &account,
                            &region,
                            "eks.amazonaws.com",
                            "DescribeCluster",
                            json!({"name": name}),
                            Value::Null,
                            Some(("AccessDeniedException", message)),
                        );
                    }
                    _ => {}
                }
            }
        }
    }
}
