//! Fixes in small worlds: each lets exactly the refused call through, in the right order, keeps what is there, and is a command that
//! its CLI takes.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

mod cli;
mod support;

use support::logs::{self, Caller};
use support::snapshot;
use support::{ACCOUNT, CLUSTER_ADMIN, Lab, fixes, role, user};

const AT: &str = "2026-04-20T00:00:00Z";
const OPS: Caller<'static> = Caller::User("ops-admin");
const SSO: &str = "AWSReservedSSO_Devs_1f9ff1a193c80000";

fn birth(mode: &str) -> Value {
    logs::create_cluster("2026-04-01T09:00:00Z", &OPS, "prod", mode)
}

fn refused_login(lab: &Lab, arn: &str, session: Option<&str>) {
    let name = arn.rsplit('/').next().unwrap();
    let sts = session.map(|session| {
        let assumed = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}");
        logs::sts_line(
            "2026-04-10T10:00:00Z",
            &assumed,
            "ASIAEXAMPLE1",
            session,
            "AROAWHO",
            41000,
        )
    });
    lab.authenticator(
        &[
            sts.unwrap_or_default(),
            logs::denied_line("2026-04-10T10:00:00Z", arn, 41000),
        ]
        .concat(),
    );
}

fn refused(user: Value, verb: &str, object: Value) -> Value {
    logs::forbidden("2026-04-10T10:00:00Z", user, verb, object)
}

fn dave() -> Value {
    json!({"username": "dave", "groups": ["system:authenticated"]})
}

/// Asks every question that prints commands, has the commands parsed, and gives the denials.
fn asked(lab: &Lab) -> support::Answer {
    let denials = lab.ask(&["denials", "--all"], AT);
    let others = [lab.ask(&["creators"], AT).json, lab.ask(&["check"], AT).json];
    cli::check(&[&[denials.json.clone()][..], &others].concat());
    denials
}

/// The commands of all fixes of the only denial.
fn commands(lab: &Lab) -> String {
    let denials = asked(lab);
    assert_eq!(denials.findings().len(), 1, "{}", denials.json);
    fixes(&denials.findings()[0]).join("\n")
}

fn place_of(text: &str, part: &str) -> usize {
    text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"))
}

#[test]
fn the_mode_decides_how_a_caller_is_admitted() {
    let of = |mode: &str| {
        let lab = Lab::new();
        lab.trail(&[birth(mode)]);
        refused_login(&lab, &role("dev"), None);
        commands(&lab)
    };
    let config_map = of("CONFIG_MAP");
    let order = [
        "eksctl create iamidentitymapping",
        "update-cluster-config",
        "wait cluster-active",
        "create-access-entry",
    ];
    assert!(
        order.map(|part| place_of(&config_map, part)).is_sorted(),
        "{config_map}"
    );
    let both = of("API_AND_CONFIG_MAP");
    assert!(
        place_of(&both, "create-access-entry") < place_of(&both, "eksctl"),
        "{both}"
    );
    let api = of("API");
    assert!(api.contains("create-access-entry") && !api.contains("eksctl"), "{api}");
    assert!(!api.contains("update-cluster-config"), "{api}");
    let lab = Lab::new();
    refused_login(&lab, &role("dev"), None);
    let unknown = commands(&lab);
    assert!(
        place_of(&unknown, "describe-cluster") < place_of(&unknown, "create-access-entry"),
        "{unknown}"
    );
}

