//! Who has power, what power, by which route, and whether it still holds.

use super::words;

words! {
    /// A way to admin power; sorted by id, because answers are sorted by route.
    pub enum RouteKind {
        AccessPolicy = "access_policy": "An access entry with AmazonEKSClusterAdminPolicy",
        AwsAuth = "aws_auth": "A mapping to system:masters in aws-auth",
        Certificate = "certificate": "A certificate or token outside IAM",
        Creator = "creator": "Created the cluster",
        Escalation = "escalation": "Rights that are enough to become admin",
        Impersonation = "impersonation": "Acted as somebody with admin power",
        Observed = "observed": "Used admin power, and no record shows by what right",
        RbacBinding = "rbac_binding": "A binding to cluster-admin, or to an equivalent role",
    }
}

words! {
    /// How much power a principal has.
    pub enum Power {
        Admin = "admin": "Is cluster-admin",
        CanBecomeAdmin = "can_become_admin": "Can make itself cluster-admin",
    }
}

words! {
    /// Whether a route is in effect.
    pub enum Status {
        Active = "active": "A record proves that it was granted, and none ends it",
        Unproven = "unproven": "It was used, or may be in effect; no record can settle it",
        Revoked = "revoked": "It was in effect, and a record proves its end",
    }
}

words! {
    /// What kind of principal it is.
    pub enum PrincipalType {
        IamRole = "iam_role": "IAM role",
        IamUser = "iam_user": "IAM user",
        Root = "root": "Root user of an account",
        Federated = "federated": "Federated user",
        SsoRole = "sso_role": "Role of IAM Identity Center",
        ServiceAccount = "service_account": "Kubernetes service account",
        K8sUser = "k8s_user": "Kubernetes user without an IAM identity",
        K8sGroup = "k8s_group": "Kubernetes group",
        AwsService = "aws_service": "AWS service",
    }
}

words! {
    /// Whether the IAM principal behind a finding still exists.
    pub enum PrincipalState {
        Present = "present": "A record shows that it exists",
        Deleted = "deleted": "A record shows its deletion",
        Recreated = "recreated": "Deleted, and another of the same name was created",
        Unknown = "unknown": "No record shows it",
    }
}
