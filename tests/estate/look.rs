//! A look at present state: what `aws eks`, `aws iam` and `kubectl` would print of the company at one moment, one file an answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::logs::{Files, iso, map_text};
use super::world::{Kind, Life, Mode, Op, Principal, Subject, Time, World};

/// When the principals that were there before everything else were made.
const FOUNDING: Time = 1_735_689_600;

/// The parts of a look, which people leave out one or the other of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parts {
    pub eks: bool,
    pub iam: bool,
    pub kubectl: bool,
}

impl Parts {
    pub(crate) const ALL: Self = Self {
        eks: true,
        iam: true,
        kubectl: true,
    };
}

/// The answers of every living cluster, under `look/{account}/{region}/{cluster}/`: `--layout '{account}/{region}/{cluster}/*'`.
pub(crate) fn look(world: &World, parts: Parts) -> Files {
    let mut files = Files::new();
    for cluster in world.lives.keys() {
        let Some(life) = world.life(*cluster) else { continue };
        let n = &world.names[*cluster];
        let mut answers: Vec<(String, Value)> = Vec::new();
        if parts.eks {
            eks(world, *cluster, life, &mut answers);
        }
        if parts.iam {
            let own = world
                .principals
                .iter()
                .enumerate()
                .filter(|(_, p)| p.account == n.account);
            answers.extend(own.map(|(index, p)| (format!("iam-{index}"), iam(world, index, p))));
        }
        if parts.kubectl {
            answers.push(("rbac".to_owned(), rbac(life)));
            answers.push(("config-maps".to_owned(), config_maps(life)));
        }
        for (number, (name, answer)) in answers.into_iter().enumerate() {
            let path = format!("look/{}/{}/{}/{number:02}-{name}.json", n.account, n.region, n.name);
            files.insert(path, format!("{answer:#}\n").into_bytes());
        }
    }
    files
}

fn eks(world: &World, cluster: usize, life: &Life, answers: &mut Vec<(String, Value)>) {
    let n = &world.names[cluster];
    let arn = format!("arn:aws:eks:{}:{}:cluster/{}", n.region, n.account, n.name);
    answers.push((
        "cluster".to_owned(),
        json!({"cluster": {"name": n.name, "arn": arn, "createdAt": written(life.created), "version": "1.31", "platformVersion": "eks.12",
            "status": "ACTIVE", "endpoint": "https://EXAMPLE.gr7.eks.amazonaws.com", "roleArn": format!("arn:aws:iam::{}:role/eks-service", n.account),
            "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]},
            "accessConfig": {"authenticationMode": life.mode.text(), "bootstrapClusterCreatorAdminPermissions": life.bootstrap}}}),
    ));
    if life.mode == Mode::ConfigMap {
        return;
    }
    let arns: Vec<String> = life
        .entries
        .iter()
        .map(|e| world.principals[e.principal].arn())
        .collect();
    answers.push(("entries".to_owned(), json!({"accessEntries": arns})));
    for entry in &life.entries {
        let p = &world.principals[entry.principal];
        let noun = if p.kind == Kind::User { "user" } else { "role" };
        let username = if p.kind == Kind::User {
            p.arn()
        } else {
            p.sts_arn("{{SessionName}}")
        };
        answers.push((
            "entry".to_owned(),
            json!({"accessEntry": {"clusterName": n.name, "principalArn": p.arn(), "kubernetesGroups": entry.groups, "username": username, "type": "STANDARD",
                "accessEntryArn": format!("arn:aws:eks:{}:{}:access-entry/{}/{noun}/{}/{}/00c0ffee", n.region, n.account, n.name, n.account, p.name),
                "createdAt": written(entry.made), "modifiedAt": written(entry.made), "tags": {}}}),
        ));
        let policies: Vec<Value> = entry.policies.iter().map(|(policy, namespaces)| {
            let scope = if namespaces.is_empty() { json!({"type": "cluster", "namespaces": []}) } else { json!({"type": "namespace", "namespaces": namespaces}) };
            let at = written(entry.associated[policy]);
            json!({"policyArn": format!("arn:aws:eks::aws:cluster-access-policy/{policy}"), "accessScope": scope, "associatedAt": at, "modifiedAt": at})
        }).collect();
        answers.push((
            "policies".to_owned(),
            json!({"associatedAccessPolicies": policies, "clusterName": n.name, "principalArn": p.arn()}),
        ));
    }
}

