//! Control-plane logging, switched off and on again by a call that the trail keeps.

use super::*;

impl Logs<'_> {
    /// `UpdateClusterConfig` with `logging`, by the account's root.
    pub(crate) fn switch_logging(&mut self, cluster: usize, at_ms: i64, is_on: bool, rng: &mut Rng) {
        let n = self.names.names[cluster].clone();
        let setup = json!({"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": is_on}]});
        let content = json!({"eventVersion": "1.10", "eventTime": iso(at_ms / 1000), "eventSource": "eks.amazonaws.com", "eventName": "UpdateClusterConfig",
            "userIdentity": {"type": "Root", "principalId": n.account, "arn": format!("arn:aws:iam::{}:root", n.account), "accountId": n.account},
            "awsRegion": n.region, "sourceIPAddress": "203.0.113.9", "userAgent": "console.amazonaws.com",
            "requestParameters": {"name": n.name, "logging": setup},
            "responseElements": {"update": {"id": rng.uuid(), "status": "InProgress", "type": "LoggingUpdate",
                "params": [{"type": "ClusterLogging", "value": setup.to_string()}]}},
            "requestID": rng.uuid(), "eventID": rng.uuid(), "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
            "recipientAccountId": n.account, "eventCategory": "Management"});
        let key = (n.account, n.region, iso(at_ms / 1000)[..10].to_owned());
        let records = self.trail.entry(key).or_default();
        records.push(Record {
            at_ms,
            content,
            op: None,
            changes: false,
        });
        records.sort_by_key(|r| r.at_ms);
    }
}
