//! What the terminal of whoever was refused shows, letter by letter.
//!
//! Rule: `kubectl` (`k8s.io/kubectl/pkg/cmd/util`, StandardErrorMessage), the AWS CLI and botocore (`ClientError.MSG_TEMPLATE`).

/// A login that failed; which of the two depends on the request that followed it.
pub(super) fn by_login() -> Vec<String> {
    [
        "error: You must be logged in to the server (Unauthorized)",
        "error: You must be logged in to the server (the server has asked for the client to provide credentials)",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A request that the API server answered with a status.
pub(super) fn by_kubectl(code: i32, reason: Option<&str>, message: Option<&str>) -> Vec<String> {
    let Some(message) = message.filter(|message| !message.is_empty()) else {
        return Vec::new();
    };
    // Stripped events keep the code alone.
    let reason = reason.filter(|reason| !reason.is_empty()).or(match code {
        403 => Some("Forbidden"),
        404 => Some("NotFound"),
        422 => Some("Invalid"),
        _ => None,
    });
    vec![match reason {
        Some("Invalid") if message.contains(" is invalid: ") => format!("The {message}"),
        Some(reason) => format!("Error from server ({reason}): {message}"),
        None => format!("Error from server: {message}"),
    }]
}

/// A call that AWS refused.
pub(super) fn by_aws(code: &str, operation: &str, message: Option<&str>) -> Vec<String> {
    let code = if code.is_empty() { "Unknown" } else { code };
    let message = message.unwrap_or("Unknown");
    vec![format!(
        "An error occurred ({code}) when calling the {operation} operation: {message}"
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_its_sentence() {
        let forbidden = Some("pods is forbidden: User \"a\" cannot list");
        let said = ["Error from server (Forbidden): pods is forbidden: User \"a\" cannot list"];
        assert_eq!(by_kubectl(403, Some("Forbidden"), forbidden), said);
        assert_eq!(by_kubectl(403, None, forbidden), said);
        assert_eq!(
            by_kubectl(
                400,
                Some("BadRequest"),
                Some("admission webhook \"x\" denied the request: no")
            ),
            ["Error from server (BadRequest): admission webhook \"x\" denied the request: no"]
        );
        assert_eq!(
            by_kubectl(422, Some("Invalid"), Some("Pod \"x\" is invalid: spec: Required value")),
            ["The Pod \"x\" is invalid: spec: Required value"]
        );
        assert!(by_kubectl(403, None, None).is_empty());
        assert_eq!(
            by_aws("AccessDenied", "AssumeRole", Some("no")),
            ["An error occurred (AccessDenied) when calling the AssumeRole operation: no"]
        );
    }
}
