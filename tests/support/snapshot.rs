//! Present state at any moment: what EKS, IAM and kubectl would have shown then.
//!
//! `ingest snapshot` looks at the clock of the machine; a test needs looks of other days. What EKS and IAM say is therefore put into the
//! lake as that command writes it (`aws/src/snapshot`): the same kinds, names and bodies. kubectl's documents go through the command
//! itself, as files of that time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use eksplain_ingest::{Intake, KeepRaw};
use eksplain_lake::{Lake, Origin, SnapshotRecord};
use serde_json::{Value, json};

use super::{ACCOUNT, Lab, PLACE, REGION};

/// One answer of an API or of kubectl.
#[derive(Clone)]
pub(crate) enum Document {
    /// `aws eks describe-cluster`.
    Cluster(Value),
    /// `aws eks list-access-entries` of a cluster: the whole list.
    AccessEntries(String, Vec<String>),
    /// `aws eks describe-access-entry`.
    AccessEntry(Value),
    /// `aws eks list-associated-access-policies`.
    AssociatedPolicies(Value),
    /// `aws iam get-role`.
    Role(Value),
    /// `aws iam get-user`.
    User(Value),
    /// IAM's `NoSuchEntity` for the principal of this ARN.
    NoSuchEntity(String),
    /// `kubectl get … -o json`.
    Kubectl(Value),
}

/// Puts documents, seen at one time, into a lake; its cluster is prod where a document names none.
pub(crate) fn snapshot(lake: &Path, taken_at: &str, documents: &[Document]) {
    let taken: jiff::Timestamp = taken_at.parse().unwrap();
    {
        let mut lake = Lake::open_or_create(lake).unwrap();
        let mut intake = begin(&mut lake);
        // One call after the other, as the command makes them.
        for (line, (kind, cluster, name, body)) in (1_u32..).zip(documents.iter().flat_map(records)) {
            let body = body.to_string();
            let record = SnapshotRecord {
                kind,
                name: &name,
                body: &body,
            };
            let region = cluster.is_some().then_some(REGION);
            let uri = format!("snapshot://{ACCOUNT}/{}", region.unwrap_or("iam"));
            let origin = Origin {
                account: Some(ACCOUNT),
                region,
                cluster: cluster.as_deref(),
                uri: &uri,
                line: line.into(),
                ts: Some(taken.as_microsecond() + i64::from(line) * 20_000),
                ..Origin::default()
            };
            intake.snapshot(&record, &origin);
        }
        intake.commit(Vec::new()).unwrap();
        intake.finish();
    }
    for (number, document) in documents.iter().enumerate() {
        if let Document::Kubectl(document) = document {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("kubectl-{number}.json"));
            std::fs::write(&path, format!("{document:#}")).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(taken.as_second().unsigned_abs());
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
            Command::cargo_bin("eksplain")
                .unwrap()
                .arg("--lake")
                .arg(lake)
                .args(["ingest", "snapshot", "--kubectl"])
                .arg(&path)
                .args(PLACE)
                .assert()
                .success();
        }
    }
}