#[test]
fn a_path_that_any_record_shows_is_in_the_entry_and_not_in_the_mapping() {
    let lab = Lab::new();
    let long = format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}");
    let caller = format!("aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}");
    let look = logs::call(
        "2026-04-02T09:00:00Z",
        &Caller::Session(&caller, "ann"),
        "eks",
        "TagResource",
        json!({"resourceArn": "x"}),
        Value::Null,
    );
    lab.trail(&[birth("API_AND_CONFIG_MAP"), look]);
    refused_login(&lab, &role(SSO), Some("ann"));
    let text = commands(&lab);
    let lines: Vec<&str> = text.lines().collect();
    let of = |part: &str| {
        *lines
            .iter()
            .find(|line| line.starts_with(part))
            .unwrap_or_else(|| panic!("{part}: {text}"))
    };
    assert!(of("aws eks create-access-entry").contains(&long), "{text}");
    assert!(of("eksctl").contains(&role(SSO)), "{text}");

    // No record shows it: IAM is asked.
    let lab = Lab::new();
    lab.trail(&[birth("API")]);
    refused_login(&lab, &role(SSO), None);
    let text = commands(&lab);
    assert!(
        text.contains(&format!("--principal-arn \"$(aws iam get-role --role-name {SSO}")),
        "{text}"
    );
}

#[test]
fn a_node_gets_an_entry_for_nodes_and_no_policy() {
    let lab = Lab::new();
    lab.trail(&[birth("API_AND_CONFIG_MAP")]);
    refused_login(&lab, &role("pool-node"), Some("i-0123456789abcdef0"));
    let text = commands(&lab);
    assert!(
        text.contains("--type EC2_LINUX") && !text.contains("AmazonEKSViewPolicy"),
        "{text}"
    );
    assert!(
        text.contains("--group system:bootstrappers --group system:nodes"),
        "{text}"
    );
}

#[test]
fn a_scope_is_widened_and_not_replaced() {
    let lab = Lab::new();
    lab.trail(&[
        birth("API"),
        logs::create_entry("2026-04-01T10:00:00Z", &OPS, &user("tess")),
        logs::associate(
            "2026-04-01T10:01:00Z",
            &OPS,
            &user("tess"),
            "AmazonEKSEditPolicy",
            &["dev", "stage"],
        ),
    ]);
    let tess = logs::iam_user(&user("tess"), &[], "tess");
    lab.audit(&[refused(
        tess,
        "list",
        json!({"resource": "pods", "apiVersion": "v1", "namespace": "prod"}),
    )]);
    let denials = asked(&lab);
    let denial = denials.reason("authz.access-policy.scope");
    let first = &fixes(denial)[0];
    assert!(
        first.contains("AmazonEKSEditPolicy --access-scope type=namespace,namespaces=dev,stage,prod"),
        "{first}"
    );
    assert!(!fixes(denial).join("\n").contains(CLUSTER_ADMIN), "{denial}");
}

#[test]
fn what_would_give_power_over_access_is_warned_of_and_not_granted() {
    let rbac = "rbac.authorization.k8s.io";
    for (verb, object) in [
        (
            "create",
            json!({"resource": "clusterrolebindings", "apiGroup": rbac, "apiVersion": "v1"}),
        ),
        (
            "patch",
            json!({"resource": "rolebindings", "apiGroup": rbac, "apiVersion": "v1", "namespace": "dev", "name": "b"}),
        ),
        (
            "escalate",
            json!({"resource": "clusterroles", "apiGroup": rbac, "apiVersion": "v1", "name": "r"}),
        ),
        (
            "create",
            json!({"resource": "serviceaccounts", "subresource": "token", "apiVersion": "v1", "namespace": "kube-system", "name": "x"}),
        ),
        (
            "update",
            json!({"resource": "configmaps", "apiVersion": "v1", "namespace": "kube-system", "name": "aws-auth"}),
        ),
    ] {
        let lab = Lab::new();
        lab.trail(&[birth("API")]);
        lab.audit(&[refused(dave(), verb, object.clone())]);
        let text = commands(&lab);
        assert_eq!(text, "", "{verb} {object}");
    }
    for action in [
        "iam:CreateRole",
        "iam:AttachRolePolicy",
        "iam:PutRolePolicy",
        "iam:PassRole",
        "eks:CreateAccessEntry",
    ] {
        let lab = Lab::new();
        let (service, name) = action.split_once(':').unwrap();
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {} because no identity-based policy allows the {action} action",
            user("eve"),
            role("x")
        );
        let call = logs::refused_call(
            "2026-04-10T10:00:00Z",
            &Caller::User("eve"),
            service,
            name,
            json!({"name": "prod"}),
            ("AccessDenied", &message),
        );
        lab.trail(&[birth("API"), call]);
        let denials = asked(&lab);
        let text = denials.findings()[0]["fix"].to_string();
        assert!(
            !text.contains("put-user-policy") && text.contains("Do not grant"),
            "{text}"
        );
    }
}

