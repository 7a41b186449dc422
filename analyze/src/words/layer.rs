//! Who refused a request.

use super::words;

words! {
    /// The layer that refused a request.
    pub enum Layer {
        Admission = "admission": "An admission plugin or webhook",
        Apiserver = "apiserver": "The API server, for a reason other than access",
        Authn = "authn": "The login: the authenticator, or another way to log in",
        Authz = "authz": "Authorization in Kubernetes: RBAC, access policies, other authorizers",
        Client = "client": "The client; never in logs, explained only",
        Eks = "eks": "The EKS API, for a reason other than permissions",
        Iam = "iam": "IAM",
        Sts = "sts": "STS",
    }
}
