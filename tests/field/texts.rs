//! What an error message means, as tools print it: 07, 08, 15, 23, 31.

use serde_json::Value;

use crate::support::{Answer, Lab, says};

/// `explain -` without a lake.
fn explain(text: &str) -> Answer {
    Lab::new().run_with(&["explain", "-"], text)
}

/// Reason ids of the answer, best first.
fn reasons(answer: &Answer) -> Vec<&str> {
    let findings = answer.json["findings"].as_array().into_iter().flatten();
    findings.filter_map(|finding| finding["reason"].as_str()).collect()
}

/// (text, what the best answer's reason begins with)
const TEXTS: &[(&str, &str)] = &[
    (
        "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://kubernetes.default/api/v1/namespaces/ci/pods. Message: Forbidden!Configured service account doesn't have access. Service account may have been revoked. pods \"job-1\" is forbidden: error looking up service account ci/runner: serviceaccount \"runner\" not found.\n\tat io.fabric8.kubernetes.client.dsl.base.OperationSupport.requestFailure(OperationSupport.java:472)\n",
        "admission.serviceaccount",
    ),
    (
        "Jun 06 19:33:03 ip-10-0-1-7 kubelet[321]: I0606 19:33:03.796478 321 kubelet_node_status.go:73] \"Attempting to register node\" node=\"ip-10-0-1-7.ec2.internal\"\nJun 06 19:33:03 ip-10-0-1-7 kubelet[321]: E0606 19:33:03.828406 321 kubelet_node_status.go:96] \"Unable to register node with API server\" err=\"Unauthorized\" node=\"ip-10-0-1-7.ec2.internal\"\n",
        "authn.",
    ),
    (
        "stage-S3-CapabilityRole is not authorized to perform: eks:CreateAccessEntry\non resource: arn:aws:eks:eu-west-1:111122223333:cluster/stage\nbecause no identity-based policy allows the eks:CreateAccessEntry action\n",
        "iam.identity-policy.missing",
    ),
    (
        "Exception when calling CoreV1Api->list_namespaced_pod: (401)\nReason: Unauthorized\n",
        "authn.",
    ),
    (
        "{\n  \"kind\": \"Status\", \"apiVersion\": \"v1\", \"metadata\": {}, \"status\": \"Failure\",\n  \"message\": \"groups \\\"oidc://team\\\" is forbidden: User \\\"system:serviceaccount:fleet:agent\\\" cannot impersonate resource \\\"groups\\\" in API group \\\"\\\" at the cluster scope\",\n  \"reason\": \"Forbidden\", \"details\": {\"name\": \"oidc://team\", \"kind\": \"groups\"}, \"code\": 403\n}\n",
        "authz.impersonate",
    ),
    (
        "╷\n│ Error: namespaces is forbidden: User \"arn:aws:sts::111122223333:assumed-role/apply/EKSGetTokenAuth\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope\n│ \n│   with module.base.kubernetes_namespace_v1.logs[0],\n│   on modules/base/main.tf line 7, in resource \"kubernetes_namespace_v1\" \"logs\":\n╵\n",
        "authz.rbac.",
    ),
    ("Unauthorized\n", "authn."),
    ("Error: re-listing nodes: Unauthorized\n", "authn."),
    (
        "Failed to load live state: failed to get managed objects: unexpected error getting managed object: failed to get api resource: failed to discover server resources for group version v1: Unauthorized\n",
        "authn.",
    ),
    // 15
    (
        "Error: adding nodegroup to auth ConfigMap: unmarshalling \"mapUsers\": error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context\n",
        "authn.aws-auth.malformed",
    ),
];

#[test]
fn case_31_texts_as_tools_print_them_are_known() {
    let mut faults = Vec::new();
    for (text, expected) in TEXTS {
        let answer = explain(text);
        match reasons(&answer).first() {
            Some(first) if first.starts_with(expected) && answer.code == 0 => {}
            other => faults.push(format!("{text}: {other:?}, not {expected}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn case_31_a_bare_access_denied_lists_the_gates() {
    for text in ["Access Denied\n", "Forbidden\n"] {
        let answer = explain(text);
        assert_eq!(answer.code, 0, "{text}: {}", answer.stderr);
        // IAM, the login and the authorisation may each have said it.
        for gate in ["iam", "authenticat", "rbac"] {
            assert!(answer.says(&[gate]), "{text}, {gate}: {}", answer.json);
        }
    }
}

#[test]
fn case_07_terraforms_box_is_read_and_its_carrier_names_no_other_reason() {
    let answer = explain(
        "╷\n│ Error: creating EKS Access Entry demo:arn:aws:iam::111122223333:role/AWSReservedSSO_Admins_1f9ff1a193c80000): operation error EKS: CreateAccessEntry, https response error StatusCode: 400, RequestID: 00000000-1111-4222-8333-444444444401, InvalidParameterException: The specified principalArn is invalid: invalid principal.\n│\n│   with module.eks.aws_eks_access_entry.this[\"me\"],\n│   on main.tf line 185, in resource \"aws_eks_access_entry\" \"this\":\n╵\n",
    );
    assert_eq!(
        reasons(&answer).first(),
        Some(&"eks.access-entry.invalid-principal"),
        "{}",
        answer.json
    );
    assert!(
        !reasons(&answer).contains(&"eks.cluster.not-found"),
        "no cluster is missing: {}",
        answer.json
    );
}

#[test]
fn case_08_an_entry_for_a_service_linked_role_is_explained_as_what_eks_does_not_let_customers_do() {
    let answer = explain(
        "operation error EKS: CreateAccessEntry, https response error StatusCode: 400, RequestID: 00000000-1111-4222-8333-444444444402, InvalidParameterException: The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role\n",
    );
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(
        !reasons(&answer).contains(&"eks.cluster.not-found"),
        "no cluster is missing: {}",
        answer.json
    );
    let is_it = |finding: &Value| {
        says(&finding["meaning"], &["service-linked"]) || says(&finding["meaning"], &["service linked"])
    };
    assert!(
        answer.json["findings"].as_array().unwrap().iter().any(is_it),
        "{}",
        answer.json
    );
}

#[test]
fn case_23_a_text_that_kubernetes_does_not_print_fits_nothing() {
    let answer = explain(
        "Error from server: impersonation request has been denied, group header \"system:master\" value is not allowed in roles\n",
    );
    assert_eq!((answer.code, reasons(&answer).len()), (1, 0), "{}", answer.json);
}
