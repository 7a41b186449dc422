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
                // Assumed to be all: nothing tells that it is not.
                "list cluster_role_bindings 111122223333 us-west-2 prod",
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
                "list role_bindings:dev 111122223333 us-west-2 prod",
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

/// What becomes of a kind of file.
enum Fate {
    /// Records of the authenticator, of audit, of CloudTrail, of present state.
    Read([u64; 4]),
    /// Known, counted, and not kept: exit 0.
    PassedOver(&'static str),
    /// Exit 3, with the way that works.
    Refused(&'static str),
}

use Fate::{PassedOver, Read, Refused};

fn trail(id: &str) -> Value {
    json!({"eventVersion": "1.11", "eventID": id, "eventTime": "2026-11-23T10:00:00Z", "eventSource": "eks.amazonaws.com",
        "eventName": "DescribeCluster", "awsRegion": "us-west-2", "readOnly": true, "recipientAccountId": "111122223333",
        "requestParameters": {"name": "prod"}, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}})
}

fn audit() -> Value {
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a-1", "stage": "ResponseComplete",
        "requestURI": "/api/v1/pods", "verb": "list", "user": {"username": "ann", "groups": ["system:authenticated"]},
        "objectRef": {"resource": "pods", "apiVersion": "v1"}, "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-23T10:00:00.000000Z", "stageTimestamp": "2026-11-23T10:00:00.004000Z"})
}

