//! Every kind of file that people have: read, passed over, or refused with the way that works.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::PathBuf;

use serde_json::{Value, json};

mod folder;

use folder::{Folder, GRANT};

const MARK: &str = "--taken-at=2026-11-23T10:00:00Z";
const HINTS: [&str; 4] = ["--account=111122223333", "--region=us-west-2", "--cluster=prod", MARK];

fn binding(name: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name,
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}\n"}},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "ann"}]})
}

fn role_binding(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name, "namespace": namespace}})
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

fn aws_auth() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"},
        "data": {"mapRoles": "- rolearn: arn:aws:iam::111122223333:role/Ops\n  username: ops\n  groups:\n  - system:masters\n"}})
}

fn cluster() -> Value {
    json!({"cluster": {"name": "shop", "arn": "arn:aws:eks:eu-west-1:444455556666:cluster/shop", "createdAt": "2026-01-01T12:00:00+02:00",
        "version": "1.33", "status": "ACTIVE", "accessConfig": {"authenticationMode": "API"},
        "logging": {"clusterLogging": [{"types": ["audit"], "enabled": true}]}, "certificateAuthority": {"data": "QUJD"}}})
}

fn entry() -> Value {
    json!({"accessEntry": {"clusterName": "shop", "principalArn": "arn:aws:iam::444455556666:role/Ops", "kubernetesGroups": ["ops"],
        "accessEntryArn": "arn:aws:eks:eu-west-1:444455556666:access-entry/shop/role/444455556666/Ops/1",
        "createdAt": "2026-02-01T10:00:00.500000+00:00", "username": "ops", "type": "STANDARD", "tags": {}}})
}

fn role() -> Value {
    json!({"Path": "/", "RoleName": "Ops", "RoleId": "AROAEXAMPLE", "Arn": "arn:aws:iam::444455556666:role/Ops",
        "CreateDate": "2025-09-01T00:00:00+00:00", "RoleLastUsed": {"LastUsedDate": "2026-10-01T00:00:00+00:00", "Region": "eu-west-1"},
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}, "MaxSessionDuration": 3600})
}

fn service_role() -> Value {
    json!({"Path": "/aws-service-role/support.amazonaws.com/", "RoleName": "AWSServiceRoleForSupport", "RoleId": "AROASUPPORT",
        "Arn": "arn:aws:iam::444455556666:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport",
        "CreateDate": "2020-01-01T00:00:00+00:00"})
}

/// As a person reads a record: `kind name account region cluster`.
type Record = &'static str;