/// Begins to write. The lock of a lake is this process's own: a child that another test has forked, and that has not yet become its
/// program, holds it a moment longer than we do.
fn begin(lake: &mut Lake) -> Intake {
    for _ in 0..100 {
        if let Ok(intake) = Intake::begin(lake, KeepRaw::Evidence) {
            return intake;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Intake::begin(lake, KeepRaw::Evidence).unwrap()
}

/// Kind, cluster, name and body of a row.
type Row = (&'static str, Option<String>, String, Value);

/// The rows of a document, as `ingest snapshot` writes them; the policies of an entry are a whole list besides.
fn records(document: &Document) -> Vec<Row> {
    let mut rows: Vec<Row> = record(document).into_iter().collect();
    if let (Document::AssociatedPolicies(answer), Some((_, cluster, principal, _))) = (document, rows.first().cloned())
    {
        let policies = answer["associatedAccessPolicies"].as_array().unwrap().iter();
        let arns: Vec<String> = policies
            .map(|policy| policy["policyArn"].as_str().unwrap().to_owned())
            .collect();
        let scope = json!({"of": "access_policy_association", "clusterName": cluster, "principalArn": principal});
        rows.push((
            "list",
            cluster,
            format!("access_policy_associations:{principal}"),
            complete(&arns, scope),
        ));
    }
    rows
}

fn record(document: &Document) -> Option<Row> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Some(match document {
        Document::Cluster(answer) => {
            let body = seconds(&answer["cluster"]);
            ("cluster", Some(text(&body["name"])), text(&body["name"]), body)
        }
        Document::AccessEntries(cluster, arns) => (
            "list",
            Some(cluster.clone()),
            "access_entries".to_owned(),
            complete(arns, json!({"of": "access_entry", "clusterName": cluster})),
        ),
        Document::AccessEntry(answer) => {
            let body = seconds(&answer["accessEntry"]);
            (
                "access_entry",
                Some(text(&body["clusterName"])),
                text(&body["principalArn"]),
                body,
            )
        }
        Document::AssociatedPolicies(answer) => {
            let mut body = answer.clone();
            for policy in body["associatedAccessPolicies"].as_array_mut().unwrap() {
                *policy = seconds(policy);
            }
            let (cluster, name) = (text(&body["clusterName"]), text(&body["principalArn"]));
            ("access_policy_association", Some(cluster), name, body)
        }
        Document::Role(answer) => (
            "iam_role",
            None,
            text(&answer["Role"]["RoleName"]),
            answer["Role"].clone(),
        ),
        Document::User(answer) => (
            "iam_user",
            None,
            text(&answer["User"]["UserName"]),
            answer["User"].clone(),
        ),
        Document::NoSuchEntity(arn) => {
            let name = arn.rsplit('/').next().unwrap();
            let (kind, label, noun) = if arn.contains(":role/") {
                ("iam_role", "RoleName", "role")
            } else {
                ("iam_user", "UserName", "user")
            };
            let message = format!("The {noun} with name {name} cannot be found.");
            let body = json!({"exists": false, label: name, "Arn": arn, "Error": {"Code": "NoSuchEntity", "Message": message}});
            (kind, None, name.to_owned(), body)
        }
        Document::Kubectl(_) => return None,
    })
}

/// What notes that a list is whole: what it lacks is not there.
fn complete(names: &[String], scope: Value) -> Value {
    let mut names = names.to_vec();
    names.sort();
    json!({"complete": true, "count": names.len(), "names": names, "scope": scope})
}

/// Times of EKS as the API gives them: seconds since 1970.
fn seconds(value: &Value) -> Value {
    let mut value = value.clone();
    for field in ["createdAt", "modifiedAt", "associatedAt"] {
        if let Some(time) = value[field].as_str() {
            #[allow(clippy::cast_precision_loss, reason = "seconds of our time fit")]
            let at = time.parse::<jiff::Timestamp>().unwrap().as_second() as f64;
            value[field] = json!(at);
        }
    }
    value
}

/// A look at prod that is being put together; [`Look::take`] gives it to a lake.
#[derive(Clone)]
pub(crate) struct Look {
    documents: Vec<Document>,
    entries: Option<Vec<String>>,
}

impl Look {
    /// At nothing yet: kubectl or IAM alone.
    pub(crate) fn new() -> Self {
        Self {
            documents: Vec::new(),
            entries: None,
        }
    }

    /// `describe-cluster` of prod, and in the modes that have them the list of its access entries.
    pub(crate) fn eks(mode: &str, created_at: &str) -> Self {
        let cluster = json!({"cluster": {"name": "prod", "arn": format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"), "createdAt": created_at, "version": "1.33",
            "status": "ACTIVE", "roleArn": super::role("eks-service"), "platformVersion": "eks.12", "endpoint": "https://ABC.gr7.us-west-2.eks.amazonaws.com",
            "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]}, "accessConfig": {"authenticationMode": mode}, "tags": {}}});
        Self {
            documents: vec![Document::Cluster(cluster)],
            entries: (mode != "CONFIG_MAP").then(Vec::new),
        }
    }

    /// An access entry with these policies at cluster scope.
    pub(crate) fn entry(self, principal: &str, created_at: &str, policies: &[&str]) -> Self {
        let policies: Vec<(&str, &[&str])> = policies.iter().map(|policy| (*policy, &[][..])).collect();
        self.entry_with(principal, created_at, &[], &policies)
    }

    /// An access entry with groups, and policies with the namespaces that limit them.
    pub(crate) fn entry_with(
        mut self,
        principal: &str,
        created_at: &str,
        groups: &[&str],
        policies: &[(&str, &[&str])],
    ) -> Self {
        self.entries.as_mut().unwrap().push(principal.to_owned());
        self.documents.push(Document::AccessEntry(json!({"accessEntry": {"clusterName": "prod", "principalArn": principal, "kubernetesGroups": groups,
            "accessEntryArn": format!("arn:aws:eks:{REGION}:{ACCOUNT}:access-entry/prod/role/{ACCOUNT}/x/0"), "createdAt": created_at, "modifiedAt": created_at,
            "username": principal, "type": "STANDARD", "tags": {}}})));
        let policies: Vec<Value> = policies
            .iter()
            .map(|(policy, namespaces)| {
                let kind = if namespaces.is_empty() { "cluster" } else { "namespace" };
                json!({"policyArn": format!("arn:aws:eks::aws:cluster-access-policy/{policy}"), "associatedAt": created_at, "modifiedAt": created_at,
                    "accessScope": {"type": kind, "namespaces": namespaces}})
            })
            .collect();
        self.documents.push(Document::AssociatedPolicies(
            json!({"clusterName": "prod", "principalArn": principal, "associatedAccessPolicies": policies}),
        ));
        self
    }

    /// IAM has the role or user, made at this time.
    pub(crate) fn iam(mut self, arn: &str, created_at: &str) -> Self {
        let name = arn.rsplit('/').next().unwrap();
        self.documents.push(if arn.contains(":role/") {
            let id = super::logs::unique_id("AROA", &format!("{name}{created_at}"));
            Document::Role(json!({"Role": {"Path": "/", "RoleName": name, "RoleId": id, "Arn": arn, "CreateDate": created_at, "MaxSessionDuration": 3600,
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}}]}}}))
        } else {
            let id = super::logs::unique_id("AIDA", &format!("{name}{created_at}"));
            Document::User(json!({"User": {"Path": "/", "UserName": name, "UserId": id, "Arn": arn, "CreateDate": created_at}}))
        });
        self
    }

    /// Changes what `get-role` said of a role.
    pub(crate) fn edit_role(&mut self, name: &str, edit: impl Fn(&mut Value)) {
        for document in &mut self.documents {
            if let Document::Role(answer) = document
                && answer["Role"]["RoleName"] == name
            {
                edit(&mut answer["Role"]);
            }
        }
    }

    /// IAM says NoSuchEntity.
    pub(crate) fn gone(mut self, arn: &str) -> Self {
        self.documents.push(Document::NoSuchEntity(arn.to_owned()));
        self
    }

    /// A document of kubectl.
    pub(crate) fn kubectl(mut self, document: Value) -> Self {
        self.documents.push(Document::Kubectl(document));
        self
    }

    /// `kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A` with these besides the defaults.
    pub(crate) fn rbac(self, objects: Vec<Value>) -> Self {
        self.kubectl(list(
            default_roles()
                .into_iter()
                .chain(default_bindings())
                .chain(objects)
                .collect(),
        ))
    }

    /// `kubectl get configmap aws-auth -n kube-system` with this `mapRoles`.
    pub(crate) fn aws_auth(self, map_roles: &str) -> Self {
        self.kubectl(aws_auth(map_roles))
    }

    pub(crate) fn take(&self, lab: &Lab, taken_at: &str) {
        let mut documents = self.documents.clone();
        if let Some(arns) = &self.entries {
            documents.insert(1, Document::AccessEntries("prod".to_owned(), arns.clone()));
        }
        snapshot(&lab.lake(), taken_at, &documents);
    }
}

/// A `List` of kubectl.
pub(crate) fn list(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// aws-auth with this `mapRoles`.
pub(crate) fn aws_auth(map_roles: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system", "resourceVersion": "812", "uid": "0d0e5f7e-1",
        "creationTimestamp": "2025-03-01T08:20:00Z"}, "data": {"mapRoles": map_roles}})
}

