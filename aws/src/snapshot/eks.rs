//! Clusters, access entries and their policies, as the EKS API shows them.

use aws_smithy_types::DateTime;
use eksplain_ingest::{LIST, complete_list};
use futures::StreamExt;
use serde_json::{Map, Value, json};

use super::{Seen, now};
use crate::access::{Account, Aws};
use crate::fault::{Fault, Kind};
use crate::quota::Api;

/// Access entries asked at a time, of one cluster.
const WIDTH: usize = 4;

/// The EKS API of one account and region.
pub(super) struct Client<'a> {
    aws: &'a Aws,
    account: &'a Account,
    region: &'a str,
    client: aws_sdk_eks::Client,
}

impl<'a> Client<'a> {
    pub(super) fn new(aws: &'a Aws, account: &'a Account, region: &'a str) -> Self {
        Self {
            aws,
            account,
            region,
            client: aws_sdk_eks::Client::new(&account.within(region)),
        }
    }

    async fn call<T, F: Future<Output = Result<T, Fault>>>(&self, call: impl FnMut() -> F) -> Result<T, Fault> {
        self.aws.call(self.account, self.region, Api::Eks, call).await
    }

    pub(super) async fn clusters(&self) -> Result<Vec<String>, Fault> {
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .call(async || {
                    let answer = self.client.list_clusters().set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("eks:ListClusters", error))
                })
                .await?;
            names.extend(page.clusters().iter().cloned());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                names.sort_unstable();
                return Ok(names);
            }
        }
    }

    /// All that EKS tells of a cluster; what it refuses is told beside.
    pub(super) async fn look_at(&self, name: &str) -> (Vec<Seen>, Vec<Fault>) {
        let (mut seen, mut faults) = (Vec::new(), Vec::new());
        let body = match self.describe(name).await {
            Ok(body) => body,
            Err(fault) => return (seen, vec![fault]),
        };
        let has_entries = body["accessConfig"]["authenticationMode"] != "CONFIG_MAP";
        seen.push(object("cluster", name, name, body));
        if !has_entries {
            return (seen, faults);
        }
        let entries = match self.entries(name).await {
            Ok(entries) => {
                let scope = json!({"of": "access_entry", "clusterName": name});
                seen.push(object(LIST, name, "access_entries", complete_list(&entries, scope)));
                entries
            }
            // Where a cluster's platform has no access entries yet, the API says so.
            Err(fault) if fault.code == "InvalidRequestException" => Vec::new(),
            Err(fault) => {
                faults.push(fault);
                Vec::new()
            }
        };
        let answers: Vec<_> = futures::stream::iter(entries)
            .map(|arn| async move {
                let entry = self.entry(name, &arn).await;
                let policies = self.policies(name, &arn).await;
                (arn, entry, policies)
            })
            .buffered(WIDTH)
            .collect()
            .await;
        for (arn, entry, policies) in answers {
            for (kind, answer) in [("access_entry", entry), ("access_policy_association", policies)] {
                match answer {
                    Ok(body) => {
                        let list = policy_list(&body, name, &arn);
                        seen.push(object(kind, name, &arn, body));
                        seen.extend(list.filter(|_| kind == "access_policy_association"));
                    }
                    // Deleted between two calls.
                    Err(fault) if fault.kind == Kind::NotFound => {}
                    Err(fault) => faults.push(fault),
                }
            }
        }
        (seen, faults)
    }

    pub(super) async fn describe(&self, name: &str) -> Result<Value, Fault> {
        let answer = self
            .call(async || {
                let answer = self.client.describe_cluster().name(name).send().await;
                answer.map_err(|error| Fault::of("eks:DescribeCluster", error))
            })
            .await?;
        let cluster = answer
            .cluster()
            .ok_or_else(|| Fault::other("eks:DescribeCluster", "an answer without a cluster", name))?;
        let access = cluster.access_config().map(|access| {
            bare(json!({
                "authenticationMode": access.authentication_mode().map(|mode| mode.as_str()),
                "bootstrapClusterCreatorAdminPermissions": access.bootstrap_cluster_creator_admin_permissions(),
            }))
        });
        let network = cluster.resources_vpc_config().map(|network| {
            json!({
                "endpointPublicAccess": network.endpoint_public_access(),
                "endpointPrivateAccess": network.endpoint_private_access(),
                "publicAccessCidrs": network.public_access_cidrs(),
            })
        });
        let logging = cluster.logging().map(|logging| {
            let setups = logging.cluster_logging().iter().map(|setup| {
                let types: Vec<&str> = setup.types().iter().map(|kind| kind.as_str()).collect();
                json!({"enabled": setup.enabled(), "types": types})
            });
            json!({"clusterLogging": setups.collect::<Vec<_>>()})
        });
        Ok(bare(json!({
            "name": cluster.name(),
            "arn": cluster.arn(),
            "createdAt": cluster.created_at().map(time),
            "version": cluster.version(),
            "platformVersion": cluster.platform_version(),
            "status": cluster.status().map(|status| status.as_str()),
            "endpoint": cluster.endpoint(),
            "roleArn": cluster.role_arn(),
            "resourcesVpcConfig": network,
            "logging": logging,
            "accessConfig": access,
            "tags": cluster.tags(),
        })))
    }

    async fn entries(&self, cluster: &str) -> Result<Vec<String>, Fault> {
        let (mut arns, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .call(async || {
                    let request = self.client.list_access_entries().cluster_name(cluster);
                    let answer = request.set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("eks:ListAccessEntries", error))
                })
                .await?;
            arns.extend(page.access_entries().iter().cloned());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    async fn entry(&self, cluster: &str, arn: &str) -> Result<Value, Fault> {
        let answer = self
            .call(async || {
                let request = self
                    .client
                    .describe_access_entry()
                    .cluster_name(cluster)
                    .principal_arn(arn);
                request
                    .send()
                    .await
                    .map_err(|error| Fault::of("eks:DescribeAccessEntry", error))
            })
            .await?;
        let entry = answer
            .access_entry()
            .ok_or_else(|| Fault::other("eks:DescribeAccessEntry", "an answer without an entry", arn))?;
        Ok(bare(json!({
            "clusterName": cluster,
            "principalArn": entry.principal_arn(),
            "kubernetesGroups": entry.kubernetes_groups(),
            "accessEntryArn": entry.access_entry_arn(),
            "createdAt": entry.created_at().map(time),
            "modifiedAt": entry.modified_at().map(time),
            "username": entry.username(),
            "type": entry.r#type(),
            "tags": entry.tags(),
        })))
    }

    async fn policies(&self, cluster: &str, arn: &str) -> Result<Value, Fault> {
        let (mut policies, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .call(async || {
                    let request = self
                        .client
                        .list_associated_access_policies()
                        .cluster_name(cluster)
                        .principal_arn(arn);
                    let answer = request.set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("eks:ListAssociatedAccessPolicies", error))
                })
                .await?;
            policies.extend(page.associated_access_policies().iter().map(|policy| {
                let scope = policy.access_scope().map(
                    |scope| json!({"type": scope.r#type().map(|kind| kind.as_str()), "namespaces": scope.namespaces()}),
                );
                bare(json!({
                    "policyArn": policy.policy_arn(),
                    "accessScope": scope,
                    "associatedAt": policy.associated_at().map(time),
                    "modifiedAt": policy.modified_at().map(time),
                }))
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(json!({"clusterName": cluster, "principalArn": arn, "associatedAccessPolicies": policies}));
            }
        }
    }
}

/// The record that says that these are all policies of an access entry.
fn policy_list(body: &Value, cluster: &str, arn: &str) -> Option<Seen> {
    let policies = body["associatedAccessPolicies"].as_array()?;
    let names: Vec<&str> = policies
        .iter()
        .filter_map(|policy| policy["policyArn"].as_str())
        .collect();
    let scope = json!({"of": "access_policy_association", "clusterName": cluster, "principalArn": arn});
    let name = format!("access_policy_associations:{arn}");
    Some(object(LIST, cluster, &name, complete_list(&names, scope)))
}

fn object(kind: &'static str, cluster: &str, name: &str, body: Value) -> Seen {
    Seen {
        kind,
        cluster: Some(cluster.to_owned()),
        name: name.to_owned(),
        body,
        ts: now(),
    }
}

/// Without the fields that EKS did not give: absent is not null.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

fn time(time: &DateTime) -> Value {
    json!(time.as_secs_f64())
}