fn iam(world: &World, index: usize, p: &Principal) -> Value {
    let is_user = p.kind == Kind::User;
    let Some(life) = world.alive[index] else {
        let noun = if is_user { "user" } else { "role" };
        return json!({"Error": {"Code": "NoSuchEntity", "Message": format!("The {noun} with name {} cannot be found.", p.name)}});
    };
    let made = written(world.recreated_at[index].unwrap_or(FOUNDING));
    let id = &p.unique_ids[life];
    if is_user {
        json!({"User": {"Path": p.path, "UserName": p.name, "UserId": id, "Arn": p.arn(), "CreateDate": made}})
    } else {
        json!({"Role": {"Path": p.path, "RoleName": p.name, "RoleId": id, "Arn": p.arn(), "CreateDate": made,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}, "MaxSessionDuration": 3600}})
    }
}

/// `kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json`.
fn rbac(life: &Life) -> Value {
    let api = "rbac.authorization.k8s.io";
    let version = format!("{api}/v1");
    let default = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
    let role = |name: &str, labels: &Value, rules: Value| json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name, "labels": labels, "creationTimestamp": iso(life.created)}, "rules": rules});
    let every =
        json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]);
    let reads = json!([{"apiGroups": [""], "resources": ["pods", "configmaps", "services"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]);
    let mut items = vec![role("cluster-admin", &default, every), role("view", &default, reads)];
    if life.bindings.values().any(|(role, _)| role == "pod-getter") {
        items.push(role(
            "pod-getter",
            &json!({}),
            json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        ));
    }
    let reference = |name: &str, kind: &str| json!({"apiGroup": api, "kind": kind, "name": name});
    items.push(json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "cluster-admin", "labels": default, "creationTimestamp": iso(life.created)},
        "roleRef": reference("cluster-admin", "ClusterRole"), "subjects": [{"apiGroup": api, "kind": "Group", "name": "system:masters"}]}));
    let signer = "system:controller:bootstrap-signer";
    items.push(json!({"apiVersion": version, "kind": "Role", "metadata": {"name": signer, "namespace": "kube-system", "labels": default, "creationTimestamp": iso(life.created)},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}]}));
    items.push(json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": signer, "namespace": "kube-system", "labels": default, "creationTimestamp": iso(life.created)},
        "roleRef": reference(signer, "Role"), "subjects": [{"kind": "ServiceAccount", "namespace": "kube-system", "name": "bootstrap-signer"}]}));
    for (key, (role, subject)) in &life.bindings {
        let (name, namespace) = key;
        let mut metadata = json!({"name": name, "creationTimestamp": iso(life.bound[key])});
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        let kind = if namespace.is_some() {
            "RoleBinding"
        } else {
            "ClusterRoleBinding"
        };
        let subject = match subject {
            Subject::User(user) => json!({"apiGroup": api, "kind": "User", "name": user}),
            Subject::Group(group) => json!({"apiGroup": api, "kind": "Group", "name": group}),
            Subject::ServiceAccount(namespace, name) => {
                json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
            }
        };
        items.push(json!({"apiVersion": version, "kind": kind, "metadata": metadata, "roleRef": reference(role, "ClusterRole"), "subjects": [subject]}));
    }
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// `kubectl get --raw /api/v1/namespaces/kube-system/configmaps`: a whole list, so that it also shows that there is no aws-auth.
fn config_maps(life: &Life) -> Value {
    let mut items = vec![
        json!({"metadata": {"name": "kube-root-ca.crt", "namespace": "kube-system", "creationTimestamp": iso(life.created)}, "data": {"ca.crt": "x"}}),
    ];
    if let Some(mappings) = &life.aws_auth {
        items.push(json!({"metadata": {"name": "aws-auth", "namespace": "kube-system", "resourceVersion": "7"},
            "data": {"mapRoles": map_text(mappings, false, life.broken_roles), "mapUsers": map_text(mappings, true, false)}}));
    }
    json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "8"}, "items": items})
}

/// Creations of aws-auth that one of the looks shows: nothing wrote it between.
pub(crate) fn shown_creations(plan: &[(Time, Op)], looks: &[Time]) -> BTreeSet<Time> {
    let touches = |op: &Op, of: usize| match op {
        Op::CreateAwsAuth { cluster, .. }
        | Op::WriteAwsAuth { cluster, .. }
        | Op::DeleteAwsAuth { cluster, .. }
        | Op::DeleteCluster { cluster, .. } => *cluster == of,
        _ => false,
    };
    let creations = plan.iter().enumerate().filter_map(|(place, (at, op))| match op {
        Op::CreateAwsAuth { cluster, .. } => Some((place, *at, *cluster)),
        _ => None,
    });
    creations
        .filter(|(place, at, cluster)| {
            let end = plan[place + 1..]
                .iter()
                .find(|(_, op)| touches(op, *cluster))
                .map_or(Time::MAX, |(end, _)| *end);
            looks.iter().any(|look| (*at..end).contains(look))
        })
        .map(|(_, at, _)| at)
        .collect()
}

fn written(t: Time) -> String {
    iso(t).replace('Z', "+00:00")
}