#[test]
fn impersonation_is_granted_by_name_or_not_at_all() {
    let of = |what: &str, name: &str| {
        let lab = Lab::new();
        lab.trail(&[birth("API")]);
        let mut event = refused(
            dave(),
            "list",
            json!({"resource": "pods", "apiVersion": "v1", "namespace": "dev"}),
        );
        event["annotations"] = json!({});
        event["responseStatus"]["message"] = json!(format!(
            "{what} {name:?} is forbidden: User \"dave\" cannot impersonate resource {what:?} in API group \"\" at the cluster scope"
        ));
        lab.audit(&[event]);
        let denials = asked(&lab);
        fixes(denials.reason("authz.impersonate")).join("\n")
    };
    assert!(of("users", "alice").contains("--verb=impersonate --resource=users --resource-name=alice"));
    assert!(of("groups", "devs").contains("--resource=groups --resource-name=devs"));
    assert_eq!(of("groups", "system:masters"), "");
    assert_eq!(of("serviceaccounts", "system:x"), "");
}

#[test]
fn a_name_in_the_request_is_a_name_in_the_rule() {
    let lab = Lab::new();
    lab.trail(&[birth("API")]);
    let get = |name: &str| {
        refused(
            dave(),
            "get",
            json!({"resource": "secrets", "apiVersion": "v1", "namespace": "dev", "name": name}),
        )
    };
    lab.audit(&[get("token-a"), get("token-b")]);
    let text = commands(&lab);
    assert!(
        text.contains("--resource=secrets --resource-name=token-a --resource-name=token-b"),
        "{text}"
    );
    assert!(text.contains("\"resourceNames\""), "{text}");
}

#[test]
fn what_was_mistyped_is_corrected_and_not_bound() {
    let bound = |binding: &Value, resource: &str, role: Option<Value>| {
        let lab = Lab::new();
        let admin = || logs::iam_user("kubernetes-admin", &["system:masters"], "ops-admin");
        lab.trail(&[birth("API")]);
        let role = role.map(|role| logs::write_rbac("2026-04-02T09:00:00Z", admin(), "create", "clusterroles", &role));
        let binding = logs::write_rbac("2026-04-02T09:01:00Z", admin(), "create", resource, binding);
        lab.audit(&role.into_iter().chain([binding, refused(dave(), "list", json!({"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1", "namespace": "payments"}))]).collect::<Vec<_>>());
        commands(&lab)
    };
    let case = bound(
        &snapshot::role_binding("payments", "team", "view", snapshot::user_subject("Dave")),
        "rolebindings",
        None,
    );
    assert!(
        case.contains("kubectl patch")
            && case.contains("-n payments rolebinding team")
            && !case.contains("kubectl create"),
        "{case}"
    );
    let namespace = bound(
        &snapshot::role_binding("paymnts", "team", "view", snapshot::user_subject("dave")),
        "rolebindings",
        None,
    );
    assert!(
        namespace.contains("-n paymnts") && !namespace.contains("kubectl create"),
        "{namespace}"
    );
    let rules = json!([{"apiGroups": [""], "resources": ["pods", "deployments"], "verbs": ["list"]}]);
    let group = bound(
        &snapshot::cluster_role_binding("team", "lister", snapshot::user_subject("dave")),
        "clusterrolebindings",
        Some(snapshot::cluster_role("lister", rules)),
    );
    assert!(
        group.contains("clusterrole lister") && group.contains("\"apps\""),
        "{group}"
    );
}

