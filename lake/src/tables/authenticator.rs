//! `authenticator`: one line of the EKS authenticator log.

use eksplain_parse::arn::{Arn, canonical_arn};
use eksplain_parse::authenticator::{AuthenticatorRecord, Kind};

use crate::fingerprint::Fingerprint;
use crate::id::ContentHash;
use crate::rows::Origin;
use crate::tables::{columns, filled, json_list};

columns! {
    /// Builders of the table's own columns.
    struct AuthenticatorColumns {
        /// CloudWatch log stream
        stream: Text,
        /// Log level, as written
        level: Text,
        /// Message: `access granted`, `access denied`, `STS response`, …
        msg: Text,
        /// granted, denied, error or info
        outcome: Text,
        /// The `arn` field: canonical by the authenticator's rule in grants, with the session in STS responses
        arn: Text,
        /// ARN in the form of answers
        canonical_arn: Text,
        /// Kubernetes user name
        username: Text,
        /// Kubernetes groups
        groups: Texts,
        /// Groups as JSON text, for engines that cannot group by lists
        groups_json: Text,
        /// groups holds exactly system:masters
        masters: Flag,
        /// `aws-iam-authenticator:<account>:<unique id>`
        uid: Text,
        /// Unique id that STS gave
        user_id: Text,
        /// Key that signed the token
        access_key_id: Long,
        /// Role session
        session: Long,
        /// The API server's connection
        client: Long,
        /// HTTP method
        method: Text,
        /// URL path
        path: Text,
        /// STS endpoint that was asked
        sts_endpoint: Text,
        /// Text of the refusal or fault, one layer of quoting undone
        error: Text,
    }
}

impl AuthenticatorColumns {
    pub(crate) fn push(&mut self, record: &AuthenticatorRecord<'_>, origin: &Origin<'_>) {
        // Fields of a cut or foreign line are text, not facts: only a line of the authenticator itself has identities.
        let own = !matches!(record.kind, Kind::Klog | Kind::Raw);
        let field = |key: &str| filled(record.field(key)).filter(|_| own);
        let arn = field("arn");
        let session =
            field("session").or_else(|| arn.and_then(|text| Arn::parse(text).ok()).and_then(|arn| arn.session()));
        self.stream.push(origin.stream);
        self.level.push(record.level.as_deref());
        self.msg.push(record.msg.as_deref());
        self.outcome.push(Some(record.outcome().as_str()));
        self.arn.push(arn);
        self.canonical_arn.push(arn.and_then(canonical_arn).as_deref());
        self.username.push(field("username"));
        self.groups.push(record.groups.as_deref());
        self.groups_json
            .push(record.groups.as_deref().and_then(json_list).as_deref());
        self.masters.push(record.groups.as_ref().map(|_| record.masters()));
        self.uid.push(field("uid"));
        self.user_id.push(field("userid"));
        self.access_key_id.push(field("accesskeyid"));
        self.session.push(session);
        self.client.push(field("client"));
        self.method.push(field("method"));
        self.path.push(field("path"));
        self.sts_endpoint.push(field("stsendpoint").or_else(|| field("sts")));
        self.error.push(field("error"));
    }
}

/// What makes a line of a cluster the same, but for its place among its like: stream, time and text.
pub(crate) fn line_hash(
    ts: Option<i64>,
    text: &str,
    origin: &Origin<'_>,
    fingerprint: &mut Fingerprint,
) -> ContentHash {
    fingerprint.begin();
    fingerprint.texts([origin.stream, Some(text)]);
    fingerprint.number(ts);
    fingerprint.finish()
}

/// The hash of a line in its cluster. A line of no cluster has the plain one, so that the cluster can be said later.
pub(crate) fn in_cluster(line: ContentHash, cluster: Option<&str>, fingerprint: &mut Fingerprint) -> ContentHash {
    if cluster.is_none() {
        return line;
    }
    fingerprint.begin();
    fingerprint.hash(&line);
    fingerprint.text(cluster);
    fingerprint.finish()
}
