//! One refused call for each reason of the denial taxonomy, in the words of the component that refuses: what `denials` says of it.
//!
//! Every case has a cluster, or for calls to AWS a caller, of its own; all are read into one lake and asked once.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fmt::Write;

use assert_cmd::Command;
use serde_json::{Value, json};

mod cli;

const ACCOUNT: &str = "111122223333";
const NOT_MAPPED: &str = "identity is not mapped";

/// What happened before the refusal.
#[derive(Default)]
struct World {
    trail: Vec<Value>,
    /// By cluster: authenticator lines and audit events.
    logs: BTreeMap<String, (String, Vec<Value>)>,
    expected: Vec<(String, &'static str)>,
    count: usize,
}

impl World {
    /// A cluster of its own, whose life the trail shows from its birth.
    fn cluster(&mut self, reason: &'static str, mode: &str) -> String {
        self.count += 1;
        let name = format!("c{}", self.count);
        let access = json!({"authenticationMode": mode, "bootstrapClusterCreatorAdminPermissions": true});
        self.call(1, "admin", "eks", "CreateCluster", json!({
            "requestParameters": {"name": name, "accessConfig": access},
            "responseElements": {"cluster": {"name": name, "accessConfig": access, "arn": format!("arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{name}")}}}));
        self.logs.insert(name.clone(), Default::default());
        self.expected.push((name.clone(), reason));
        name
    }