/// Every answer that shows present state, as JSON, with the records that it comes to.
fn states() -> Vec<(&'static str, Value, Vec<Record>)> {
    vec![
        (
            "kubectl get configmap aws-auth",
            aws_auth(),
            vec!["config_map aws-auth 111122223333 us-west-2 prod"],
        ),
        (
            "kubectl get clusterrolebinding a b",
            list(&[binding("a"), binding("b")]),
            vec![
                "cluster_role_binding a 111122223333 us-west-2 prod",
                "cluster_role_binding b 111122223333 us-west-2 prod",
            ],
        ),
        (
            "kubectl get clusterrolebindings",
            list(&[binding("a"), binding("cluster-admin")]),
            vec![
                "cluster_role_binding a 111122223333 us-west-2 prod",
                "cluster_role_binding cluster-admin 111122223333 us-west-2 prod",
                "list cluster_role_bindings 111122223333 us-west-2 prod",
            ],
        ),
        (
            "kubectl get rolebindings -A",
            list(&[
                role_binding("kube-system", "system:controller:bootstrap-signer"),
                role_binding("dev", "b"),
            ]),
            vec![
                "list role_bindings 111122223333 us-west-2 prod",
                "role_binding b 111122223333 us-west-2 prod",
                "role_binding system:controller:bootstrap-signer 111122223333 us-west-2 prod",
            ],
        ),
        (
            "kubectl get rolebindings -n dev",
            list(&[role_binding("dev", "a"), role_binding("dev", "b")]),
            vec![
                "role_binding a 111122223333 us-west-2 prod",
                "role_binding b 111122223333 us-west-2 prod",
            ],
        ),
        (
            "kubectl get --raw …/namespaces/dev/rolebindings",
            json!({"kind": "RoleBindingList", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"resourceVersion": "12"},
                "items": [{"metadata": {"name": "a", "namespace": "dev"}}]}),
            vec![
                "list role_bindings:dev 111122223333 us-west-2 prod",
                "role_binding a 111122223333 us-west-2 prod",
            ],
        ),
        (
            "kubectl get --raw with limit=1",
            json!({"kind": "ClusterRoleList", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"resourceVersion": "12", "continue": "x"},
                "items": [{"metadata": {"name": "cluster-admin"}}]}),
            vec!["cluster_role cluster-admin 111122223333 us-west-2 prod"],
        ),
        (
            "kubectl get configmaps -n kube-system",
            list(&[
                aws_auth(),
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}}),
            ]),
            vec!["config_map aws-auth 111122223333 us-west-2 prod"],
        ),
        (
            "aws eks describe-cluster",
            cluster(),
            vec!["cluster shop 444455556666 eu-west-1 shop"],
        ),
        (
            "aws eks list-clusters",
            json!({"clusters": ["prod", "shop"]}),
            vec!["list clusters 111122223333 us-west-2 "],
        ),
        (
            "aws eks list-access-entries",
            json!({"accessEntries": ["arn:aws:iam::111122223333:role/Ops"]}),
            vec!["list access_entries 111122223333 us-west-2 prod"],
        ),
        (
            "aws eks list-access-entries --max-items 1",
            json!({"accessEntries": ["arn:aws:iam::111122223333:role/Ops"], "nextToken": "x"}),
            vec![],
        ),
        (
            "aws eks describe-access-entry",
            entry(),
            vec!["access_entry arn:aws:iam::444455556666:role/Ops 444455556666 eu-west-1 shop"],
        ),
        (
            "aws eks list-associated-access-policies",
            json!({"clusterName": "prod", "principalArn": "arn:aws:iam::111122223333:role/Ops", "associatedAccessPolicies": [
                {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "accessScope": {"type": "namespace", "namespaces": ["dev"]},
                 "associatedAt": "2026-02-01T10:01:00+00:00", "modifiedAt": "2026-02-01T10:01:00+00:00"}]}),
            vec![
                "access_policy_association arn:aws:iam::111122223333:role/Ops 111122223333 us-west-2 prod",
                "list access_policy_associations:arn:aws:iam::111122223333:role/Ops 111122223333 us-west-2 prod",
            ],
        ),
        (
            "aws iam get-role",
            json!({"Role": role()}),
            vec!["iam_role Ops 444455556666  "],
        ),
        (
            "aws iam get-user",
            json!({"User": {"Path": "/", "UserName": "ann", "UserId": "AIDAEXAMPLE", "Arn": "arn:aws:iam::444455556666:user/ann", "CreateDate": "2025-09-01T00:00:00+00:00"}}),
            vec!["iam_user ann 444455556666  "],
        ),
        (
            "aws iam list-roles --path-prefix /x/",
            json!({"Roles": [role()]}),
            vec!["iam_role Ops 444455556666  "],
        ),
        (
            "aws iam list-roles",
            json!({"Roles": [role(), service_role()]}),
            vec![
                "iam_role AWSServiceRoleForSupport 444455556666  ",
                "iam_role Ops 444455556666  ",
                "list iam_roles 444455556666  ",
            ],
        ),
        (
            "aws iam list-users",
            json!({"Users": [{"UserName": "ann", "UserId": "AIDAEXAMPLE", "Arn": "arn:aws:iam::444455556666:user/ann", "Path": "/", "CreateDate": "2025-09-01T00:00:00+00:00"}]}),
            vec!["iam_user ann 444455556666  "],
        ),
        (
            "aws iam get-role, gone",
            json!({"Error": {"Code": "NoSuchEntity", "Message": "The role with name Gone cannot be found."}}),
            vec!["iam_role Gone 111122223333  "],
        ),
        (
            "eksctl get iamidentitymapping",
            json!([{"rolearn": "arn:aws:iam::111122223333:role/Ops", "username": "ops", "groups": ["system:masters"]},
                {"rolearn": "arn:aws:iam::111122223333:role/Nodes", "username": "system:node:{{EC2PrivateDNSName}}", "groups": ["system:nodes"]}]),
            vec!["config_map aws-auth 111122223333 us-west-2 prod"],
        ),
        (
            "eksctl get accessentry",
            json!([{"principalARN": "arn:aws:iam::111122223333:role/Ops", "kubernetesGroups": null,
                "accessPolicies": [{"policyARN": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": {"type": "cluster"}}]}]),
            vec![
                "access_entry arn:aws:iam::111122223333:role/Ops 111122223333 us-west-2 prod",
                "access_policy_association arn:aws:iam::111122223333:role/Ops 111122223333 us-west-2 prod",
                "list access_policy_associations:arn:aws:iam::111122223333:role/Ops 111122223333 us-west-2 prod",
            ],
        ),
    ]
}

fn records(folder: &Folder) -> Vec<String> {
    let rows = folder.query("SELECT kind, name, account, region, cluster FROM snapshot");
    let mut records: Vec<String> = rows
        .iter()
        .map(|row| {
            let fields = ["kind", "name", "account", "region", "cluster"];
            fields.map(|field| row[field].as_str().unwrap_or_default()).join(" ")
        })
        .collect();
    records.sort_unstable();
    records
}

/// Plain YAML: enough for the fixtures, whose texts hold what YAML would take for more.
fn yaml(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => fields
            .iter()
            .map(|(key, value)| match value {
                Value::Object(inner) if !inner.is_empty() => format!("{pad}{key}:\n{}", yaml(value, indent + 2)),
                Value::Array(inner) if !inner.is_empty() => format!("{pad}{key}:\n{}", yaml(value, indent)),
                Value::String(text) if text.contains('\n') => {
                    let lines: String = text.lines().map(|line| format!("{pad}  {line}\n")).collect();
                    format!("{pad}{key}: |\n{lines}")
                }
                other => format!("{pad}{key}: {other}\n"),
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Object(_) => format!("{pad}- {}", yaml(item, indent + 2).trim_start()),
                other => format!("{pad}- {other}\n"),
            })
            .collect(),
        other => format!("{pad}{other}\n"),
    }
}

#[test]
fn present_state_is_the_same_from_json_yaml_and_pasted_text_by_both_commands() {
    for (name, document, expected) in states() {
        let pasted = format!("ann@host ~ $ {name} -o yaml\n{}", yaml(&document, 0));
        let texts = [
            ("json", document.to_string()),
            ("pretty", serde_json::to_string_pretty(&document).unwrap()),
            ("yaml", yaml(&document, 0)),
            ("pasted", pasted),
        ];
        let mut bodies = Vec::new();
        for (form, text) in texts {
            for command in [&["ingest", "snapshot", "--from"][..], &["ingest", "files"]] {
                let folder = Folder::new();
                let file = folder.write("state", text.as_bytes());
                let arguments = [command, &[file.as_str()], &HINTS].concat();
                let (code, report, said) = folder.eksplain(&arguments);
                let is_empty = expected.is_empty() && command.contains(&"snapshot");
                assert_eq!(code, if is_empty { 3 } else { 0 }, "{name} as {form}: {report} {said}");
                assert_eq!(records(&folder), expected, "{name} as {form}\n{text}");
                bodies.push(folder.query("SELECT id, body FROM snapshot ORDER BY id"));
            }
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{name}: {bodies:?}");
    }
}

#[test]
fn bodies_are_as_the_api_gives_them() {
    let folder = Folder::new();
    let documents = [cluster(), entry(), json!({"Role": role()})].map(|document| document.to_string());
    let file = folder.write("state", documents.join("\n").as_bytes());
    assert_eq!(folder.eksplain(&["ingest", "snapshot", "--from", &file, MARK]).0, 0);
    let body = |kind: &str| -> Value {
        let rows = folder.query(&format!("SELECT body FROM snapshot WHERE kind = '{kind}'"));
        serde_json::from_str(rows[0]["body"].as_str().unwrap()).unwrap()
    };
    assert_eq!(
        body("cluster"),
        json!({"name": "shop", "arn": "arn:aws:eks:eu-west-1:444455556666:cluster/shop", "createdAt": 1_767_261_600.0, "version": "1.33",
            "status": "ACTIVE", "accessConfig": {"authenticationMode": "API"}, "logging": {"clusterLogging": [{"types": ["audit"], "enabled": true}]}})
    );
    assert_eq!(body("access_entry")["createdAt"], json!(1_769_940_000.5));
    let role = body("iam_role");
    assert_eq!(
        (&role["CreateDate"], &role["LastUsed"], &role["RoleLastUsed"]),
        (
            &json!("2025-09-01T00:00:00Z"),
            &json!("2026-10-01T00:00:00Z"),
            &Value::Null
        )
    );
}

#[test]
fn several_documents_of_a_file_are_read_and_their_lists_name_what_there_is() {
    let folder = Folder::new();
    let text = format!(
        "# saved by ann\n---\n{}---\n{}",
        yaml(&aws_auth(), 0),
        yaml(&list(&[binding("cluster-admin"), binding("b")]), 0)
    );
    let file = folder.write("state.yaml", text.as_bytes());
    let (code, _, said) = folder.eksplain(&["ingest", "snapshot", "--from", &file, "--cluster", "prod"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("file time") && said.contains("--taken-at"), "{said}");
    let rows = folder.query("SELECT body FROM snapshot WHERE kind = 'list'");
    let body: Value = serde_json::from_str(rows[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"complete": true, "count": 2, "names": ["b", "cluster-admin"],
            "scope": {"of": "cluster_role_binding", "namespace": null}})
    );
    assert_eq!(records(&folder).len(), 4);
}

#[test]
fn an_error_message_of_iam_says_that_a_role_is_gone_where_the_account_is_known() {
    let text = "\nAn error occurred (NoSuchEntity) when calling the GetRole operation: The role with name Gone cannot be found.\n";
    let folder = Folder::new();
    let file = folder.write("role.json", text.as_bytes());
    let (code, _, said) = folder.eksplain(&["ingest", "snapshot", "--from", &file]);
    assert_eq!(code, 3, "{said}");
    let reasons = folder.query("SELECT reason FROM rejects");
    assert!(
        reasons[0]["reason"].as_str().unwrap().contains("--account"),
        "{reasons:?}"
    );
    let folder = Folder::new();
    let file = folder.write("role.json", text.as_bytes());
    assert_eq!(
        folder
            .eksplain(&["ingest", "snapshot", "--from", &file, "--account=111122223333", MARK])
            .0,
        0
    );
    assert_eq!(records(&folder), ["iam_role Gone 111122223333  "]);
}

#[test]
fn what_shows_no_present_state_is_an_error_where_present_state_was_asked_for() {
    let pods =
        list(&[json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}})]).to_string();
    let one_mapping =
        json!([{"rolearn": "arn:aws:iam::111122223333:role/Ops", "username": "ops", "groups": []}]).to_string();
    for (text, way) in [
        (GRANT, "eksplain ingest files"),
        (pods.as_str(), "present state"),
        ("kind: ConfigMap\n\tdata: x\n", "-o json"),
        (one_mapping.as_str(), "kubectl get configmap aws-auth"),
    ] {
        let folder = Folder::new();
        let file = folder.write("file", text.as_bytes());
        let (code, report, said) = folder.eksplain(&["ingest", "snapshot", "--from", &file, "--cluster", "prod"]);
        assert_eq!(code, 3, "{text}: {report}");
        let reasons = folder.query("SELECT reason FROM rejects");
        assert!(
            said.contains(way) || format!("{reasons:?}").contains(way),
            "{text}: {said} {reasons:?}"
        );
        assert!(records(&folder).is_empty());
    }
}

#[test]
fn a_text_inside_a_log_record_is_never_present_state() {
    let folder = Folder::new();
    let event = |message: &str| json!({"timestamp": 1_795_428_000_000_i64, "message": message});
    let inside = json!({"events": [event(&aws_auth().to_string()), event(&cluster().to_string())]});
    let records_of = json!({"Records": [aws_auth(), cluster()]});
    let files: Vec<PathBuf> = [inside, records_of]
        .iter()
        .enumerate()
        .map(|(number, value)| folder.write(&number.to_string(), value.to_string().as_bytes()).into())
        .collect();
    for file in files {
        assert_eq!(
            folder
                .eksplain(&["ingest", "files", file.to_str().unwrap(), "--cluster", "prod"])
                .0,
            3
        );
    }
    assert!(records(&folder).is_empty());
}
