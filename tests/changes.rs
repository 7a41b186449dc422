//! `changes`: who gained or lost power, what was written, and who did it.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use serde_json::{Value, json};
use support::logs::{
    Caller, associate, call, create_cluster, create_entry, create_role, delete_cluster, delete_entry, delete_role,
    disassociate, event, session_user, write_aws_auth, write_rbac,
};
use support::snapshot::{Look, cluster_role_binding, masters, user_subject};
use support::{Answer, CLUSTER_ADMIN, Lab, is_time, role, user};

const CREATOR: Caller<'_> = Caller::Session("Platform", "pat@example.com");
const AT: &str = "2026-11-20T00:00:00Z";
const BORN: &str = "2026-11-01T08:00:00Z";

fn platform() -> Value {
    session_user("platform", &["system:masters"], "Platform", "pat@example.com")
}

fn of<'a>(answer: &'a Answer, kind: &str, subject: &str) -> Vec<&'a Value> {
    let mut found = answer.with("kind", kind);
    found.retain(|change| change["subject"] == subject);
    found
}

fn one<'a>(answer: &'a Answer, kind: &str, subject: &str) -> &'a Value {
    let found = of(answer, kind, subject);
    assert_eq!(found.len(), 1, "{kind} of {subject}: {}", answer.json);
    found[0]
}

fn text<'a>(change: &'a Value, field: &str) -> &'a str {
    change[field].as_str().unwrap_or_else(|| panic!("no {field}: {change}"))
}

fn has(change: &Value, field: &str, words: &[&str]) {
    let told = text(change, field);
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {change}");
}

/// Two hours of life in each day, so that no log is silent for long.
fn hum() -> Vec<Value> {
    let days = (1..20).flat_map(|day| (0..24).step_by(3).map(move |hour| (day, hour)));
    days.map(|(day, hour)| event(&format!("2026-11-{day:02}T{hour:02}:30:00Z"), json!({})))
        .collect()
}

#[test]
fn a_temporary_admin_of_four_minutes_is_told_with_who_made_it() {
    let lab = Lab::new();
    let eve = role("Eve");
    lab.trail(&[
        create_cluster(BORN, &CREATOR, "prod", "API"),
        create_entry("2026-11-05T10:00:00Z", &CREATOR, &eve),
        associate("2026-11-05T10:01:00Z", &CREATOR, &eve, CLUSTER_ADMIN, &[]),
        disassociate("2026-11-05T10:05:00Z", &Caller::User("mallory"), &eve, CLUSTER_ADMIN),
        delete_entry("2026-11-05T10:06:00Z", &CREATOR, &eve),
    ]);
    let answer = lab.ask(&["changes"], AT);
    assert_eq!(answer.json["schema"], "eksplain.changes/1");
    let gained = one(&answer, "admin-gained", &eve);
    assert!(is_time(&gained["ts"], "2026-11-05T10:01:00Z"), "{gained}");
    assert_eq!(gained["actor"], role("Platform"));
    assert_eq!(gained["actor_human"], "pat@example.com");
    assert_eq!(gained["was"], Value::Null);
    assert_eq!(gained["incarnation"], 1);
    assert_eq!(gained["cluster"]["name"], "prod");
    assert!(gained["evidence"][0]["origin"]["uri"].is_string(), "{gained}");
    let lost = one(&answer, "admin-lost", &eve);
    assert!(is_time(&lost["ts"], "2026-11-05T10:05:00Z"), "{lost}");
    assert_eq!(lost["actor"], user("mallory"));
    assert_eq!(lost["actor_human"], "mallory");
    has(lost, "was", &["admin by access_policy", CLUSTER_ADMIN]);
    let policies = of(&answer, "access-policy", &eve);
    assert_eq!(policies.len(), 2, "{policies:?}");
    assert_eq!(text(policies[0], "is"), format!("{CLUSTER_ADMIN} at cluster scope"));
    let entries = of(&answer, "access-entry", &eve);
    assert_eq!(entries.len(), 2, "{entries:?}");
    has(entries[0], "is", &["STANDARD", "groups none"]);
    assert_eq!(text(entries[1], "is"), "deleted");
    // The creator gained with the creation, and who created it is told.
    let creator = one(&answer, "admin-gained", &role("Platform"));
    assert!(is_time(&creator["ts"], BORN), "{creator}");
    let created = one(&answer, "cluster-created", "prod");
    has(created, "is", &["API", "creator is admin"]);
    let times: Vec<&str> = answer.findings().iter().map(|change| text(change, "ts")).collect();
    assert!(times.is_sorted(), "{times:?}");

    // Bounds are of the time of the change.
    let within = lab.ask(
        &[
            "changes",
            "--since",
            "2026-11-05T10:02:00Z",
            "--until",
            "2026-11-05T10:05:30Z",
        ],
        AT,
    );
    assert_eq!(within.texts("kind"), ["access-policy", "admin-lost"]);
    let other = lab.ask(&["changes", "--cluster", "stage*"], AT);
    assert_eq!(other.findings().len(), 0);
    let gate = lab.ask(&["changes", "--fail-on", "admin-gained"], AT);
    assert_eq!(gate.code, 1);
    let gate = lab.ask(&["changes", "--since", "2026-11-06", "--fail-on", "admin-gained"], AT);
    assert_eq!(gate.code, 0);
}