    fn call(&mut self, minute: u32, user: &str, service: &str, event: &str, over: Value) {
        let mut record = json!({"eventVersion": "1.11", "eventID": format!("e-{}", self.trail.len()), "eventTime": format!("2026-11-20T10:{minute:02}:00Z"),
            "eventSource": format!("{service}.amazonaws.com"), "eventName": event, "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT,
            "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{user}"), "accountId": ACCOUNT, "userName": user, "principalId": "AIDA1"}});
        for (key, value) in over.as_object().unwrap() {
            record[key] = value.clone();
        }
        self.trail.push(record);
    }

    /// A call to AWS that fails; the caller is the case's own.
    fn refused_call(&mut self, reason: &'static str, service: &str, event: &str, code: &str, message: &str) {
        self.count += 1;
        let user = format!("p{}", self.count);
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        let message = message.replace("USER", &arn);
        self.call(20, &user, service, event, json!({"errorCode": code, "errorMessage": message, "requestParameters": {"name": "nowhere", "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/target")}}));
        self.expected.push((arn, reason));
    }

    fn event(&mut self, cluster: &str, minute: u32, over: Value) {
        let (_, events) = self.logs.get_mut(cluster).unwrap();
        let time = format!("2026-11-20T10:{minute:02}:00.{:06}Z", events.len());
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": format!("{cluster}-{}", events.len()),
            "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/dev/pods", "verb": "create", "user": {"username": "dave", "groups": ["system:authenticated"]},
            "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.31", "objectRef": {"resource": "pods", "namespace": "dev", "apiVersion": "v1"},
            "responseStatus": {"code": 403, "status": "Failure", "reason": "Forbidden"}, "requestReceivedTimestamp": time, "stageTimestamp": time,
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}});
        for (key, value) in over.as_object().unwrap() {
            event[key] = value.clone();
        }
        events.push(event);
    }

    fn write(&mut self, cluster: &str, verb: &str, resource: &str, group: &str, object: Value) {
        let meta = &object["metadata"];
        let over = json!({"verb": verb, "user": {"username": "kubernetes-admin", "groups": ["system:masters"], "uid": format!("aws-iam-authenticator:{ACCOUNT}:AIDA1")},
            "objectRef": {"resource": resource, "apiGroup": group, "apiVersion": "v1", "name": meta["name"], "namespace": meta["namespace"]},
            "responseStatus": {"code": 200}, "responseObject": object, "requestObject": object});
        self.event(cluster, 5, over);
    }

    fn aws_auth(&mut self, cluster: &str, roles: &str, users: &str) {
        let object = json!({"kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": {"mapRoles": roles, "mapUsers": users}});
        self.write(cluster, "update", "configmaps", "", object);
    }

    fn login(&mut self, cluster: &str, minute: u32, second: u32, arn: &str, error: &str) {
        let (text, _) = self.logs.get_mut(cluster).unwrap();
        let arn = if arn.is_empty() {
            String::new()
        } else {
            format!("arn=\"{arn}\" ")
        };
        let error = error.replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(text, "time=\"2026-11-20T10:{minute:02}:{second:02}Z\" level=warning msg=\"access denied\" {arn}client=\"127.0.0.1:40000\" error=\"{error}\" method=POST path=/authenticate").unwrap();
    }

    fn granted(&mut self, cluster: &str, minute: u32, second: u32, arn: &str) {
        let (text, _) = self.logs.get_mut(cluster).unwrap();
        writeln!(text, "time=\"2026-11-20T10:{minute:02}:{second:02}Z\" level=info msg=\"access granted\" arn=\"{arn}\" client=\"127.0.0.1:40000\" groups=\"[]\" method=POST path=/authenticate uid=\"aws-iam-authenticator:{ACCOUNT}:AROA1\" username=x").unwrap();
    }

    /// A login that the authenticator refuses with this error.
    fn refused_login(&mut self, reason: &'static str, error: &str) {
        let cluster = self.cluster(reason, "API_AND_CONFIG_MAP");
        self.login(&cluster, 20, 0, &role("who"), error);
    }

    /// A login of somebody whom the mapping nearly names.
    fn near_miss(&mut self, reason: &'static str, caller: &str, mapped: &str) {
        let cluster = self.cluster(reason, "CONFIG_MAP");
        let text = format!("- rolearn: {mapped}\n  username: x\n  groups: [devs]\n");
        if mapped.contains(":user/") || caller.contains(":user/") {
            self.aws_auth(&cluster, "", &text.replace("rolearn", "userarn"));
        } else {
            self.aws_auth(&cluster, &text, "");
        }
        self.login(&cluster, 20, 0, caller, NOT_MAPPED);
    }

    /// A request that RBAC allowed and something behind it did not.
    fn refused_later(&mut self, reason: &'static str, code: u32, message: &str) {
        let cluster = self.cluster(reason, "API");
        self.event(
            &cluster,
            20,
            json!({"responseStatus": {"code": code, "status": "Failure", "message": message}}),
        );
    }

    /// A request that RBAC did not allow.
    fn forbidden(&mut self, reason: &'static str, over: Value) {
        let cluster = self.cluster(reason, "API_AND_CONFIG_MAP");
        self.forbidden_in(&cluster, over);
    }

    fn forbidden_in(&mut self, cluster: &str, over: Value) {
        let mut own = json!({"verb": "list", "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""},
            "responseStatus": {"code": 403, "reason": "Forbidden", "message": "pods is forbidden: User \"dave\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\""}});
        for (key, value) in over.as_object().unwrap() {
            own[key] = value.clone();
        }
        self.event(cluster, 20, own);
    }

    /// The answers to questions about all cases.
    fn ask(&self, questions: &[&[&str]]) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::write(logs.join("trail.json"), json!({"Records": self.trail}).to_string()).unwrap();
        for (cluster, (lines, events)) in &self.logs {
            for (stream, text) in [
                ("authenticator-0123", lines.clone()),
                (
                    "kube-apiserver-audit-0123",
                    events.iter().map(|event| format!("{event}\n")).collect(),
                ),
            ] {
                let place = logs.join(ACCOUNT).join("us-east-1").join(cluster).join(stream);
                std::fs::create_dir_all(&place).unwrap();
                if !text.is_empty() {
                    std::fs::write(place.join("log"), text).unwrap();
                }
            }
        }
        let run = |words: &[&str]| {
            let mut command = Command::cargo_bin("eksplain").unwrap();
            let command = command.current_dir(folder.path()).args(["--lake", "lake"]).args(words);
            command.assert().success().get_output().stdout.clone()
        };
        run(&["ingest", "files", "logs/trail.json"]);
        run(&[
            "ingest",
            "files",
            &format!("logs/{ACCOUNT}"),
            "--layout",
            "{region}/{cluster}/{stream}/*",
            "--account",
            ACCOUNT,
        ]);
        let at = ["--at", "2026-11-20T12:00:00Z", "-o", "json"];
        let ask = |question: &&[&str]| serde_json::from_slice(&run(&[question, &at[..]].concat())).unwrap();
        questions.iter().map(ask).collect()
    }

    /// The reason that eksplain gives for each case.
    fn answers(&self) -> BTreeMap<String, Vec<String>> {
        let answer = self.ask(&[&["denials", "--all", "--scope", "all"]]).remove(0);
        let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for finding in answer["findings"].as_array().unwrap() {
            let reason = finding["reason"].as_str().unwrap().to_owned();
            let fix = finding["fix"].as_array().unwrap();
            let is_said = |fix: &Value| !fix["title"].as_str().unwrap().is_empty();
            assert!(
                !fix.is_empty() && fix.iter().all(is_said),
                "{reason} has no fix and does not say why: {finding}"
            );
            assert!(
                reason.starts_with(&format!("{}.", finding["layer"].as_str().unwrap())),
                "{finding}"
            );
            for key in [&finding["cluster"]["name"], &finding["principal"]] {
                if let Some(key) = key.as_str() {
                    reasons.entry(key.to_owned()).or_default().push(reason.clone());
                }
            }
        }
        reasons
    }
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn aws_cases(world: &mut World) {
    let denied = |rest: &str| {
        format!(
            "User: USER is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-east-1:{ACCOUNT}:cluster/nowhere {rest}"
        )
    };
    for (reason, rest) in [
        (
            "iam.identity-policy.missing",
            "because no identity-based policy allows the eks:DescribeCluster action",
        ),
        ("iam.identity-policy.unknown", ""),
        ("iam.explicit-deny", "with an explicit deny in an identity-based policy"),
        ("iam.explicit-deny", "with an explicit deny"),
        (
            "iam.scp",
            "because no service control policy allows the eks:DescribeCluster action",
        ),
        (
            "iam.scp.explicit",
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
        ),
        ("iam.rcp", "with an explicit deny in a resource control policy"),
        (
            "iam.permissions-boundary",
            "because no permissions boundary allows the eks:DescribeCluster action",
        ),
        (
            "iam.permissions-boundary",
            "with an explicit deny in a permissions boundary",
        ),
        (
            "iam.session-policy",
            "because no session policy allows the eks:DescribeCluster action",
        ),
        ("iam.session-policy", "with an explicit deny in a sessions policy"),
        (
            "iam.resource-policy",
            "because no resource-based policy allows the eks:DescribeCluster action",
        ),
        (
            "iam.vpc-endpoint-policy",
            "because no VPC endpoint policy allows the eks:DescribeCluster action",
        ),
        (
            "iam.vpc-endpoint-policy",
            "with an explicit deny in a VPC endpoint policy",
        ),
    ] {
        world.refused_call(
            reason,
            "eks",
            "DescribeCluster",
            "AccessDeniedException",
            denied(rest).trim_end(),
        );
    }
    let pass = format!(
        "User: USER is not authorized to perform: iam:PassRole on resource: {}",
        role("eks-service")
    );
    let assume = format!(
        "User: USER is not authorized to perform: sts:AssumeRole on resource: {}",
        role("target")
    );
    for (reason, service, event, code, message) in [
        (
            "iam.pass-role",
            "eks",
            "CreateCluster",
            "AccessDeniedException",
            pass.as_str(),
        ),
        (
            "iam.organization-opt-in",
            "eks",
            "ListClusters",
            "OptInRequired",
            "The AWS Access Key Id needs a subscription for the service",
        ),
        (
            "iam.organization-opt-in",
            "sts",
            "GetCallerIdentity",
            "RegionDisabledException",
            "STS is not activated in this region",
        ),
        ("sts.trust-policy", "sts", "AssumeRole", "AccessDenied", assume.as_str()),
        (
            "sts.web-identity",
            "sts",
            "AssumeRoleWithWebIdentity",
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        (
            "sts.web-identity",
            "sts",
            "AssumeRoleWithWebIdentity",
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account",
        ),
        (
            "sts.service-role-trust",
            "eks",
            "CreateCluster",
            "InvalidParameterException",
            "Role with arn: x, could not be assumed because it does not exist or the trusted entity is not correct",
        ),
        (
            "sts.invalid-token",
            "sts",
            "GetCallerIdentity",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        (
            "sts.invalid-token",
            "eks",
            "ListClusters",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "sts.expired-token",
            "eks",
            "ListClusters",
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        (
            "sts.signature",
            "sts",
            "GetCallerIdentity",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
        ),
        (
            "eks.auth-mode",
            "eks",
            "CreateAccessEntry",
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
        ),
        (
            "eks.access-entry.invalid-principal",
            "eks",
            "CreateAccessEntry",
            "InvalidParameterException",
            "The specified principalArn is invalid: invalid principal.",
        ),
        (
            "eks.access-entry.exists",
            "eks",
            "CreateAccessEntry",
            "ResourceInUseException",
            "The specified access entry resource is already in use on this cluster.",
        ),
        (
            "eks.access-entry.system-group",
            "eks",
            "CreateAccessEntry",
            "InvalidParameterException",
            "The kubernetes group name system:masters is invalid, it cannot start with system:",
        ),
        (
            "eks.access-entry.system-user",
            "eks",
            "CreateAccessEntry",
            "InvalidParameterException",
            "The username must not begin with system:",
        ),
        (
            "eks.cluster.not-found",
            "eks",
            "DescribeCluster",
            "ResourceNotFoundException",
            "No cluster found for name: nowhere.",
        ),
        (
            "eks.throttled",
            "eks",
            "DescribeCluster",
            "ThrottlingException",
            "Rate exceeded",
        ),
    ] {
        world.refused_call(reason, service, event, code, message);
    }
    let trusted = format!("{assume} because no role trust policy allows the sts:AssumeRole action");
    world.refused_call("sts.trust-policy", "sts", "AssumeRole", "AccessDenied", &trusted);
}

fn login_cases(world: &mut World) {
    let sts = |code: &str, message: &str| {
        format!(
            "sts getCallerIdentity failed: error from AWS (expected 200, got 403) on us-east-1 endpoint. Body: {{\"Error\":{{\"Code\":\"{code}\",\"Message\":\"{message}\",\"Type\":\"Sender\"}},\"RequestId\":\"1\"}}"
        )
    };
    for (reason, error) in [
        ("authn.token.expired", "input token was not properly formatted: X-Amz-Date parameter is expired (15 minute expiration) 2026-11-20 09:00:00 +0000 UTC".to_owned()),
        ("authn.token.malformed", "input token was not properly formatted: token is missing expected \"k8s-aws-v1.\" prefix".to_owned()),
        ("authn.token.malformed", "input token was not properly formatted: illegal base64 data at input byte 3".to_owned()),
        ("authn.token.wrong-cluster", "input token was not properly formatted: client did not sign the x-k8s-aws-id header in the pre-signed URL".to_owned()),
        ("authn.token.wrong-partition", "input token was not properly formatted: unexpected hostname \"sts.cn-north-1.amazonaws.com.cn\" in pre-signed URL".to_owned()),
        ("authn.sts.invalid-token", sts("InvalidClientTokenId", "The security token included in the request is invalid")),
        ("authn.sts.expired", sts("ExpiredToken", "The security token included in the request is expired")),
        ("authn.sts.signature", sts("SignatureDoesNotMatch", "The request signature we calculated does not match")),
        ("authn.token.clock-skew", sts("SignatureDoesNotMatch", "Signature not yet current: 20261120T110000Z is still later than 20261120T100500Z")),
        ("authn.sts.denied", sts("AccessDenied", "denied")),
        ("authn.sts.unreachable", "sts getCallerIdentity failed: error during GET: dial tcp 1.2.3.4:443: i/o timeout on us-east-1 endpoint".to_owned()),
        ("authn.sts.throttled", "sts getCallerIdentity was throttled: Rate exceeded".to_owned()),
        ("authn.template", "mapper DynamicFile renderTemplates error: error rendering username template \"system:node:{{EC2PrivateDNSName}}\": SessionName did not contain an instance id".to_owned()),
        ("authn.reserved-username", "invalid username 'system:admin' for mapper EKSConfigMap: username must not begin with with the following prefixes: [system: eks: aws: amazon: iam:]".to_owned()),
        ("authn.access-entry.renamed", "ARN does not match User ID".to_owned()),
    ] {
        world.refused_login(reason, &error);
    }
    let sso = "AWSReservedSSO_Admin_0123456789abcdef";
    let user = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    for (reason, caller, mapped) in [
        (
            "authn.near-miss.sso-path",
            role(sso),
            format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{sso}"),
        ),
        (
            "authn.near-miss.role-path",
            role("deployer"),
            format!("arn:aws:iam::{ACCOUNT}:role/ci/deployer"),
        ),
        ("authn.near-miss.user-path", user("ops/bob"), user("bob")),
        (
            "authn.near-miss.assumed-role-arn",
            role("deployer"),
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me"),
        ),
        (
            "authn.near-miss.wrong-account",
            role("deployer"),
            "arn:aws:iam::999988887777:role/deployer".to_owned(),
        ),
        (
            "authn.near-miss.partition",
            role("deployer"),
            format!("arn:aws-cn:iam::{ACCOUNT}:role/deployer"),
        ),
        (
            "authn.near-miss.wildcard",
            role("deploy-eu"),
            format!("arn:aws:iam::{ACCOUNT}:role/deploy-*"),
        ),
        (
            "authn.near-miss.sso-suffix",
            role(sso),
            role("AWSReservedSSO_Admin_fedcba9876543210"),
        ),
        ("authn.near-miss.name-typo", role("deployer"), role("deploier")),
        (
            "authn.near-miss.whitespace",
            role("deployer"),
            format!("'{} '", role("deployer")),
        ),
        (
            "authn.near-miss.group-arn",
            user("bob"),
            format!("arn:aws:iam::{ACCOUNT}:group/admins"),
        ),
        ("authn.not-mapped", role("deployer"), role("somebody-else-entirely")),
    ] {
        world.near_miss(reason, &caller, &mapped);
    }

    let cluster = world.cluster("authn.aws-auth.malformed", "CONFIG_MAP");
    world.aws_auth(
        &cluster,
        &format!("- rolearn: {}\n groups: [devs]\n  username: [x\n", role("who")),
        "",
    );
    world.login(&cluster, 20, 0, &role("who"), NOT_MAPPED);

    let cluster = world.cluster("authn.aws-auth.missing", "CONFIG_MAP");
    world.aws_auth(&cluster, "[]", "");
    world.write(
        &cluster,
        "delete",
        "configmaps",
        "",
        json!({"metadata": {"name": "aws-auth", "namespace": "kube-system"}}),
    );
    world.login(&cluster, 20, 0, &role("who"), NOT_MAPPED);

    let cluster = world.cluster("authn.aws-auth.ignored", "API");
    world.aws_auth(
        &cluster,
        &format!("- rolearn: {}\n  username: x\n  groups: [devs]\n", role("who")),
        "",
    );
    world.login(&cluster, 20, 0, &role("who"), NOT_MAPPED);

    let entry = |world: &mut World, cluster: &str, name: &str, minute: u32| {
        let request = json!({"name": cluster, "principalArn": role(name)});
        let response = json!({"accessEntry": {"clusterName": cluster, "principalArn": role(name), "createdAt": 1_795_168_800.0 + f64::from(minute) * 60.0}});
        world.call(
            minute,
            "admin",
            "eks",
            "CreateAccessEntry",
            json!({"requestParameters": request, "responseElements": response}),
        );
    };
    let cluster = world.cluster("authn.access-entry.stale-id", "API");
    entry(world, &cluster, "reborn", 2);
    for (minute, event) in [(6, "DeleteRole"), (7, "CreateRole")] {
        world.call(minute, "admin", "iam", event, json!({"requestParameters": {"roleName": "reborn"}, "responseElements": {"role": {"roleName": "reborn", "arn": role("reborn"), "roleId": "AROA2"}}}));
    }
    world.login(&cluster, 20, 0, &role("reborn"), NOT_MAPPED);

    let cluster = world.cluster("authn.access-entry.propagating", "API");
    entry(world, &cluster, "early", 20);
    world.login(&cluster, 20, 15, &role("early"), NOT_MAPPED);
    world.granted(&cluster, 22, 0, &role("early"));

    let cluster = world.cluster("authn.principal.deleted", "API");
    world.call(
        6,
        "admin",
        "iam",
        "DeleteRole",
        json!({"requestParameters": {"roleName": "gone"}}),
    );
    world.login(&cluster, 20, 0, &role("gone"), NOT_MAPPED);

    let cluster = world.cluster("authn.unknown", "API");
    let nobody = json!({"user": {}, "annotations": {}, "responseStatus": {"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}});
    world.event(&cluster, 20, nobody.clone());

    let with = |over: Value| {
        let mut event = nobody.clone();
        for (key, value) in over.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    };
    let cluster = world.cluster("authn.serviceaccount.expired", "API");
    world.granted(&cluster, 10, 0, &role("who"));
    world.event(
        &cluster,
        20,
        with(json!({"userAgent": "controller/v0.0.0 (linux/amd64)", "sourceIPs": ["10.0.3.7"]})),
    );

    let cluster = world.cluster("authn.oidc", "API");
    world.granted(&cluster, 10, 0, &role("who"));
    let request = json!({"name": cluster, "oidc": {"issuerUrl": "https://login.example.com"}});
    world.call(
        3,
        "admin",
        "eks",
        "AssociateIdentityProviderConfig",
        json!({"requestParameters": request}),
    );
    world.event(&cluster, 20, nobody);
}

fn request_cases(world: &mut World) {
    for (reason, code, message) in [
        (
            "admission.webhook",
            403,
            "admission webhook \"validation.gatekeeper.sh\" denied the request: [no-latest] tag",
        ),
        (
            "admission.webhook",
            400,
            "admission webhook \"x.example.com\" denied the request: no",
        ),
        (
            "admission.webhook.unavailable",
            500,
            "Internal error occurred: failed calling webhook \"x.example.com\": failed to call webhook: context deadline exceeded",
        ),
        (
            "admission.policy",
            422,
            "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        ),
        (
            "admission.quota",
            403,
            "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5",
        ),
        (
            "admission.quota",
            403,
            "pods \"x\" is forbidden: failed quota: q: must specify limits.cpu",
        ),
        (
            "admission.limitrange",
            403,
            "pods \"x\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            "admission.pod-security",
            403,
            "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
        ),
        (
            "admission.namespace-terminating",
            403,
            "pods \"x\" is forbidden: unable to create new content in namespace dev because it is being terminated",
        ),
        ("admission.namespace-not-found", 404, "namespaces \"dev\" not found"),
        (
            "admission.serviceaccount",
            403,
            "pods \"x\" is forbidden: error looking up service account dev/app: serviceaccount \"app\" not found",
        ),
        (
            "admission.denied",
            403,
            "pods \"x\" is forbidden: a plugin of which nobody has heard",
        ),
        (
            "apiserver.invalid",
            422,
            "Pod \"x\" is invalid: spec.containers: Required value",
        ),
        (
            "apiserver.conflict",
            409,
            "Operation cannot be fulfilled on pods \"x\": the object has been modified",
        ),
        ("apiserver.not-found", 404, "pods \"x\" not found"),
        ("apiserver.bad-request", 400, "the request is bad"),
        ("apiserver.throttled", 429, "too many requests"),
        (
            "apiserver.unavailable",
            503,
            "the server is currently unable to handle the request",
        ),
        ("apiserver.internal", 500, "Internal error occurred: something"),
        (
            "authz.rbac.escalation",
            403,
            "roles.rbac.authorization.k8s.io \"x\" is forbidden: user \"dave\" (groups=[\"devs\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}",
        ),
    ] {
        world.refused_later(reason, code, message);
    }
    let forbid =
        |reason: &str| json!({"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": reason});
    world.forbidden("authz.rbac.no-binding", json!({}));
    world.forbidden(
        "authz.anonymous",
        json!({"user": {"username": "system:anonymous", "groups": ["system:unauthenticated"]}}),
    );
    world.forbidden(
        "authz.node",
        json!({"user": {"username": "system:node:ip-10-0-0-1.ec2.internal", "groups": ["system:nodes"]},
        "annotations": forbid("no relationship found between node 'ip-10-0-0-1.ec2.internal' and this object")}),
    );
    world.forbidden("authz.impersonate", json!({"annotations": {},
        "responseStatus": {"code": 403, "message": "users \"alice\" is forbidden: User \"dave\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"}}));
    world.forbidden("authz.error", json!({"annotations": {"authorization.k8s.io/reason": "internal error"}, "responseStatus": {"code": 500, "message": "Internal Server Error"}}));

    let binding = |subject: Value, role: &str| json!({"metadata": {"name": "b"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": [subject]});
    let rbac = "rbac.authorization.k8s.io";
    let cluster = world.cluster("authz.rbac.role-missing", "API_AND_CONFIG_MAP");
    world.write(
        &cluster,
        "create",
        "clusterrolebindings",
        rbac,
        binding(json!({"kind": "User", "name": "dave"}), "nothere"),
    );
    world.forbidden_in(&cluster, json!({"responseStatus": {"code": 403, "message": "pods is forbidden: User \"dave\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\": RBAC: clusterrole.rbac.authorization.k8s.io \"nothere\" not found"}}));

    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/dev/monday");
    let cluster = world.cluster("authz.rbac.username-session", "API");
    world.write(
        &cluster,
        "create",
        "clusterroles",
        rbac,
        json!({"metadata": {"name": "pods"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}),
    );
    world.write(
        &cluster,
        "create",
        "clusterrolebindings",
        rbac,
        binding(json!({"kind": "User", "name": session}), "pods"),
    );
    world.forbidden_in(
        &cluster,
        json!({"user": {"username": session.replace("monday", "tuesday"), "groups": ["system:authenticated"]}}),
    );

    let cluster = world.cluster("authz.rbac.near-miss.subject-kind", "API");
    world.write(
        &cluster,
        "create",
        "clusterroles",
        rbac,
        json!({"metadata": {"name": "pods"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}),
    );
    world.write(
        &cluster,
        "create",
        "clusterrolebindings",
        rbac,
        binding(json!({"kind": "User", "name": "devs"}), "pods"),
    );
    world.forbidden_in(
        &cluster,
        json!({"user": {"username": "dave", "groups": ["devs", "system:authenticated"]}}),
    );

    let kubelet = json!({"verb": "patch", "user": {"username": "system:node:x", "groups": ["system:nodes"]},
        "responseStatus": {"code": 403, "message": "nodes \"y\" is forbidden: node \"x\" is not allowed to modify node \"y\""}});
    let cluster = world.cluster("admission.noderestriction", "API");
    world.event(&cluster, 20, kubelet);

    // A cluster whose beginning no log shows: what binds the service account cannot be known.
    let account = json!({"user": {"username": "system:serviceaccount:dev:app", "groups": ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"]}});
    world.logs.insert("old".to_owned(), Default::default());
    world.expected.push(("old".to_owned(), "authz.serviceaccount"));
    world.forbidden_in("old", account.clone());
    world.forbidden("authz.rbac.no-binding", account);
}

fn every_case() -> World {
    let mut world = World::default();
    aws_cases(&mut world);
    login_cases(&mut world);
    request_cases(&mut world);
    world
}

#[test]
fn every_command_of_the_answers_is_one_that_its_cli_takes() {
    let questions: [&[&str]; 3] = [&["denials", "--all", "--scope", "all"], &["creators"], &["check"]];
    cli::check(&every_case().ask(&questions));
}

#[test]
fn every_reason_is_given_for_what_it_stands_for() {
    let world = every_case();
    let answers = world.answers();
    let none = Vec::new();
    let wrong: Vec<String> = world
        .expected
        .iter()
        .filter(|(case, reason)| answers.get(case).unwrap_or(&none) != &[*reason])
        .map(|(case, reason)| {
            format!(
                "{case}: {reason} expected, {:?} given",
                answers.get(case).unwrap_or(&none)
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        world.expected.len(),
        wrong.join("\n")
    );
}
