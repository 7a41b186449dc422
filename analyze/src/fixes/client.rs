//! Fixes on the side of the caller: kubeconfig, credentials, clock, and how to see who one is.

use super::fix;
use super::names::{WholeArn, cluster_itself};
use crate::findings::{Cluster, Fix, RequestShape};
use crate::shell::quote;

/// How to see what the refused identity is.
pub(crate) fn verify() -> Fix {
    fix(
        "Check as the refused identity",
        vec![
            "aws sts get-caller-identity".to_owned(),
            "kubectl auth whoami".to_owned(),
        ],
    )
}

/// How to see which AWS credentials are used.
pub(crate) fn who_am_i() -> Fix {
    fix(
        "See which credentials are used, and whose they are",
        vec![
            "aws configure list".to_owned(),
            "aws sts get-caller-identity".to_owned(),
        ],
    )
}

/// The same, and whether the refused request goes through now.
pub(crate) fn verify_request(shape: &RequestShape) -> Fix {
    let mut verify = verify();
    verify.commands.extend(can_i(shape, shape.namespace.as_deref()));
    verify
}

/// Asks the API server about a request in a namespace, or in all.
pub(crate) fn can_i(shape: &RequestShape, namespace: Option<&str>) -> Option<String> {
    let verb = quote(shape.verb.as_deref()?);
    if let Some(url) = &shape.non_resource_url {
        return Some(format!("kubectl auth can-i {verb} {}", quote(url)));
    }
    let resource = shape.resource.as_deref()?;
    let group = shape.api_group.as_deref().filter(|group| !group.is_empty());
    let mut what = group.map_or(resource.to_owned(), |group| format!("{resource}.{group}"));
    if let Some(name) = &shape.name {
        what = format!("{what}/{name}");
    }
    let subresource = shape
        .subresource
        .as_deref()
        .map(|sub| format!(" --subresource={}", quote(sub)));
    let place = match namespace {
        Some(namespace) => format!(" -n {}", quote(namespace)),
        None => " -A".to_owned(),
    };
    Some(format!(
        "kubectl auth can-i {verb} {}{}{place}",
        quote(&what),
        subresource.unwrap_or_default()
    ))
}

/// Writes the kubeconfig of a cluster.
pub(crate) fn update_kubeconfig(cluster: Option<&Cluster>) -> String {
    match cluster {
        Some(cluster) => format!("aws eks update-kubeconfig {}", cluster_itself(cluster)),
        None => "aws eks update-kubeconfig --name CLUSTER --region REGION".to_owned(),
    }
}

/// Writes the kubeconfig of a cluster, to be used by assuming a role.
pub(crate) fn update_kubeconfig_by_role(cluster: &Cluster, role: &WholeArn) -> String {
    format!(
        "aws eks update-kubeconfig {} --role-arn {}",
        cluster_itself(cluster),
        role.word
    )
}

/// A kubeconfig that makes its own tokens.
pub(crate) fn regenerate_kubeconfig(cluster: Option<&Cluster>) -> Fix {
    fix("Regenerate the kubeconfig", vec![update_kubeconfig(cluster)])
}

/// A kubeconfig in place of a token that was copied.
pub(crate) fn fresh_tokens(cluster: Option<&Cluster>) -> Fix {
    fix(
        "Let kubectl get a new token for each command, and set the client's clock if it is wrong",
        vec![update_kubeconfig(cluster)],
    )
}

/// New temporary credentials.
pub(crate) fn renew_credentials() -> Fix {
    fix(
        "Renew the credentials",
        vec!["aws sso login".to_owned(), "aws sts get-caller-identity".to_owned()],
    )
}

/// The regional endpoint of STS.
pub(crate) fn regional_sts(cluster: Option<&Cluster>) -> Fix {
    fix(
        "Sign with the regional STS endpoint of the cluster's partition",
        vec![
            "export AWS_STS_REGIONAL_ENDPOINTS=regional".to_owned(),
            update_kubeconfig(cluster),
        ],
    )
}

/// The client's clock.
pub(crate) fn set_clock() -> Fix {
    fix("Set the client's clock", vec!["chronyc makestep".to_owned()])
}

/// Turns the logs on that say why logins fail.
pub(crate) fn enable_login_logs(cluster: Option<&Cluster>) -> Fix {
    let cluster = match cluster {
        Some(cluster) => cluster_itself(cluster),
        None => "--name CLUSTER --region REGION".to_owned(),
    };
    let command = format!(
        "aws eks update-cluster-config {cluster} --logging '{{\"clusterLogging\":[{{\"types\":[\"authenticator\",\"audit\"],\"enabled\":true}}]}}'"
    );
    fix("Turn the authenticator and audit logs on", vec![command])
}

/// The cluster's own OIDC providers.
pub(crate) fn identity_providers(cluster: &Cluster) -> Fix {
    fix(
        "Compare issuer, audience and claims of the token with the cluster's identity provider configuration",
        vec![format!(
            "aws eks list-identity-provider-configs {}",
            super::names::of_cluster(cluster)
        )],
    )
}