#[test]
fn a_write_of_aws_auth_says_what_it_added_changed_and_removed() {
    let lab = Lab::new();
    lab.trail(&[create_cluster(BORN, &CREATOR, "prod", "CONFIG_MAP")]);
    let mapping =
        |name: &str, group: &str| format!("- rolearn: {}\n  username: {name}\n  groups: [{group}]\n", role(name));
    let mut events = hum();
    // EKS does not log what a create wrote.
    events.push(event(
        "2026-11-01T09:00:00Z",
        json!({"verb": "create", "level": "Metadata", "user": platform(), "responseStatus": {"code": 201},
            "objectRef": {"resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1"}}),
    ));
    events.push(write_aws_auth(
        "2026-11-02T08:00:00Z",
        platform(),
        json!({"mapRoles": mapping("Early", "system:masters")}),
    ));
    events.push(write_aws_auth(
        "2026-11-02T09:00:00Z",
        platform(),
        json!({"mapRoles": mapping("Dev", "devs") + &mapping("Old", "olds")}),
    ));
    events.push(write_aws_auth(
        "2026-11-03T09:00:00Z",
        platform(),
        json!({"mapRoles": mapping("Dev", "system:masters") + &mapping("New", "news")}),
    ));
    events.push(write_aws_auth(
        "2026-11-04T09:00:00Z",
        platform(),
        json!({"mapRoles": mapping("Dev", "system:masters") + &mapping("New", "news")}),
    ));
    lab.audit(&events);
    let answer = lab.ask(&["changes"], AT);
    let writes = answer.with("kind", "aws-auth-written");
    assert_eq!(writes.len(), 5, "{}", answer.json);
    assert_eq!(writes[0]["was"], Value::Null);
    has(writes[0], "is", &["not known"]);
    // Between the create and the first write that is logged: who did it, and when, is not known.
    let early = one(&answer, "admin-gained", &role("Early"));
    assert!(is_time(&early["ts"], "2026-11-02T08:00:00Z"), "{early}");
    assert_eq!(early["actor"], Value::Null);
    has(early, "is", &["at the latest"]);
    assert!(is_time(
        &one(&answer, "admin-lost", &role("Early"))["ts"],
        "2026-11-02T09:00:00Z"
    ));
    let second = writes[3];
    has(second, "subject", &["kube-system/aws-auth"]);
    let dev = format!("mapRoles {} as \"Dev\"", role("Dev"));
    has(second, "was", &[&format!("{dev}, groups devs"), &role("Old")]);
    has(
        second,
        "is",
        &[
            &format!("changed {dev}, groups system:masters"),
            &format!("added mapRoles {} as \"New\"", role("New")),
            &format!("removed mapRoles {}", role("Old")),
        ],
    );
    assert_eq!(second["actor"], role("Platform"));
    assert_eq!(second["actor_human"], "pat@example.com");
    assert_eq!(writes[4]["was"], Value::Null);
    assert_eq!(text(writes[4], "is"), "no mapping changed");
    let gained = one(&answer, "admin-gained", &role("Dev"));
    assert!(is_time(&gained["ts"], "2026-11-03T09:00:00Z"), "{gained}");
    assert_eq!(gained["actor"], role("Platform"));
}

