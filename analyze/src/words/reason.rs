//! Why a request was refused: the denial taxonomy of the domain (section 5). The layer is the part of the id before the first dot.

use super::{Layer, words};

/// The reasons of each layer; sorted by id, because answers are sorted by reason.
macro_rules! reasons {
    ($($layer:ident { $($variant:ident = $id:literal: $meaning:literal,)+ })+) => {
        words! {
            /// Why a request was refused.
            pub enum Reason { $($($variant = $id: $meaning,)+)+ }
        }

        impl Reason {
            /// Who refused.
            pub fn layer(self) -> Layer {
                match self {
                    $($(Reason::$variant)|+ => Layer::$layer,)+
                }
            }
        }
    };
}

reasons! {
    Admission {
        AdmissionDenied = "admission.denied": "An admission plugin refused the object; RBAC had allowed the request",
        AdmissionLimitrange = "admission.limitrange": "The namespace's LimitRange does not allow these resources",
        AdmissionNamespaceNotFound = "admission.namespace-not-found": "The namespace does not exist",
        AdmissionNamespaceTerminating = "admission.namespace-terminating": "The namespace is being deleted",
        AdmissionNoderestriction = "admission.noderestriction": "A kubelet may change only its own node and its pods",
        AdmissionPodSecurity = "admission.pod-security": "The pod violates the Pod Security level of its namespace",
        AdmissionPolicy = "admission.policy": "A ValidatingAdmissionPolicy refused the object",
        AdmissionQuota = "admission.quota": "The namespace's resource quota is used up, or requires limits to be set",
        AdmissionServiceaccount = "admission.serviceaccount": "The pod's service account does not exist",
        AdmissionWebhook = "admission.webhook": "An admission webhook refused the object",
        AdmissionWebhookUnavailable = "admission.webhook.unavailable": "An admission webhook did not answer, and its failurePolicy is Fail",
    }
    Apiserver {
        ApiserverBadRequest = "apiserver.bad-request": "The request is not well formed",
        ApiserverConflict = "apiserver.conflict": "The object already exists, or was changed in the meantime",
        ApiserverInternal = "apiserver.internal": "The API server failed",
        ApiserverInvalid = "apiserver.invalid": "The object is not valid",
        ApiserverNotFound = "apiserver.not-found": "The object does not exist",
        ApiserverThrottled = "apiserver.throttled": "Too many requests: API priority and fairness slowed the client down",
        ApiserverUnavailable = "apiserver.unavailable": "The API server, or a service behind it, did not answer",
    }
    Authn {
        AuthnAccessEntryPropagating = "authn.access-entry.propagating": "The access entry was made less than a minute before and had not taken effect",
        AuthnAccessEntryRenamed = "authn.access-entry.renamed": "The IAM user was renamed or moved; its access entry has the old ARN",
        AuthnAccessEntryStaleId = "authn.access-entry.stale-id": "The access entry is bound to the unique ID of an earlier principal of the same name",
        AuthnAwsAuthIgnored = "authn.aws-auth.ignored": "aws-auth maps the caller, but the cluster's mode is API, which ignores aws-auth",
        AuthnAwsAuthMalformed = "authn.aws-auth.malformed": "The section of aws-auth that would map the caller does not parse",
        AuthnAwsAuthMissing = "authn.aws-auth.missing": "The cluster has no aws-auth ConfigMap",
        AuthnNearMissAssumedRoleArn = "authn.near-miss.assumed-role-arn": "The mapping names an assumed-role session instead of the role",
        AuthnNearMissCase = "authn.near-miss.case": "The mapping differs from what is compared only by case",
        AuthnNearMissGroupArn = "authn.near-miss.group-arn": "The mapping names an IAM group or an instance profile, which cannot log in",
        AuthnNearMissNameTypo = "authn.near-miss.name-typo": "The name in the mapping differs from the caller's by one letter",
        AuthnNearMissPartition = "authn.near-miss.partition": "The mapping names the same principal in another AWS partition",
        AuthnNearMissRolePath = "authn.near-miss.role-path": "The mapping contains the role's path, which aws-auth must not contain",
        AuthnNearMissSsoPath = "authn.near-miss.sso-path": "The mapping contains /aws-reserved/sso.amazonaws.com/, which aws-auth must not contain",
        AuthnNearMissSsoSuffix = "authn.near-miss.sso-suffix": "The mapping names an earlier role of the same permission set",
        AuthnNearMissUserPath = "authn.near-miss.user-path": "The mapping lacks the IAM user's path, or has another one",
        AuthnNearMissWhitespace = "authn.near-miss.whitespace": "The mapping differs only by spaces, quotes or invisible characters",
        AuthnNearMissWildcard = "authn.near-miss.wildcard": "The mapping contains a wildcard, which aws-auth takes literally",
        AuthnNearMissWrongAccount = "authn.near-miss.wrong-account": "The mapping names the same principal in another account",
        AuthnNotMapped = "authn.not-mapped": "No mapping and no access entry admits the caller",
        AuthnOidc = "authn.oidc": "The cluster's OIDC identity provider refused the token",
        AuthnPrincipalDeleted = "authn.principal.deleted": "The IAM principal was deleted",
        AuthnReservedUsername = "authn.reserved-username": "The mapping's user name starts with a reserved prefix",
        AuthnServiceaccountExpired = "authn.serviceaccount.expired": "A client in the cluster sent an expired service account token",
        AuthnStsDenied = "authn.sts.denied": "STS denied GetCallerIdentity",
        AuthnStsExpired = "authn.sts.expired": "The temporary credentials expired before the token was used",
        AuthnStsInvalidToken = "authn.sts.invalid-token": "STS does not know the access key",
        AuthnStsSignature = "authn.sts.signature": "STS rejected the signature of the token",
        AuthnStsThrottled = "authn.sts.throttled": "STS throttled the logins",
        AuthnStsUnreachable = "authn.sts.unreachable": "The control plane could not reach STS",
        AuthnTemplate = "authn.template": "The mapping's template needs an EC2 instance's session",
        AuthnTokenClockSkew = "authn.token.clock-skew": "The client's clock is wrong",
        AuthnTokenExpired = "authn.token.expired": "The token was older than 15 minutes",
        AuthnTokenMalformed = "authn.token.malformed": "The bearer token is not an EKS token",
        AuthnTokenWrongCluster = "authn.token.wrong-cluster": "The token was made for another cluster",
        AuthnTokenWrongPartition = "authn.token.wrong-partition": "The token was signed for an STS endpoint that the cluster does not accept",
        AuthnUnknown = "authn.unknown": "The login failed, and the logs do not say why",
    }
    Authz {
        AuthzAccessPolicyInsufficient = "authz.access-policy.insufficient": "The access policy of the caller's access entry does not include this request",
        AuthzAccessPolicyLostByImpersonation = "authz.access-policy.lost-by-impersonation": "The caller's access policy does not apply to impersonated requests (--as)",
        AuthzAccessPolicyMissing = "authz.access-policy.missing": "The caller's access entry has no access policy and no groups",
        AuthzAccessPolicyScope = "authz.access-policy.scope": "The caller's access policy is limited to other namespaces",
        AuthzAnonymous = "authz.anonymous": "The request had no credentials",
        AuthzEksConsole = "authz.eks-console": "The EKS console asked for objects that the signed-in principal may not read",
        AuthzError = "authz.error": "An authorizer failed",
        AuthzImpersonate = "authz.impersonate": "The caller may not impersonate this user, group or service account",
        AuthzNode = "authz.node": "The Node authorizer does not allow a kubelet this request",
        AuthzRbacEscalation = "authz.rbac.escalation": "Kubernetes does not let you grant permissions you do not have yourself",
        AuthzRbacGroupUnbound = "authz.rbac.group-unbound": "The caller's groups are not bound to any role",
        AuthzRbacMissingResource = "authz.rbac.missing-resource": "The caller's role does not cover the resource",
        AuthzRbacMissingVerb = "authz.rbac.missing-verb": "The caller's role does not include the verb",
        AuthzRbacNearMissCase = "authz.rbac.near-miss.case": "A binding names the caller in different case",
        AuthzRbacNearMissSaNamespace = "authz.rbac.near-miss.sa-namespace": "A binding names a service account of this name in another namespace",
        AuthzRbacNearMissSubjectKind = "authz.rbac.near-miss.subject-kind": "A binding names the caller as the wrong kind of subject",
        AuthzRbacNoBinding = "authz.rbac.no-binding": "No binding gives the caller this permission",
        AuthzRbacResourceName = "authz.rbac.resource-name": "The caller's role is limited to other object names",
        AuthzRbacRoleMissing = "authz.rbac.role-missing": "A binding of the caller names a role that does not exist",
        AuthzRbacUsernameSession = "authz.rbac.username-session": "A binding names a session that changes with each login",
        AuthzRbacWrongApiGroup = "authz.rbac.wrong-api-group": "The caller's role lists the resource under another API group",
        AuthzRbacWrongNamespace = "authz.rbac.wrong-namespace": "The caller has this permission in other namespaces only",
        AuthzServiceaccount = "authz.serviceaccount": "No known binding gives the service account this permission",
        AuthzWebhook = "authz.webhook": "A custom authorizer refused the request",
    }
    Client {
        ClientCliUsage = "client.cli.usage": "The command line is not valid",
        ClientCredentialsNone = "client.credentials.none": "No AWS credentials were found",
        ClientExecApiVersion = "client.exec.api-version": "The client and its kubeconfig use different versions of the exec API",
        ClientExecFailed = "client.exec.failed": "The command that gets a token failed",
        ClientExecNotFound = "client.exec.not-found": "The command that gets a token is not installed",
        ClientKubeconfigContext = "client.kubeconfig.context": "The kubeconfig has no such context",
        ClientKubeconfigMissing = "client.kubeconfig.missing": "No kubeconfig was found",
        ClientKubeconfigPermissions = "client.kubeconfig.permissions": "The kubeconfig cannot be read",
        ClientNetworkDns = "client.network.dns": "The cluster's endpoint does not resolve",
        ClientNetworkRefused = "client.network.refused": "The cluster's endpoint refused the connection",
        ClientNetworkTimeout = "client.network.timeout": "The cluster's endpoint did not answer",
        ClientProxy = "client.proxy": "A proxy is in the way",
        ClientResourceType = "client.resource-type": "The cluster does not know this resource type",
        ClientSsoExpired = "client.sso.expired": "The IAM Identity Center session has expired",
        ClientTlsCa = "client.tls.ca": "The cluster's certificate is signed by an unknown authority",
        ClientTlsExpired = "client.tls.expired": "The cluster's certificate has expired or is not yet valid",
        ClientTlsName = "client.tls.name": "The cluster's certificate was issued for another name",
        ClientVersion = "client.version": "The client's version does not fit the server's",
    }
    Eks {
        EksAccessEntryExists = "eks.access-entry.exists": "The principal already has an access entry",
        EksAccessEntryInvalidPrincipal = "eks.access-entry.invalid-principal": "The ARN of the access entry does not exist in IAM",
        EksAccessEntrySystemGroup = "eks.access-entry.system-group": "An access entry cannot name a group that starts with system:",
        EksAccessEntrySystemUser = "eks.access-entry.system-user": "An access entry cannot use a reserved user name",
        EksAuthMode = "eks.auth-mode": "The cluster's authentication mode does not allow access entries",
        EksClusterNotFound = "eks.cluster.not-found": "No cluster of this name exists in this account and region",
        EksOther = "eks.other": "The EKS API refused the call for a reason that is not in the catalogue",
        EksThrottled = "eks.throttled": "The EKS API throttled the calls",
    }
    Iam {
        IamExplicitDeny = "iam.explicit-deny": "A policy explicitly denies the action",
        IamIdentityPolicyMissing = "iam.identity-policy.missing": "No policy of the caller allows the action",
        IamIdentityPolicyUnknown = "iam.identity-policy.unknown": "IAM refused the action without naming the policy",
        IamOrganizationOptIn = "iam.organization-opt-in": "The region or service is not enabled in this account",
        IamOther = "iam.other": "AWS refused the call for a reason that is not in the catalogue",
        IamPassRole = "iam.pass-role": "The caller may not pass the role to the service",
        IamPermissionsBoundary = "iam.permissions-boundary": "The caller's permissions boundary does not allow the action",
        IamRcp = "iam.rcp": "A resource control policy of the organization denies the action",
        IamResourcePolicy = "iam.resource-policy": "The resource's policy does not allow the action",
        IamScp = "iam.scp": "No service control policy of the organization allows the action",
        IamScpExplicit = "iam.scp.explicit": "A service control policy of the organization denies the action",
        IamSessionPolicy = "iam.session-policy": "The session policy does not allow the action",
        IamVpcEndpointPolicy = "iam.vpc-endpoint-policy": "The policy of the VPC endpoint does not allow the action",
    }
    Sts {
        StsExpiredToken = "sts.expired-token": "The temporary credentials have expired",
        StsInvalidToken = "sts.invalid-token": "AWS does not know the credentials",
        StsOther = "sts.other": "STS refused the call for a reason that is not in the catalogue",
        StsServiceRoleTrust = "sts.service-role-trust": "The service role does not exist, or does not trust the service",
        StsSignature = "sts.signature": "AWS rejected the signature",
        StsTrustPolicy = "sts.trust-policy": "The role's trust policy does not let the caller assume it",
        StsTrustPolicyCondition = "sts.trust-policy.condition": "A condition of the role's trust policy is not met, such as MFA or an external ID",
        StsWebIdentity = "sts.web-identity": "STS rejected the web identity token, or the role does not trust its issuer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_sorted_and_begin_with_their_layer() {
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.id()));
        for reason in Reason::ALL {
            let layer = reason.id().split('.').next();
            assert_eq!(layer, Some(reason.layer().id()), "{reason}");
        }
    }
}