#[test]
fn a_role_of_identity_center_is_never_edited() {
    let lab = Lab::new();
    let path = format!("aws-reserved/sso.amazonaws.com/{SSO}");
    let message = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/{SSO}/ann is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:{ACCOUNT}:cluster/prod because no identity-based policy allows the eks:DescribeCluster action"
    );
    let call = logs::refused_call(
        "2026-04-10T10:00:00Z",
        &Caller::Session(&path, "ann"),
        "eks",
        "DescribeCluster",
        json!({"name": "prod"}),
        ("AccessDeniedException", &message),
    );
    let assume = format!(
        "User: {} is not authorized to perform: sts:TagSession on resource: {} because no role trust policy allows the sts:TagSession action",
        user("ann"),
        role("target")
    );
    let tag = logs::refused_call(
        "2026-04-10T10:00:00Z",
        &Caller::User("ann"),
        "sts",
        "AssumeRole",
        json!({"roleArn": role("target")}),
        ("AccessDenied", &assume),
    );
    lab.trail(&[birth("API"), call, tag]);
    let denials = asked(&lab);
    let text = denials.json.to_string();
    assert!(
        !text.contains("put-role-policy") && text.contains("put-inline-policy-to-permission-set"),
        "{text}"
    );
    let trust = fixes(denials.reason("sts.trust-policy")).join("\n");
    assert!(
        trust.contains("sts:TagSession"),
        "the refused action is the granted one: {trust}"
    );
}

#[test]
fn a_renamed_creator_is_renamed_back() {
    let lab = Lab::new();
    let rename = logs::call(
        "2026-04-05T09:00:00Z",
        &OPS,
        "iam",
        "UpdateUser",
        json!({"userName": "maria", "newUserName": "maria.k"}),
        Value::Null,
    );
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &Caller::User("maria"), "prod", "CONFIG_MAP"),
        rename,
    ]);
    let creators = lab.ask(&["creators"], AT);
    let recovery = &creators.findings()[0]["recovery"];
    let text = recovery.to_string();
    assert!(
        text.contains("aws iam update-user --user-name maria.k --new-user-name maria"),
        "{text}"
    );
    assert!(!text.contains("create-user"), "{text}");
    assert!(recovery["why"].as_str().unwrap().contains("renamed to"), "{text}");
    cli::check(&[creators.json]);
}

#[test]
fn a_creator_without_admin_rights_is_no_way_in() {
    let lab = Lab::new();
    let mut made = logs::create_cluster(
        "2026-04-01T09:00:00Z",
        &Caller::Session("ci/prod/Deployer", "run"),
        "prod",
        "API",
    );
    for half in ["requestParameters", "responseElements"] {
        let at = if half == "requestParameters" {
            "/accessConfig"
        } else {
            "/cluster/accessConfig"
        };
        if let Some(access) = made[half].pointer_mut(at) {
            access["bootstrapClusterCreatorAdminPermissions"] = json!(false);
        }
    }
    lab.trail(&[made]);
    let creators = lab.ask(&["creators"], AT);
    let options = creators.findings()[0]["recovery"]["options"]
        .as_array()
        .unwrap()
        .clone();
    let of = |title: &str| {
        options
            .iter()
            .find(|option| option["title"].as_str().unwrap().starts_with(title))
            .unwrap_or_else(|| panic!("{title}: {options:?}"))
    };
    assert_eq!(of("Assume")["works"], "no");
    assert!(
        of("Assume")["commands"].to_string().contains("role/ci/prod/Deployer"),
        "{options:?}"
    );
    assert_eq!(of("What does not work")["works"], "no");
    assert_eq!(of("If IAM itself")["works"], "depends");
    cli::check(&[creators.json]);
}