#[test]
fn an_entry_and_a_policy_made_by_cloudformation_lead_to_who_ran_the_stack() {
    let lab = Lab::new();
    let ops = role("Ops");
    let stack = Caller::CloudFormation("StackRole", "AWSCloudFormation");
    let mut entry = create_entry("2026-11-05T10:01:00Z", &stack, &ops);
    entry["requestParameters"]["tags"] = json!({"aws:cloudformation:stack-name": "access"});
    lab.trail(&[
        create_cluster(BORN, &CREATOR, "prod", "API"),
        call(
            "2026-11-05T10:00:00Z",
            &Caller::Session("Deployer", "dana@example.com"),
            "cloudformation",
            "UpdateStack",
            json!({"stackName": "access"}),
            Value::Null,
        ),
        entry,
        associate("2026-11-05T10:02:00Z", &stack, &ops, "AmazonEKSViewPolicy", &["dev"]),
        associate(
            "2026-11-06T10:02:00Z",
            &CREATOR,
            &ops,
            "AmazonEKSViewPolicy",
            &["dev", "test"],
        ),
    ]);
    let answer = lab.ask(&["changes"], AT);
    let made = one(&answer, "access-entry", &ops);
    assert_eq!(made["actor"], role("StackRole"));
    assert_eq!(made["actor_human"], "dana@example.com");
    let policies = of(&answer, "access-policy", &ops);
    assert_eq!(policies.len(), 2, "{policies:?}");
    assert_eq!(policies[0]["actor_human"], "dana@example.com", "{}", policies[0]);
    assert_eq!(text(policies[0], "is"), "AmazonEKSViewPolicy in namespaces dev");
    // Another scope replaces the first: one change.
    assert_eq!(text(policies[1], "was"), "AmazonEKSViewPolicy in namespaces dev");
    assert_eq!(text(policies[1], "is"), "AmazonEKSViewPolicy in namespaces dev, test");
    assert_eq!(of(&answer, "admin-gained", &ops).len(), 0);
}

