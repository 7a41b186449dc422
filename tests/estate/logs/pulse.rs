//! The daily hum: what every living cluster and every account logs of itself all day, so that silence is a hole and not a habit.

use super::*;

const HOUR_MS: i64 = 3_600_000;

impl Logs<'_> {
    /// Adds the hum from `window_start` to `until`: of each living cluster a lease of a controller and a login of EKS itself, of each
    /// account and region a call by a service of AWS, every 3 to 5 hours.
    pub(crate) fn hum(&mut self, plan: &[(Time, Op)], window_start: Time, until: Time, seed: u64) {
        let mut rng = Rng::new(seed ^ 0x7075_6C73);
        for (cluster, from, to) in lives(plan, window_start, until) {
            for at_ms in beats(&mut rng, from, to) {
                let content = lease(&mut rng, at_ms);
                self.beat((cluster, "kube-apiserver-audit"), at_ms, content);
            }
            for at_ms in beats(&mut rng, from, to) {
                let content = own_login(&mut rng, at_ms);
                self.beat((cluster, "authenticator"), at_ms, content);
            }
        }
        for (account, region) in self.trails() {
            for at_ms in beats(&mut rng, window_start, until) {
                let content = service_call(&mut rng, &account, &region, at_ms);
                let key = (account.clone(), region.clone(), iso(at_ms / 1000)[..10].to_owned());
                self.trail.entry(key).or_default().push(Record {
                    at_ms,
                    content,
                    op: None,
                    changes: false,
                });
            }
        }
        self.trail.values_mut().for_each(|day| day.sort_by_key(|r| r.at_ms));
        self.streams
            .values_mut()
            .for_each(|lines| lines.sort_by_key(|r| r.at_ms));
    }

    /// Every account with the regions of its clusters and the home of IAM's events.
    fn trails(&self) -> Vec<(String, String)> {
        let mut trails: Vec<(String, String)> = Vec::new();
        for n in &self.names.names {
            trails.push((n.account.clone(), n.region.clone()));
            trails.push((n.account.clone(), "us-east-1".to_owned()));
        }
        trails.sort();
        trails.dedup();
        trails
    }

    fn beat(&mut self, stream: (usize, &'static str), at_ms: i64, content: String) {
        self.streams.entry(stream).or_default().push(Record {
            at_ms,
            content,
            op: None,
            changes: false,
        });
    }
}

/// Cluster, beginning and end of each life within the window.
fn lives(plan: &[(Time, Op)], window_start: Time, until: Time) -> Vec<(usize, Time, Time)> {
    let mut lives: Vec<(usize, Time, Time)> = Vec::new();
    for (at, op) in plan {
        match op {
            Op::CreateCluster { cluster, .. } => lives.push((*cluster, (*at).max(window_start), until)),
            Op::DeleteCluster { cluster, .. } => {
                if let Some(life) = lives.iter_mut().rev().find(|life| life.0 == *cluster) {
                    life.2 = *at;
                }
            }
            _ => {}
        }
    }
    lives
}

/// Moments in milliseconds, the first soon after `from`.
fn beats(rng: &mut Rng, from: Time, to: Time) -> Vec<i64> {
    let mut at = from * 1000 + 60_000 + rng.below(240_000) as i64;
    let mut found = Vec::new();
    while at < to * 1000 {
        found.push(at);
        at += 3 * HOUR_MS + rng.below(2 * HOUR_MS as usize) as i64;
    }
    found
}

fn lease(rng: &mut Rng, at_ms: i64) -> String {
    let time = stamp(at_ms * 1000, 6);
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": rng.uuid(), "stage": "ResponseComplete",
        "requestURI": "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager?timeout=5s", "verb": "update",
        "user": {"username": "system:kube-controller-manager", "groups": ["system:authenticated"]}, "sourceIPs": ["10.0.12.7"],
        "userAgent": "kube-controller-manager/v1.31.0 (linux/amd64) kubernetes/9edcffc/leader-election",
        "objectRef": {"resource": "leases", "namespace": "kube-system", "name": "kube-controller-manager", "apiGroup": "coordination.k8s.io", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200}, "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed by ClusterRoleBinding \"system:kube-controller-manager\" of ClusterRole \"system:kube-controller-manager\" to User \"system:kube-controller-manager\""}})
    .to_string()
}

fn own_login(rng: &mut Rng, at_ms: i64) -> String {
    let client = 40000 + rng.below(9000);
    format!(
        "time=\"{}\" level=info msg=\"access granted\" arn=\"arn:aws:iam::222233334444:role/AWSWesleyClusterManagerLambda-Add-AddonManagerRole-1ABCDEFGHIJK2\" client=\"127.0.0.1:{client}\" groups=\"[]\" method=POST path=/authenticate stsendpoint=sts.us-east-1.amazonaws.com uid=\"aws-iam-authenticator:222233334444:AROAEXAMPLEADDONMGR01\" username=\"eks:addon-manager\"",
        iso(at_ms / 1000)
    )
}

fn service_call(rng: &mut Rng, account: &str, region: &str, at_ms: i64) -> Value {
    let role = format!("arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig");
    json!({"eventVersion": "1.10", "userIdentity": {"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "eventTime": iso(at_ms / 1000),
        "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "awsRegion": region, "sourceIPAddress": "config.amazonaws.com",
        "userAgent": "config.amazonaws.com", "requestParameters": {"roleArn": role, "roleSessionName": "AWSConfig-Describe"},
        "responseElements": {"credentials": {"accessKeyId": format!("ASIA{}", rng.base32(16)), "sessionToken": "x", "expiration": "Mar 2, 2026, 1:00:00 AM"},
            "assumedRoleUser": {"assumedRoleId": "AROAEXAMPLECONFIG00001:AWSConfig-Describe", "arn": format!("arn:aws:sts::{account}:assumed-role/AWSServiceRoleForConfig/AWSConfig-Describe")}},
        "requestID": rng.uuid(), "eventID": rng.uuid(), "readOnly": true, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": account, "sharedEventID": rng.uuid(), "eventCategory": "Management"})
}