/// A line of `mapRoles` that makes a role a member of system:masters.
pub(crate) fn masters(role_arn: &str) -> String {
    format!(
        "- rolearn: {role_arn}\n  username: {}\n  groups:\n    - system:masters\n",
        role_arn.rsplit('/').next().unwrap()
    )
}

/// A ClusterRole.
pub(crate) fn cluster_role(name: &str, rules: Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "uid": format!("r-{name}"), "creationTimestamp": "2025-03-01T08:10:00Z"}, "rules": rules})
}

/// A ClusterRoleBinding of one subject.
pub(crate) fn cluster_role_binding(name: &str, role: &str, subject: Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name, "uid": format!("b-{name}"), "creationTimestamp": "2025-03-01T08:10:00Z"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": [subject]})
}

/// A RoleBinding to a ClusterRole.
pub(crate) fn role_binding(namespace: &str, name: &str, role: &str, subject: Value) -> Value {
    let mut binding = cluster_role_binding(name, role, subject);
    binding["kind"] = json!("RoleBinding");
    binding["metadata"]["namespace"] = json!(namespace);
    binding
}

/// `User:name` as a subject.
pub(crate) fn user_subject(name: &str) -> Value {
    json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

/// `Group:name` as a subject.
pub(crate) fn group_subject(name: &str) -> Value {
    json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

/// A service account as a subject.
pub(crate) fn account_subject(namespace: &str, name: &str) -> Value {
    json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
}

/// Rules of everything.
pub(crate) fn everything() -> Value {
    json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}])
}

