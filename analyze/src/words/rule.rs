//! What `check` looks for.

use super::words;

words! {
    /// A rule of `check`; sorted by id, because answers are sorted by rule.
    pub enum Rule {
        AccessEntryStale = "access-entry.stale": "An access entry is bound to a principal that was deleted or recreated",
        AccessChanged = "access.changed": "Somebody changed who has access to the cluster",
        AdminShortLived = "admin.short-lived": "A principal was admin for a short time only",
        AdminStale = "admin.stale": "An admin has not used the cluster for 90 days",
        AwsAuthEmptied = "aws-auth.emptied": "All mappings were removed from aws-auth",
        AwsAuthGroupTemplate = "aws-auth.group-template": "A mapping renders a group from a template, so that the caller chooses it",
        AwsAuthIgnored = "aws-auth.ignored": "The cluster's mode is API, which ignores the mappings in aws-auth",
        AwsAuthLookAlikeGroup = "aws-auth.look-alike-group": "A mapping's group looks like a built-in one and is not",
        AwsAuthMalformed = "aws-auth.malformed": "Part of aws-auth does not parse",
        AwsAuthNearMissAccount = "aws-auth.near-miss.account": "The account ID in a mapping is not valid",
        AwsAuthNearMissAssumedRoleArn = "aws-auth.near-miss.assumed-role-arn": "A mapping names a session instead of its role",
        AwsAuthNearMissGroupArn = "aws-auth.near-miss.group-arn": "A mapping names an IAM group or an instance profile",
        AwsAuthNearMissNoArn = "aws-auth.near-miss.no-arn": "A mapping's ARN is not valid",
        AwsAuthNearMissPartition = "aws-auth.near-miss.partition": "A mapping names another AWS partition than the cluster's",
        AwsAuthNearMissRolePath = "aws-auth.near-miss.role-path": "A mapping contains the role's path",
        AwsAuthNearMissSsoPath = "aws-auth.near-miss.sso-path": "A mapping contains the path of an IAM Identity Center role",
        AwsAuthNearMissWhitespace = "aws-auth.near-miss.whitespace": "A mapping contains spaces, quotes or invisible characters",
        AwsAuthNearMissWildcard = "aws-auth.near-miss.wildcard": "A mapping contains a wildcard, which aws-auth takes literally",
        AwsAuthReservedUsername = "aws-auth.reserved-username": "A mapping uses a user name that looks like EKS itself",
        AwsAuthWrongKey = "aws-auth.wrong-key": "aws-auth has a top-level key that nothing reads",
        CreatorLockedOut = "creator.locked-out": "Nobody is known to have access to the cluster",
        CreatorNoAdmin = "creator.no-admin": "No admin of the cluster is left",
        CreatorOnlyAdmin = "creator.only-admin": "The creator is the only admin",
        CreatorRecreated = "creator.recreated": "The creator was recreated and has the creator's hidden right again",
        CreatorRoot = "creator.root": "The root user created the cluster",
        LogsMissing = "logs.missing": "A log of the cluster is not in the lake",
        LogsSwitchedOff = "logs.switched-off": "A log of the cluster was switched off",
        PrincipalDeleted = "principal.deleted": "A principal was deleted and its name is still mapped",
        PrincipalRecreated = "principal.recreated": "A principal was recreated and can log in with the rights of the old one",
        RbacAnonymous = "rbac.anonymous": "A binding gives rights to callers without credentials",
        RbacAuthenticated = "rbac.authenticated": "A binding gives rights to everybody who can log in",
        RbacRoleMissing = "rbac.role-missing": "A binding names a role that does not exist",
        RbacTemplateSubject = "rbac.template-subject": "A binding names a template as its subject, which matches nobody",
        RbacWildcard = "rbac.wildcard": "A role allows every verb on every resource",
        RbacWrongApiGroup = "rbac.wrong-api-group": "A role lists a resource under the wrong API group",
        RecordsNoCluster = "records.no-cluster": "Records in the lake belong to no known cluster",
    }
}

impl Rule {
    /// Whether it speaks of the logs, or of what somebody did: both hold whatever became of the cluster since.
    pub(crate) const fn is_of_logs(self) -> bool {
        matches!(self, Self::AccessChanged | Self::LogsMissing | Self::LogsSwitchedOff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sorted() {
        assert!(Rule::ALL.is_sorted_by_key(|rule| rule.id()));
    }
}