#[test]
fn modes_and_logs_that_are_switched_are_told() {
    let lab = Lab::new();
    let config = |time: &str, request: Value| {
        let mut request = request;
        request["name"] = json!("prod");
        call(
            time,
            &CREATOR,
            "eks",
            "UpdateClusterConfig",
            request,
            json!({"update": {"id": "1"}}),
        )
    };
    lab.trail(&[
        create_cluster(BORN, &CREATOR, "prod", "CONFIG_MAP"),
        config(
            "2026-11-02T10:00:00Z",
            json!({"logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]}}),
        ),
        config(
            "2026-11-03T10:00:00Z",
            json!({"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}),
        ),
        config(
            "2026-11-04T10:00:00Z",
            json!({"logging": {"clusterLogging": [{"types": ["audit"], "enabled": false}]}}),
        ),
    ]);
    let answer = lab.ask(&["changes"], AT);
    let modes = answer.with("kind", "mode");
    assert_eq!(modes.len(), 1, "{}", answer.json);
    assert_eq!(
        (text(modes[0], "was"), text(modes[0], "is")),
        ("CONFIG_MAP", "API_AND_CONFIG_MAP")
    );
    assert_eq!(modes[0]["actor"], role("Platform"));
    let logs = answer.with("kind", "logging");
    assert_eq!(logs.len(), 2, "{}", answer.json);
    assert_eq!(
        (text(logs[0], "was"), text(logs[0], "is")),
        ("audit, authenticator off", "audit, authenticator on")
    );
    assert_eq!((text(logs[1], "was"), text(logs[1], "is")), ("audit on", "audit off"));
}

#[test]
fn a_cluster_that_was_created_again_has_two_lives() {
    let lab = Lab::new();
    lab.trail(&[
        create_cluster(BORN, &CREATOR, "prod", "API"),
        delete_cluster("2026-11-05T10:00:00Z", &Caller::User("mallory")),
        create_cluster("2026-11-06T10:00:00Z", &CREATOR, "prod", "API"),
    ]);
    let answer = lab.ask(&["changes"], AT);
    let created = answer.with("kind", "cluster-created");
    let lives: Vec<_> = created
        .iter()
        .map(|change| change["incarnation"].as_u64().unwrap())
        .collect();
    assert_eq!(lives, [1, 2]);
    let deleted = one(&answer, "cluster-deleted", "prod");
    assert_eq!(
        (&deleted["incarnation"], &deleted["actor_human"]),
        (&json!(1), &json!("mallory"))
    );
    let lost = one(&answer, "admin-lost", &role("Platform"));
    assert_eq!(text(lost, "is"), "the cluster was deleted");
    assert_eq!(lost["actor"], user("mallory"));
}

#[test]
fn a_principal_that_was_deleted_and_created_again_is_told() {
    let lab = Lab::new();
    let ops = role("Ops");
    lab.trail(&[
        create_role("2026-10-01T10:00:00Z", &CREATOR, "/", "Ops", "AROAOPS1"),
        create_role("2026-10-01T10:00:01Z", &CREATOR, "/", "Unmapped", "AROAUNM1"),
        create_cluster(BORN, &CREATOR, "prod", "API"),
        create_entry("2026-11-02T10:00:00Z", &CREATOR, &ops),
        associate("2026-11-02T10:01:00Z", &CREATOR, &ops, CLUSTER_ADMIN, &[]),
        delete_role("2026-11-03T10:00:00Z", &Caller::User("mallory"), "Ops"),
        delete_role("2026-11-03T10:00:01Z", &Caller::User("mallory"), "Unmapped"),
        create_role("2026-11-03T11:00:00Z", &Caller::User("mallory"), "/", "Ops", "AROAOPS2"),
        call(
            "2026-11-04T10:00:00Z",
            &CREATOR,
            "iam",
            "UpdateUser",
            json!({"userName": "mallory", "newUserName": "mal"}),
            Value::Null,
        ),
        create_entry("2026-11-02T11:00:00Z", &CREATOR, &user("mallory")),
    ]);
    let answer = lab.ask(&["changes"], AT);
    let deleted = one(&answer, "principal-deleted", &ops);
    assert!(is_time(&deleted["ts"], "2026-11-03T10:00:00Z"), "{deleted}");
    assert_eq!(
        (&deleted["actor"], &deleted["cluster"]),
        (&json!(user("mallory")), &Value::Null)
    );
    let again = one(&answer, "principal-recreated", &ops);
    assert!(is_time(&again["ts"], "2026-11-03T11:00:00Z"), "{again}");
    let renamed = one(&answer, "principal-renamed", &user("mallory"));
    assert_eq!(renamed["is"], user("mal"));
    assert_eq!(of(&answer, "principal-deleted", &role("Unmapped")).len(), 0);
    let lost = one(&answer, "admin-lost", &ops);
    assert!(is_time(&lost["ts"], "2026-11-03T10:00:00Z"), "{lost}");
    assert_eq!(lost["actor"], user("mallory"));
}

#[test]
fn a_binding_to_admin_is_told_with_whom_it_is_for() {
    let lab = Lab::new();
    lab.trail(&[create_cluster(BORN, &CREATOR, "prod", "API")]);
    let admin = cluster_role_binding("ops", "cluster-admin", user_subject("olga"));
    let view = cluster_role_binding("readers", "view", user_subject("rita"));
    let mut events = hum();
    events.push(write_rbac(
        "2026-11-05T10:00:00Z",
        platform(),
        "create",
        "clusterrolebindings",
        &admin,
    ));
    events.push(write_rbac(
        "2026-11-05T10:00:30Z",
        platform(),
        "create",
        "clusterrolebindings",
        &view,
    ));
    events.push(write_rbac(
        "2026-11-05T10:04:00Z",
        platform(),
        "delete",
        "clusterrolebindings",
        &admin,
    ));
    lab.audit(&events);
    let answer = lab.ask(&["changes"], AT);
    let writes = of(&answer, "rbac-written", "ClusterRoleBinding ops");
    assert_eq!(writes.len(), 2, "{}", answer.json);
    has(writes[0], "is", &["cluster-admin", "User:olga", "every right"]);
    assert_eq!(writes[0]["actor_human"], "pat@example.com");
    assert_eq!(text(writes[1], "is"), "deleted");
    assert_eq!(of(&answer, "rbac-written", "ClusterRoleBinding readers").len(), 0);
    assert!(is_time(
        &one(&answer, "admin-gained", "User:olga")["ts"],
        "2026-11-05T10:00:00Z"
    ));
    let lost = one(&answer, "admin-lost", "User:olga");
    assert!(is_time(&lost["ts"], "2026-11-05T10:04:00Z"), "{lost}");
    assert_eq!(lost["actor"], role("Platform"));
}

#[test]
fn what_only_looks_show_happened_by_then_at_the_latest_and_by_nobody_known() {
    let lab = Lab::new();
    let (first, second) = ("2026-11-05T10:00:00Z", "2026-11-10T10:00:00Z");
    let look = |mode: &str, mapping: &str| Look::eks(mode, BORN).aws_auth(mapping);
    look("API_AND_CONFIG_MAP", &masters(&role("Old")))
        .rbac(vec![])
        .take(&lab, first);
    look("API_AND_CONFIG_MAP", &masters(&role("New")))
        .rbac(vec![cluster_role_binding("ops", "cluster-admin", user_subject("olga"))])
        .take(&lab, second);
    let answer = lab.ask(&["changes"], AT);
    let changed = answer.with("kind", "aws-auth-written");
    assert_eq!(changed.len(), 2, "{}", answer.json);
    // The cluster was made without: by the first look the mapping was there.
    let early = [changed[0], one(&answer, "admin-gained", &role("Old"))].map(|change| (change, first));
    let late = [
        changed[1],
        one(&answer, "admin-gained", &role("New")),
        one(&answer, "admin-lost", &role("Old")),
        one(&answer, "admin-gained", "User:olga"),
        one(&answer, "rbac-written", "ClusterRoleBinding ops"),
    ]
    .map(|change| (change, second));
    for (change, look) in early.into_iter().chain(late) {
        assert!(is_time(&change["ts"], look), "{change}");
        assert_eq!(
            (&change["actor"], &change["actor_human"]),
            (&Value::Null, &Value::Null),
            "{change}"
        );
        has(change, "is", &[&look[..19], "at the latest"]);
        assert!(!change["evidence"].as_array().unwrap().is_empty(), "{change}");
    }
    // EKS's own date of the creation is exact.
    assert!(is_time(&one(&answer, "cluster-created", "prod")["ts"], BORN));
}

#[test]
fn every_form_of_the_answer_is_given() {
    let lab = Lab::new();
    lab.trail(&[
        create_cluster(BORN, &CREATOR, "prod", "API"),
        create_entry("2026-11-05T10:00:00Z", &CREATOR, &role("Eve")),
    ]);
    for (form, word) in [
        ("table", "access-entry"),
        ("csv", "ts,kind,account,region,cluster"),
        ("md", "| TIME | KIND |"),
        ("jsonl", "\"kind\":\"access-entry\""),
    ] {
        let lake = lab.lake();
        let out = assert_cmd::Command::cargo_bin("eksplain")
            .unwrap()
            .args(["--lake", lake.to_str().unwrap(), "-o", form, "changes", "--at", AT])
            .output()
            .unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success() && said.contains(word), "{form}: {said}");
        assert!(said.contains("pat@example.com"), "{form}: {said}");
    }
}