/// A role and binding of two namespaces that every cluster has.
const SIGNER: &str = "system:controller:bootstrap-signer";

/// Some roles that every cluster has.
pub(crate) fn default_roles() -> Vec<Value> {
    let read = json!([{"apiGroups": [""], "resources": ["pods", "configmaps", "services"], "verbs": ["get", "list", "watch"]}]);
    let write =
        json!([{"apiGroups": [""], "resources": ["pods", "configmaps", "services", "secrets"], "verbs": ["*"]}]);
    let discover =
        json!([{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/version"], "verbs": ["get"]}]);
    let role = |name: &str, rules: Value| {
        let mut role = cluster_role(name, rules);
        role["metadata"]["labels"] = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
        role
    };
    let signs = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}]);
    let signer = |namespace: &str| {
        let mut role = role(SIGNER, signs.clone());
        role["kind"] = json!("Role");
        role["metadata"]["namespace"] = json!(namespace);
        role
    };
    vec![
        role("cluster-admin", everything()),
        role("admin", write.clone()),
        role("edit", write),
        role("view", read),
        role("system:discovery", discover),
        signer("kube-public"),
        signer("kube-system"),
    ]
}

/// Some bindings that every cluster has.
pub(crate) fn default_bindings() -> Vec<Value> {
    let labelled = |mut binding: Value| {
        binding["metadata"]["labels"] = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
        binding
    };
    let signer = |namespace: &str| {
        let mut binding = labelled(role_binding(
            namespace,
            SIGNER,
            SIGNER,
            account_subject("kube-system", "bootstrap-signer"),
        ));
        binding["roleRef"]["kind"] = json!("Role");
        binding
    };
    vec![
        labelled(cluster_role_binding(
            "cluster-admin",
            "cluster-admin",
            group_subject("system:masters"),
        )),
        labelled(cluster_role_binding(
            "system:discovery",
            "system:discovery",
            group_subject("system:authenticated"),
        )),
        signer("kube-public"),
        signer("kube-system"),
    ]
}