fn delivery(message: &str) -> String {
    let events = json!([{"id": "1", "timestamp": 1_795_428_000_000_i64, "message": message}]);
    format!(
        "{{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"111122223333\",\"logGroup\":\"/aws/eks/prod/cluster\",\"logStream\":\"s\",\
         \"subscriptionFilters\":[\"f\"],\"logEvents\":{events}}}"
    )
}

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Name, content, what becomes of it.
fn kinds() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let (event, audit) = (trail("e-1").to_string(), audit().to_string());
    let (grant, time) = (cell(GRANT), "2026-11-23 10:00:00.000");
    let stream = "authenticator-0123456789abcdef0123456789abcdef";
    let insights =
        |message: Value| json!([{"@timestamp": time, "@message": message, "@logStream": "s", "@ptr": "x"}]).to_string();
    let both = [trail("e-1"), trail("e-2")].map(|event| event.to_string());
    let gzipped = base64(&folder::gzip(delivery(&audit).as_bytes()));
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&audit).unwrap()).unwrap();
    let text = |text: String| text.into_bytes();
    vec![
        // CSV
        ("insights.csv", text(format!("@timestamp,@message\n{time},{grant}\n")), Read([1, 0, 0, 0])),
        ("insights-empty-column.csv", text(format!("\u{feff}\"@logstream\",\"@timestamp\",\"@message\"\r\n\"\",\"{time}\",{grant}\r\n")), Read([1, 0, 0, 0])),
        ("insights-spreadsheet.csv", text(format!("\u{feff}@timestamp;@message\r\n{time};{grant}\r\n;\r\n")), Read([1, 0, 0, 0])),
        ("insights-log.csv", text(format!("@timestamp,@logStream,@log,@ptr,@message\n{time},{stream},111122223333:/aws/eks/prod/cluster,x,{grant}")), Read([1, 0, 0, 0])),
        ("logs-console.csv", text(format!("timestamp,message\n1795428000000,{}\n1795428000000,{grant}\n", cell(&audit))), Read([1, 1, 0, 0])),
        ("multi-line.csv", text(format!("timestamp,message\n1795428000000,{}\n", cell(&pretty))), Read([0, 1, 0, 0])),
        ("cut-by-spreadsheet.csv", text(format!("timestamp,message\n1,{}\n", cell(&format!("{{\"kind\":\"Event\",\"x\":\"{}", "y".repeat(33_000))))), Refused("as CloudWatch saved it")),
        ("event-history.csv", text("Event name,Event time,User name,Event source,Resource type,Resource name\nCreateCluster,\"November 23, 2026\",ann,eks.amazonaws.com,,\n".to_owned()), Refused("JSON")),
        // JSON of consoles and of the command line
        ("insights-console.json", text(insights(json!(GRANT))), Read([1, 0, 0, 0])),
        ("insights-console-object.json", text(insights(serde_json::from_str(&audit).unwrap())), Read([0, 1, 0, 0])),
        ("event-history.json", text(format!("{{\"Records\":[{event}]}}")), Read([0, 0, 1, 0])),
        ("lookup-events.json", text(json!({"Events": [{"EventId": "e-1", "CloudTrailEvent": event}]}).to_string()), Read([0, 0, 1, 0])),
        ("lookup-strings.json", serde_json::to_vec_pretty(&json!(both)).unwrap(), Read([0, 0, 2, 0])),
        ("lookup-one-string.json", serde_json::to_vec(&json!(event)).unwrap(), Read([0, 0, 1, 0])),
        ("lookup-lists.json", serde_json::to_vec_pretty(&json!([["2026-11-23T10:00:00+00:00", both[0]], ["x", both[1]]])).unwrap(), Read([0, 0, 2, 0])),
        ("lookup-objects.json", serde_json::to_vec(&json!([{"Time": "x", "CloudTrailEvent": both[0]}, {"CloudTrailEvent": trail("e-2")}])).unwrap(), Read([0, 0, 2, 0])),
        ("lookup-text.txt", text(format!("{}\t{}\n", both[0], both[1])), Read([0, 0, 2, 0])),
        ("lookup-text-table.txt", text(format!("EVENTS\tAKIAEXAMPLE\t{event}\te-1\tDescribeCluster\teks.amazonaws.com\ttrue\tann\nRESOURCES\tprod\tAWS::EKS::Cluster\n")), Read([0, 0, 1, 0])),
        // aws logs tail
        ("tail-detailed.txt", text(format!("2026-11-23T10:00:00.000000+00:00 {stream} {GRANT}\n")), Read([1, 0, 0, 0])),
        ("tail-short.txt", text(format!("2026-11-23T10:00:00 {GRANT}\n2026-11-23T10:00:00 {audit}\n")), Read([1, 1, 0, 0])),
        ("tail-json.txt", text(format!("2026-11-23T10:00:00.000000+00:00 kube-apiserver-audit-01\n{pretty}\n2026-11-23T10:00:01.000000+00:00 {stream} \n{GRANT}\n")), Read([1, 1, 0, 0])),
        // base64
        ("lambda.json", text(json!({"awslogs": {"data": gzipped}}).to_string()), Read([0, 1, 0, 0])),
        ("firehose-http.json", text(json!({"requestId": "r", "timestamp": 1, "records": [{"data": gzipped}]}).to_string()), Read([0, 1, 0, 0])),
        ("kinesis.json", text(json!({"Records": [{"eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "awsRegion": "us-west-2", "kinesis": {"data": gzipped}}]}).to_string()), Read([0, 1, 0, 0])),
        ("processing-failed", text(format!("{}\n", json!({"attemptsMade": 4, "errorCode": "Lambda.FunctionError", "rawData": gzipped}))), Read([0, 1, 0, 0])),
        ("processing-failed-cut", text(json!({"rawData": &gzipped[..gzipped.len() / 8 * 4]}).to_string()), Refused("cut off")),
        // packings and archives
        ("audit.ndjson.zst", folder::zstd(audit.as_bytes()), Read([0, 1, 0, 0])),
        ("audit.ndjson.bz2", folder::bzip2(audit.as_bytes()), Read([0, 1, 0, 0])),
        ("audit.ndjson.xz", folder::xz(audit.as_bytes()), Read([0, 1, 0, 0])),
        ("utf16.log", utf16(&format!("{GRANT}\r\n")), Read([1, 0, 0, 0])),
        // present state
        ("rbac.yaml", text(yaml(&list(&[binding("a")]), 0)), Read([0, 0, 0, 2])),
        ("describe-cluster.json", text(cluster().to_string()), Read([0, 0, 0, 1])),
        ("pods.json", text(list(&[json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}})]).to_string()), PassedOver("objects of Kubernetes")),
        // neighbours in a bucket
        ("digest.json", text(json!({"awsAccountId": "1", "digestS3Bucket": "b", "digestS3Object": "o", "logFiles": []}).to_string()), PassedOver("digests")),
        ("insight.json", text(json!({"Records": [{"eventVersion": "1.07", "eventTime": "2026-11-23T10:00:00Z", "awsRegion": "us-west-2", "eventID": "i", "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight", "insightDetails": {"state": "Start", "eventSource": "eks.amazonaws.com", "eventName": "X"}}]}).to_string()), PassedOver("CloudTrail Insights")),
        ("empty", Vec::new(), PassedOver("empty files")),
        ("config.json", text(json!({"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [{"resourceType": "AWS::IAM::Role"}]}).to_string()), PassedOver("AWS Config")),
        ("AWSLogs/111122223333/elasticloadbalancing/us-west-2/x.log", text("https 2026-11-23T10:00:00.000000Z app/a/1 203.0.113.1:1 10.0.0.1:80 0 0 0 200 200 1 1 \"GET / HTTP/1.1\"\n".to_owned()), PassedOver("load balancers")),
        ("AWSLogs/111122223333/vpcflowlogs/us-west-2/x.log", text("version account-id interface-id srcaddr dstaddr\n2 111122223333 eni-1 10.0.0.1 10.0.0.2\n".to_owned()), PassedOver("VPC flow logs")),
        ("validation.txt", b"CloudTrail validation message.".to_vec(), PassedOver("test messages")),
        // what cannot be read
        ("security-lake.parquet", b"PAR1\x15\x04PAR1".to_vec(), Refused("eksplain ingest s3")),
        ("steampipe.db", b"SQLite format 3\0\x10\0".to_vec(), Refused("JSON lines")),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Refused("not text")),
        ("ocsf.json", text(json!({"class_uid": 6003, "api": {"operation": "CreateCluster"}}).to_string()), Refused("Security Lake")),
        ("athena.json", text(json!({"eventname": "CreateCluster", "useridentity": "{type=IAMUser}"}).to_string()), Refused("eventJson")),
        ("notes.txt", b"milk\n".to_vec(), Refused("unrecognized line")),
        ("broken.yaml", b"apiVersion: v1\nkind: ConfigMap\n\tdata: x\n".to_vec(), Refused("-o json")),
    ]
}

#[test]
fn every_kind_of_file_is_read_or_passed_over_or_refused_with_the_way_that_works() {
    for (name, content, fate) in kinds() {
        let folder = Folder::new();
        let file = folder.write(name, &content);
        let (code, report, said) = folder.eksplain(&[&["ingest", "files", file.as_str()], &HINTS[..]].concat());
        let kept = |table: &str| {
            let tables = report["tables"].as_array().unwrap();
            let own = tables.iter().find(|own| own["table"] == table);
            own.map_or(0, |own| own["kept"].as_u64().unwrap())
        };
        let tables = ["authenticator", "audit", "cloudtrail", "snapshot"].map(kept);
        let context = format!("{name}: {report} {said}");
        let (expected_code, expected, word) = match fate {
            Read(tables) => (0, tables, ""),
            PassedOver(what) => (0, [0; 4], what),
            Refused(way) => (3, [0; 4], way),
        };
        assert_eq!((code, tables), (expected_code, expected), "{context}");
        assert!(context.contains(word), "{context}");
        assert_eq!(report["skipped"] == 0, !matches!(fate, PassedOver(_)), "{context}");
    }
}

#[test]
fn members_of_archives_are_objects_of_their_own_whose_paths_count() {
    let event = audit().to_string();
    let members = [
        ("prod/2026/a.ndjson", event.as_bytes().to_vec()),
        ("shop/b.log.gz", folder::gzip(GRANT.as_bytes())),
        ("__MACOSX/._a", b"x".to_vec()),
    ];
    let tar = folder::tar(&members);
    let packed = [
        ("logs.zip", folder::zip(&members)),
        ("logs.tar", tar.clone()),
        ("logs.tar.gz", folder::gzip(&tar)),
        ("logs.tar.zst", folder::zstd(&tar)),
        ("logs.tar.gz.zip", folder::zip(&[("logs.tar.gz", folder::gzip(&tar))])),
    ];
    for (name, bytes) in packed {
        let folder = Folder::new();
        let file = folder.write(name, &bytes);
        let (code, report, said) = folder.eksplain(&["ingest", "files", &file, "--layout", "{cluster}/**"]);
        assert_eq!(code, 0, "{name}: {report} {said}");
        let audit = folder.query("SELECT cluster, source_uri FROM audit");
        assert_eq!(audit[0]["cluster"], "prod", "{name}");
        let uri = audit[0]["source_uri"].as_str().unwrap();
        assert!(uri.ends_with("!/prod/2026/a.ndjson") && uri.contains(name), "{uri}");
        assert_eq!(
            folder.query("SELECT cluster FROM authenticator")[0]["cluster"],
            "shop",
            "{name}"
        );
        // Known as a whole the next time.
        assert_eq!(
            folder
                .eksplain(&["ingest", "files", &file, "--layout", "{cluster}/**"])
                .1["read"],
            0
        );
    }
}

#[test]
fn an_archive_that_fills_a_disk_is_left_and_the_rest_is_read() {
    let folder = Folder::new();
    // 1.25 GiB of blank lines: far more than a thousand times what they are packed in.
    let bomb = folder::zstd_blanks(&format!("{}\n", audit()), 1280);
    let tar = folder::tar(&[("a.ndjson", audit().to_string().into_bytes()), ("b", bomb)]);
    let file = folder.write("logs.tar", &tar);
    let (code, report, said) = folder.eksplain(&["ingest", "files", &file, "--cluster", "prod"]);
    assert_eq!(
        (code, &report["kept"], &report["repeated"]),
        (3, &json!(1), &json!(1)),
        "{said}"
    );
    assert!(said.contains("1,000 times"), "{said}");
}

#[test]
fn standard_input_is_read_by_content_and_never_known() {
    let folder = Folder::new();
    for expected in [("kept", 1), ("repeated", 1)] {
        let (code, report, said) = folder.eksplain_with(
            &["ingest", "files", "-", "--cluster", "prod"],
            &folder::gzip(GRANT.as_bytes()),
        );
        assert_eq!((code, &report[expected.0]), (0, &json!(expected.1)), "{said}");
    }
    let (code, ..) = folder.eksplain_with(
        &["ingest", "snapshot", "--from", "-", "--cluster", "prod"],
        yaml(&aws_auth(), 0).as_bytes(),
    );
    assert_eq!((code, records(&folder).len()), (0, 1));
}

#[test]
fn one_broken_object_among_deliveries_costs_one_reject() {
    let good = delivery(GRANT);
    let cut = &delivery(GRANT)[..150];
    for broken in [cut.to_owned(), cut.replace("\":\"", "\"::\"")] {
        let folder = Folder::new();
        let audit = delivery(&audit().to_string());
        let file = folder.write("firehose", format!("{good}{broken}{audit}").as_bytes());
        let (code, report, said) = folder.eksplain(&["ingest", "files", &file]);
        assert_eq!(code, 3, "{said}");
        assert_eq!((&report["kept"], &report["rejected"]), (&json!(2), &json!(1)), "{said}");
    }
}

/// A lake of records of no cluster: two like lines of the authenticator, an event, a binding, a call of AWS, a role.
fn nameless(folder: &Folder) -> String {
    folder.write("logs/lines.log", format!("{GRANT}\n{GRANT}\n").as_bytes());
    folder.write("logs/audit.ndjson", audit().to_string().as_bytes());
    let mut elsewhere = trail("e-9");
    elsewhere["requestParameters"] = json!({});
    folder.write("logs/trail.json", elsewhere.to_string().as_bytes());
    folder.write(
        "logs/state.json",
        format!("{}\n{}", binding("a"), json!({"Role": role()})).as_bytes(),
    );
    folder.path().join("logs").to_str().unwrap().to_owned()
}

const PLACES: &str = "SELECT id, account, region, cluster, source_uri FROM authenticator UNION ALL \
    SELECT id, account, region, cluster, source_uri FROM audit UNION ALL \
    SELECT id, account, region, cluster, source_uri FROM cloudtrail UNION ALL \
    SELECT id, account, region, cluster, source_uri FROM snapshot ORDER BY id";

const AT: [&str; 4] = ["--cluster=prod", "--account=111122223333", "--region=us-west-2", MARK];

#[test]
fn records_without_a_cluster_are_said_and_get_one_by_either_way() {
    let told = Folder::new();
    let logs = nameless(&told);
    let (code, _, said) = told.eksplain(&["ingest", "files", &logs, MARK]);
    assert_eq!(code, 0, "{said}");
    let command = format!("lake assign --cluster NAME {logs}");
    for part in [
        "1 audit record names no cluster",
        "2 authenticator lines name no cluster",
        "1 object of present state names no cluster",
        &command,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let before = told.query(PLACES);
    let (code, done, said) = told.eksplain(&["lake", "assign", AT[0], AT[1], AT[2], &logs]);
    assert_eq!(
        (code, &done["records"], &done["repeated"]),
        (0, &json!(4), &json!(0)),
        "{said}"
    );
    let after = told.query(PLACES);
    assert_eq!(after.len(), before.len());
    assert_eq!(told.eksplain(&["lake", "verify"]).0, 0);
    // The same as if it had been said at once, and as a second ingest that says it.
    let at_once = Folder::new();
    let again = Folder::new();
    for (folder, is_first_without) in [(&at_once, false), (&again, true)] {
        let own = nameless(folder);
        if is_first_without {
            folder.eksplain(&["ingest", "files", &own, MARK]);
        }
        let (code, _, said) = folder.eksplain(&[&["ingest", "files", own.as_str()], &AT[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("names no cluster"), "{said}");
        let plain = |rows: Vec<Value>| -> Vec<Value> {
            let without_folder = |mut row: Value| {
                row["source_uri"] = row["source_uri"].as_str().unwrap().rsplit('/').next().unwrap().into();
                row
            };
            rows.into_iter().map(without_folder).collect()
        };
        assert_eq!(plain(folder.query(PLACES)), plain(after.clone()));
        assert_eq!(folder.eksplain(&["lake", "verify"]).0, 0);
        // Said once more, or not at all: known.
        for hints in [&AT[..], &[]] {
            let (_, report, _) = folder.eksplain(&[&["ingest", "files", own.as_str()], hints].concat());
            assert_eq!((&report["read"], &report["files_known"]), (&json!(0), &json!(4)));
        }
        assert_eq!(plain(folder.query(PLACES)), plain(after.clone()));
    }
    // Nothing is left to assign.
    assert_eq!(told.eksplain(&["lake", "assign", AT[0]]).1["records"], 0);
}

#[test]
fn another_cluster_said_of_a_known_file_takes_the_place_of_the_first() {
    let folder = Folder::new();
    let logs = nameless(&folder);
    for cluster in ["--cluster=wrong", "--cluster=prod"] {
        assert_eq!(folder.eksplain(&["ingest", "files", &logs, cluster, MARK]).0, 0);
    }
    let clusters = folder.query("SELECT cluster FROM authenticator UNION ALL SELECT cluster FROM audit");
    assert_eq!(clusters.len(), 3);
    assert!(clusters.iter().all(|row| row["cluster"] == "prod"), "{clusters:?}");
}

#[test]
fn assigning_is_about_the_sources_named_and_keeps_what_is_there_once() {
    let folder = Folder::new();
    let (a, b) = (
        folder.write("a/x.log", GRANT.as_bytes()),
        folder.write("b/x.log", GRANT.as_bytes()),
    );
    let other = folder.write("ab.ndjson", audit().to_string().as_bytes());
    folder.eksplain(&["ingest", "files", &a, &other]);
    folder.eksplain(&["ingest", "files", &b, "--cluster=prod"]);
    let root = folder.path().join("a");
    let (_, done, said) = folder.eksplain(&["lake", "assign", "--cluster=prod", root.to_str().unwrap()]);
    assert_eq!((&done["records"], &done["repeated"]), (&json!(0), &json!(1)), "{said}");
    assert_eq!(folder.query("SELECT id FROM authenticator").len(), 1);
    assert!(
        folder.query("SELECT cluster FROM audit")[0]["cluster"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
    );
    assert_eq!(folder.eksplain(&["lake", "verify"]).0, 0);
    assert_eq!(folder.eksplain(&["lake", "assign", "--cluster=prod-*"]).0, 2);
}
