//! What can change of who has access.

use super::words;

words! {
    /// What kind of change it is.
    pub enum ChangeKind {
        ClusterCreated = "cluster-created": "A cluster was created",
        ClusterDeleted = "cluster-deleted": "A cluster was deleted",
        Mode = "mode": "The authentication mode was changed",
        Logging = "logging": "Control plane logs were switched on or off",
        AccessEntry = "access-entry": "An access entry was made, changed or deleted",
        AccessPolicy = "access-policy": "An access policy was associated with an entry, or taken from it",
        AwsAuthWritten = "aws-auth-written": "The ConfigMap aws-auth was written",
        RbacWritten = "rbac-written": "A role or binding that is enough to be or become admin was written",
        PrincipalDeleted = "principal-deleted": "A principal that a cluster admits, or that created one, was deleted",
        PrincipalRecreated = "principal-recreated": "Another principal of the name of a deleted one was created",
        PrincipalRenamed = "principal-renamed": "A user that a cluster admits, or that created one, was renamed",
        AdminGained = "admin-gained": "A principal became cluster-admin, or able to become it",
        AdminLost = "admin-lost": "A principal ceased to be cluster-admin, or able to become it",
    }
}
