//! What to do about a reason where no command can be made from the records: for every reason of the taxonomy, so that none is without.

use super::words;
use crate::findings::Fix;
use crate::words::Reason;

/// The sentence for a reason.
pub(crate) fn of(reason: Reason) -> Fix {
    words(sentence(reason))
}

fn sentence(reason: Reason) -> &'static str {
    use Reason as R;
    match reason {
        R::AdmissionDenied => {
            "Change the object as the message says; permissions are not the problem, so do not widen them"
        }
        R::AdmissionLimitrange => "Set the object's resources within the LimitRange of the namespace",
        R::AdmissionNamespaceNotFound => "Create the namespace, or correct its name",
        R::AdmissionNamespaceTerminating => {
            "Wait until the namespace is gone, or use another; a finalizer may hold it up"
        }
        R::AdmissionNoderestriction => {
            "Nothing to grant: a kubelet may change only its own node and its pods; use another identity for anything else"
        }
        R::AdmissionPodSecurity => {
            "Change the pod as the message says, or let the namespace's owner set another Pod Security level"
        }
        R::AdmissionPolicy => {
            "Change the object as the policy's message says, or ask the policy's owner for an exception"
        }
        R::AdmissionQuota => {
            "Free some of the quota, ask for a larger one, or set the requests and limits that it demands"
        }
        R::AdmissionServiceaccount => "Create the service account, or correct its name in the pod",
        R::AdmissionWebhook => "Change the object as the webhook's message says, or ask its owner for an exception",
        R::AdmissionWebhookUnavailable => {
            "Bring the webhook's service back; the control plane must reach its pods on the webhook's port"
        }
        R::ApiserverBadRequest => "Correct the request; permissions are not the problem",
        R::ApiserverConflict => "Read the object again and repeat the change; permissions are not the problem",
        R::ApiserverInternal => "Try again; if it stays, ask AWS Support with the time and the audit ID",
        R::ApiserverInvalid => "Correct the object as the message says; permissions are not the problem",
        R::ApiserverNotFound => "Correct the name or the namespace; permissions are not the problem",
        R::ApiserverThrottled => "Slow the client down; permissions are not the problem",
        R::ApiserverUnavailable => "Try again; for an aggregated API, bring the service behind it back",
        R::AuthnAccessEntryPropagating => "Nothing to change: wait a minute and log in again",
        R::AuthnAccessEntryRenamed => {
            "Rename the user back, or create an access entry for the new ARN and delete the old one"
        }
        R::AuthnAccessEntryStaleId => "Delete the access entry and create it again with what it had",
        R::AuthnAwsAuthIgnored => "Create an access entry: the cluster's mode is API, which ignores aws-auth",
        R::AuthnAwsAuthMalformed => "Correct the YAML of aws-auth",
        R::AuthnAwsAuthMissing => "Create aws-auth again",
        R::AuthnNearMissAssumedRoleArn
        | R::AuthnNearMissCase
        | R::AuthnNearMissGroupArn
        | R::AuthnNearMissNameTypo
        | R::AuthnNearMissPartition
        | R::AuthnNearMissRolePath
        | R::AuthnNearMissSsoPath
        | R::AuthnNearMissSsoSuffix
        | R::AuthnNearMissUserPath
        | R::AuthnNearMissWhitespace
        | R::AuthnNearMissWildcard
        | R::AuthnNearMissWrongAccount => "Correct the mapping in aws-auth",
        R::AuthnNotMapped => {
            "Give the caller an access entry or a mapping in aws-auth, whichever the cluster's mode reads"
        }
        R::AuthnOidc => {
            "Compare issuer, audience and claims of the token with the cluster's identity provider configuration"
        }
        R::AuthnPrincipalDeleted => {
            "Log in as a principal that exists; an access entry or mapping for the deleted one would admit only whoever takes its name"
        }
        R::AuthnReservedUsername => {
            "Correct the user name of the mapping: it must not start with system:, eks:, aws:, amazon: or iam:"
        }
        R::AuthnServiceaccountExpired => {
            "Update the client's Kubernetes library so that it reads the renewed token, and restart it"
        }
        R::AuthnStsDenied => {
            "See whether the STS endpoint's region is enabled; GetCallerIdentity itself needs no permission"
        }
        R::AuthnStsExpired => "Renew the credentials",
        R::AuthnStsInvalidToken => {
            "Use an access key that exists and is active; if its user was deleted, log in as another principal"
        }
        R::AuthnStsSignature => "Regenerate the kubeconfig; if it stays, renew the secret and set the clock",
        R::AuthnStsThrottled => {
            "Log in less often: cache the token for its 15 minutes, and stop clients that retry without a pause"
        }
        R::AuthnStsUnreachable => "Try again; if it stays, ask AWS Support",
        R::AuthnTemplate => {
            "Log in as another role: the mapping is for EC2 instances, and a person or a program outside EC2 has no instance ID. Map that role by itself"
        }
        R::AuthnTokenClockSkew => "Set the client's clock",
        R::AuthnTokenExpired => "Let kubectl get a new token for each command",
        R::AuthnTokenMalformed => {
            "Send a token that this cluster knows: from aws eks get-token, or for a service account of this cluster a new one; a token of another cluster or identity provider is refused"
        }
        R::AuthnTokenWrongCluster => "Regenerate the kubeconfig for this cluster",
        R::AuthnTokenWrongPartition => "Sign with the STS endpoint of the cluster's partition",
        R::AuthnUnknown => "Turn the authenticator log on and look again",
        R::AuthzAccessPolicyInsufficient | R::AuthzAccessPolicyMissing | R::AuthzAccessPolicyScope => {
            "Associate an access policy that covers the request, or bind exactly this"
        }
        R::AuthzAccessPolicyLostByImpersonation => {
            "Leave out --as: access policies do not apply to impersonated requests"
        }
        R::AuthzAnonymous => "Send credentials; do not bind system:anonymous",
        R::AuthzEksConsole => "Bind the console's viewer role to the principal that is signed in",
        R::AuthzError => "Try again; if it stays, ask AWS Support with the time and the audit ID",
        R::AuthzImpersonate => "Leave out --as and --as-group",
        R::AuthzNode => {
            "Nothing to grant: the Node authorizer allows a kubelet only what its own pods use. If a person used the node's role, use another role"
        }
        R::AuthzRbacEscalation => {
            "Let an admin who has these permissions make the change; granting escalate or bind would let the caller give any permission to anybody"
        }
        R::AuthzRbacGroupUnbound
        | R::AuthzRbacMissingResource
        | R::AuthzRbacMissingVerb
        | R::AuthzRbacNoBinding
        | R::AuthzRbacResourceName
        | R::AuthzRbacWrongNamespace
        | R::AuthzServiceaccount => "Bind a role with exactly this permission",
        R::AuthzRbacNearMissCase | R::AuthzRbacNearMissSaNamespace | R::AuthzRbacNearMissSubjectKind => {
            "Correct the subject of the binding"
        }
        R::AuthzRbacRoleMissing => "Create the role that the binding names, or correct its name",
        R::AuthzRbacUsernameSession => "Bind a group in place of the session",
        R::AuthzRbacWrongApiGroup => "Correct the API group in the role",
        R::AuthzWebhook => "Ask whoever runs the custom authorizer; on EKS only AWS does",
        R::ClientCliUsage => "Correct the command line",
        R::ClientCredentialsNone => "Sign in, or set AWS_PROFILE",
        R::ClientExecApiVersion => "Update the AWS CLI and kubectl, and regenerate the kubeconfig",
        R::ClientExecFailed => "Run the kubeconfig's exec command by itself and correct what it reports",
        R::ClientExecNotFound => "Install the AWS CLI where the kubeconfig's exec command finds it",
        R::ClientKubeconfigContext => "Choose a context that exists: kubectl config get-contexts lists them",
        R::ClientKubeconfigMissing => "Write a kubeconfig with aws eks update-kubeconfig",
        R::ClientKubeconfigPermissions => "Make the kubeconfig readable for its user only",
        R::ClientNetworkDns | R::ClientNetworkRefused | R::ClientNetworkTimeout => {
            "Reach the cluster's endpoint: VPN, security group, public access CIDRs, DNS of the VPC"
        }
        R::ClientProxy => "Exempt the cluster's endpoint from the proxy with NO_PROXY",
        R::ClientResourceType => "Correct the resource's name, or install its CustomResourceDefinition",
        R::ClientSsoExpired => "Sign in again with aws sso login",
        R::ClientTlsCa | R::ClientTlsName => {
            "Regenerate the kubeconfig; if it stays, look for a proxy that replaces certificates"
        }
        R::ClientTlsExpired => "Set the client's clock, then regenerate the kubeconfig",
        R::ClientVersion => "Use a kubectl within one minor version of the cluster",
        R::EksAccessEntryExists => "See what the entry has, and add what it lacks",
        R::EksAccessEntryInvalidPrincipal => "Use the ARN of a role or user that exists, with its path",
        R::EksAccessEntrySystemGroup => "Use an access policy in place of a group that starts with system:",
        R::EksAccessEntrySystemUser => "Leave the user name out; for nodes use the type EC2_LINUX",
        R::EksAuthMode => "Change the mode to API_AND_CONFIG_MAP first, which cannot be undone",
        R::EksClusterNotFound => "Correct the name, the region or the account",
        R::EksOther | R::IamOther | R::StsOther => "Do what the message says; no permission is known to be missing",
        R::EksThrottled => "Call less often; no permission is missing",
        R::IamExplicitDeny => "Find the Deny: an Allow never overrides it",
        R::IamIdentityPolicyMissing => "Grant the action to the caller",
        R::IamIdentityPolicyUnknown => "Find the policy that refuses",
        R::IamOrganizationOptIn => "Enable the region in this account, or use another",
        R::IamPassRole => "Allow passing exactly this role, after a look at what it may do",
        R::IamPermissionsBoundary => "Extend the policy that is the caller's permissions boundary",
        R::IamRcp | R::IamScp | R::IamScpExplicit => {
            "Ask the organization's administrator: no policy of the account helps"
        }
        R::IamResourcePolicy => "Let the owner of the resource add the caller to the resource's policy",
        R::IamSessionPolicy => {
            "Change what assumes the role: the policy that it passes with the session limits the session, whatever the role may do"
        }
        R::IamVpcEndpointPolicy => "Add the action to the policy of the VPC endpoint",
        R::StsExpiredToken => "Renew the credentials",
        R::StsInvalidToken => {
            "Use credentials that exist, are active, belong to this partition, and include their session token"
        }
        R::StsServiceRoleTrust => "Let the service role trust its service",
        R::StsSignature => {
            "Set the clock, renew the secret, and use the right region; a proxy that edits requests breaks signatures too"
        }
        R::StsTrustPolicy => "Add the caller to the role's trust policy",
        R::StsTrustPolicyCondition => {
            "Meet the condition of the trust policy: pass the external ID, or sign in with MFA"
        }
        R::StsWebIdentity => {
            "Compare the token's issuer, aud and sub with the role's trust policy and the OIDC providers"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_something_to_do() {
        for reason in Reason::ALL {
            assert!(of(*reason).title.len() > 20, "{reason}");
        }
    }
}
