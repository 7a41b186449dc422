//! Which resources have no namespace: a RoleBinding never grants them.
//!
//! Source: `kubectl api-resources --namespaced=false` of Kubernetes 1.31 to 1.35 and of the add-ons that EKS installs.

/// Group and plural name; the core group is empty.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["componentstatuses", "namespaces", "nodes", "persistentvolumes"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("authentication.k8s.io", &["selfsubjectreviews", "tokenreviews"]),
    (
        "authorization.k8s.io",
        &["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
    ),
    ("certificates.k8s.io", &["certificatesigningrequests", "clustertrustbundles"]),
    ("crd.k8s.amazonaws.com", &["eniconfigs"]),
    ("eks.amazonaws.com", &["nodeclasses", "nodediagnostics", "cninodes"]),
    ("extensions", &["podsecuritypolicies"]),
    ("flowcontrol.apiserver.k8s.io", &["flowschemas", "prioritylevelconfigurations"]),
    ("karpenter.k8s.aws", &["ec2nodeclasses"]),
    ("karpenter.sh", &["nodeclaims", "nodepools"]),
    ("metrics.k8s.io", &["nodes"]),
    ("networking.k8s.io", &["ingressclasses", "ipaddresses", "servicecidrs"]),
    ("node.k8s.io", &["runtimeclasses"]),
    ("policy.networking.k8s.io", &["adminnetworkpolicies", "baselineadminnetworkpolicies"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles"]),
    ("resource.k8s.io", &["deviceclasses", "resourceslices"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("storage.k8s.io", &["csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"]),
    ("storagemigration.k8s.io", &["storageversionmigrations"]),
    ("vpcresources.k8s.aws", &["cninodes"]),
];

/// Whether a resource is known to have no namespace. `podsecuritypolicies` are `use`d in a namespace all the same: the verb is asked
/// of the pod's namespace.
pub(crate) fn is_cluster_scoped(api_group: &str, resource: &str) -> bool {
    let listed = CLUSTER_SCOPED.iter().find(|(group, _)| *group == api_group);
    listed.is_some_and(|(_, resources)| resources.contains(&resource))
}

#[cfg(test)]
mod tests {
    use super::is_cluster_scoped;

    #[test]
    fn nodes_have_no_namespace_and_pods_have_one() {
        assert!(is_cluster_scoped("", "nodes") && is_cluster_scoped("storage.k8s.io", "storageclasses"));
        assert!(!is_cluster_scoped("", "pods") && !is_cluster_scoped("policy", "podsecuritypolicies"));
    }
}
