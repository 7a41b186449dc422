//! Layers `iam`, `sts` and `eks`: calls that AWS refused.
//!
//! Rule: IAM User Guide, "Troubleshoot access denied error messages"; the EKS API's exceptions. AWS names one policy type even if
//! several deny: the cause never says that it is the only one. What the caller chose in a message is never searched.

use std::collections::BTreeSet;

use eksplain_parse::arn::Arn;
use eksplain_parse::denied::{Cause, DeniedMessage, PolicyKind, parse_message};
use eksplain_queries::facts::{CallSuccess, CloudTrailCall, Micros};

use super::fixes::fix;
use super::trust::Trusts;
use super::{Refusal, Verdict, seen};
use crate::evidence;
use crate::findings::{Cluster, Fix, RequestShape};
use crate::json;
use crate::shell::quote;
use crate::state::World;
use crate::words::{Confidence, Reason};

const SOURCES: [&str; 5] = [
    "eks.amazonaws.com",
    "eks-auth.amazonaws.com",
    "sts.amazonaws.com",
    "iam.amazonaws.com",
    "sso.amazonaws.com",
];

pub(super) fn refusals(world: &World<'_>, scope_all: bool) -> Vec<Refusal> {
    let mut shared: BTreeSet<&str> = BTreeSet::new();
    // Of the copies that two accounts get, the caller's says most: it comes first.
    let mut calls: Vec<&CloudTrailCall> = world.facts.denied_calls.iter().map(|denied| &denied.call).collect();
    calls.sort_by_key(|call| {
        (
            call.shared_event_id.is_some(),
            call.identity_account.is_none() || call.identity_account != call.place.account,
        )
    });
    let is_asked = |call: &CloudTrailCall| scope_all || SOURCES.contains(&call.event_source.as_str());
    let calls = calls
        .into_iter()
        .filter(|call| is_asked(call))
        .filter(|call| call.shared_event_id.as_deref().is_none_or(|id| shared.insert(id)));
    let trusts = Trusts::of(world);
    calls.filter_map(|call| refusal(world, call, &trusts)).collect()
}

/// The text of a failure; some services put it into the response alone.
fn text_of(call: &CloudTrailCall) -> Option<String> {
    let own = call.error_message.clone().filter(|text| !text.is_empty());
    own.or_else(|| {
        let response = json::parse(call.response_elements.as_deref());
        json::text(&response, &["message", "Message", "errorMessage"]).map(str::to_owned)
    })
}

fn refusal(world: &World<'_>, call: &CloudTrailCall, trusts: &Trusts<'_>) -> Option<Refusal> {
    let text = text_of(call);
    let message = text.as_deref().and_then(parse_message);
    let verdict = verdict(call, text.as_deref().unwrap_or_default(), message.as_ref(), trusts)?;
    let is_no_refusal = matches!(verdict.reason, Reason::EksOther | Reason::IamOther | Reason::StsOther)
        && refuses_nobody(call.error_code.as_deref().unwrap_or_default());
    let by_message = || {
        message
            .as_ref()
            .and_then(|message| world.spellings.canonical(message.principal))
    };
    let principal = call
        .canonical_arn
        .as_deref()
        .and_then(|arn| world.spellings.canonical(arn))
        .or_else(by_message);
    let is_service =
        call.principal_type.as_deref() == Some("AWSService") || (principal.is_none() && call.invoked_by.is_some());
    let principal = principal.or_else(|| call.invoked_by.clone().filter(|_| is_service));
    let service = call.event_source.split('.').next().unwrap_or_default();
    let action = message.as_ref().map_or_else(
        || format!("{service}:{}", call.event_name),
        |message| message.action.to_owned(),
    );
    let cluster = call.place.cluster.as_ref().map(|name| Cluster {
        account: call.place.account.clone().unwrap_or_default(),
        region: call.place.region.clone().unwrap_or_default(),
        name: name.clone(),
    });
    let is_service_role = principal
        .as_deref()
        .and_then(|arn| Arn::parse(arn).ok())
        .is_some_and(|arn| arn.name().starts_with("AWSServiceRoleFor"));
    let code = call.error_code.as_deref().unwrap_or_default();
    let last_success = principal
        .as_deref()
        .and_then(|principal| last_success(world, call, message.as_ref(), principal));
    Some(Refusal {
        cluster,
        username: None,
        groups: Vec::new(),
        session: call.session.clone(),
        verdict,
        request: RequestShape {
            aws_action: Some(action.clone()),
            ..RequestShape::default()
        },
        at: call.at.clone(),
        evidence: vec![evidence::cloudtrail(
            &call.at,
            format!("{} failed with {code}", call.event_name),
        )],
        only_with_all: is_service || is_service_role || is_no_refusal,
        last_success,
        seen: seen::by_aws(code, &call.event_name, text.as_deref()),
        principal,
    })
}

/// The last time that the caller succeeded at the same call, on the same cluster or role.
fn last_success(
    world: &World<'_>,
    call: &CloudTrailCall,
    message: Option<&DeniedMessage<'_>>,
    principal: &str,
) -> Option<Micros> {
    let wanted_role = (call.event_source == "sts.amazonaws.com").then(|| {
        let request = json::parse(call.request_parameters.as_deref());
        json::text(&request, &["roleArn"])
            .map(str::to_owned)
            .or_else(|| message.and_then(|message| message.resource).map(str::to_owned))
    });
    let is_same = |row: &&&CallSuccess| {
        let same_role = match &wanted_role {
            None => true,
            Some(None) => false,
            Some(Some(role)) => json::text(&json::parse(row.request_parameters.as_deref()), &["roleArn"]) == Some(role),
        };
        same_role
            && row
                .canonical_arn
                .as_deref()
                .is_some_and(|arn| arn.eq_ignore_ascii_case(principal))
    };
    let successes = world.index.calls(call).iter().filter(is_same);
    successes.map(|row| row.last.ts).max()
}

/// Why; `None` for failures of services that do not decide about access.
pub(super) fn verdict(
    call: &CloudTrailCall,
    text: &str,
    message: Option<&DeniedMessage<'_>>,
    trusts: &Trusts<'_>,
) -> Option<Verdict> {
    let code = call.error_code.as_deref().unwrap_or_default();
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let is_sts = call.event_source == "sts.amazonaws.com";
    let is_eks = matches!(
        call.event_source.as_str(),
        "eks.amazonaws.com" | "eks-auth.amazonaws.com"
    );
    let is_access = matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "UnauthorizedException"
            | "NotAuthorized"
            | "NotAuthorizedException"
            | "AuthorizationError"
            | "UnauthorizedAccess"
    ) || message.is_some();
    match code {
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
            return Some(Verdict::new(
                Reason::StsInvalidToken,
                "the access key is deleted, inactive, of another partition, or lacks its session token; or its user is gone",
                Confidence::Certain,
            ));
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            return Some(Verdict::new(
                Reason::StsSignature,
                "the signature does not fit: wrong secret, clock, region, or a proxy that edits requests",
                Confidence::Certain,
            ));
        }
        "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => {
            return Some(Verdict::new(
                Reason::IamOrganizationOptIn,
                "the region or the service is switched off for this account",
                Confidence::Certain,
            ));
        }
        "InvalidIdentityToken" | "IDPCommunicationError" | "IDPRejectedClaim" if is_sts => return Some(web_identity()),
        "AccessDenied" | "ExpiredTokenException" if call.event_name == "AssumeRoleWithWebIdentity" => {
            return Some(web_identity());
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            return Some(
                Verdict::new(
                    Reason::StsExpiredToken,
                    "the temporary credentials had run out",
                    Confidence::Certain,
                )
                .with([fix(
                    "Renew the credentials",
                    vec!["aws sso login".to_owned(), "aws sts get-caller-identity".to_owned()],
                )]),
            );
        }
        _ => {}
    }
    if is_access {
        return Some(access_verdict(call, message, is_sts, trusts));
    }
    let known = if is_eks { eks_verdict(call, code, text) } else { None };
    known.or_else(|| {
        SOURCES
            .contains(&call.event_source.as_str())
            .then(|| other(call, code, text))
    })
}

/// A failure that no table knows, with what AWS said.
fn other(call: &CloudTrailCall, code: &str, text: &str) -> Verdict {
    let (reason, service) = match call.event_source.as_str() {
        "eks.amazonaws.com" | "eks-auth.amazonaws.com" => (Reason::EksOther, "the EKS API"),
        "sts.amazonaws.com" => (Reason::StsOther, "STS"),
        "iam.amazonaws.com" => (Reason::IamOther, "IAM"),
        _ => (Reason::IamOther, "AWS"),
    };
    let said: String = text.chars().take(300).collect();
    let cause = match said.is_empty() {
        true => format!("{service} answered {code} without a text"),
        false => format!("{service} answered {code}: {said}"),
    };
    Verdict::new(reason, cause, Confidence::Guess)
}

/// Failures of calls that asked for what is not there, is there already, or came too fast: no right is missing.
fn refuses_nobody(code: &str) -> bool {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let code = code.strip_suffix("Exception").unwrap_or(code);
    matches!(
        code,
        "NoSuchEntity"
            | "EntityAlreadyExists"
            | "DeleteConflict"
            | "Throttling"
            | "TooManyRequests"
            | "InternalFailure"
            | "RequestLimitExceeded"
    ) || [
        "NotFound",
        "InUse",
        "Conflict",
        "Server",
        "ServiceFailure",
        "ServiceUnavailable",
        "LimitExceeded",
    ]
    .iter()
    .any(|end| code.ends_with(end))
}

fn web_identity() -> Verdict {
    Verdict::new(
        Reason::StsWebIdentity,
        "the role does not accept this web identity: the OIDC provider, its audience, or the subject in the trust policy does not fit",
        Confidence::Certain,
    )
}

/// Exceptions of the EKS API that shut somebody out.
fn eks_verdict(call: &CloudTrailCall, code: &str, text: &str) -> Option<Verdict> {
    let cluster = call.place.cluster.as_deref().unwrap_or("CLUSTER");
    let region = call.place.region.as_deref().unwrap_or("REGION");
    let named = format!("--name {} --region {}", quote(cluster), quote(region));
    let verdict =
        |reason, cause: &str, fixes: Vec<Fix>| Some(Verdict::new(reason, cause, Confidence::Certain).with(fixes));
    let has = |part: &str| text.contains(part);
    match code {
        "InvalidRequestException" | "InvalidParameterException"
            if has("authentication mode must be set to one of")
                || has("Unsupported authentication mode update")
                || has("bootstrapClusterCreatorAdminPermissions must be true") =>
        {
            verdict(
                Reason::EksAuthMode,
                "the cluster's authentication mode does not allow this: access entries need API or API_AND_CONFIG_MAP, and the mode moves one way only",
                vec![fix(
                    "Change the mode (cannot be undone)",
                    vec![format!(
                        "aws eks update-cluster-config {named} --access-config authenticationMode=API_AND_CONFIG_MAP"
                    )],
                )],
            )
        }
        "InvalidParameterException"
            if has("could not be assumed because it does not exist or the trusted entity is not correct") =>
        {
            verdict(
                Reason::StsServiceRoleTrust,
                "the service role given to the call does not exist or does not trust the service; it is not the caller's own role",
                vec![fix(
                    "Look at the trust policy of the role in the message: it must name the service (eks.amazonaws.com, ec2.amazonaws.com or eks-fargate-pods.amazonaws.com)",
                    vec!["aws iam get-role --role-name SERVICE_ROLE --query Role.AssumeRolePolicyDocument".to_owned()],
                )],
            )
        }
        "InvalidParameterException" if has("principalArn value of a Service Linked Role") => verdict(
            Reason::EksOther,
            "EKS does not let customers make or change access entries of service-linked roles; the service that owns the role makes its own",
            Vec::new(),
        )
        .map(|found| Verdict { cause: format!("{}: {text}", found.cause), ..found }),
        "InvalidParameterException" if has("specified principalArn is invalid") => verdict(
            Reason::EksAccessEntryInvalidPrincipal,
            "an access entry needs the ARN of a principal that exists, with its path; one made seconds ago may not be known yet",
            Vec::new(),
        ),
        "InvalidParameterException" if has("kubernetes group name") && has("cannot start with") => verdict(
            Reason::EksAccessEntrySystemGroup,
            "groups of access entries cannot start with system:; use AmazonEKSClusterAdminPolicy instead of system:masters",
            crate::creators::admin_entry_commands(cluster, region, "PRINCIPAL_ARN")
                .into_iter()
                .skip(1)
                .map(|command| fix("Associate the policy", vec![command]))
                .collect(),
        ),
        "InvalidParameterException" if has("username must not begin with") => verdict(
            Reason::EksAccessEntrySystemUser,
            "user names of access entries cannot begin with system:; nodes take the type EC2_LINUX",
            Vec::new(),
        ),
        "ResourceInUseException" if has("access entry resource is already in use") => verdict(
            Reason::EksAccessEntryExists,
            "the principal has an access entry already; the creator has one that EKS made",
            vec![fix(
                "Look at the entries",
                vec![format!(
                    "aws eks list-access-entries --cluster-name {} --region {}",
                    quote(cluster),
                    quote(region)
                )],
            )],
        ),
        "ResourceNotFoundException" if has("No cluster found for name") => verdict(
            Reason::EksClusterNotFound,
            "there is no cluster of this name in this account and region",
            vec![fix(
                "Look where it is",
                vec![
                    format!("aws eks list-clusters --region {}", quote(region)),
                    "aws sts get-caller-identity".to_owned(),
                ],
            )],
        ),
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => {
            verdict(Reason::EksThrottled, "too many calls: no right is missing", Vec::new())
        }
        _ => None,
    }
}

/// Refusals of IAM, by the cause that the message names.
fn access_verdict(
    call: &CloudTrailCall,
    message: Option<&DeniedMessage<'_>>,
    is_sts: bool,
    trusts: &Trusts<'_>,
) -> Verdict {
    let is_assume = is_sts && call.event_name.starts_with("AssumeRole");
    let action = message.map_or_else(
        || {
            format!(
                "{}:{}",
                call.event_source.split('.').next().unwrap_or_default(),
                call.event_name
            )
        },
        |message| message.action.to_owned(),
    );
    let resource = message.and_then(|message| message.resource).unwrap_or("*");
    let cause = message.map_or(&Cause::Unsaid, |message| &message.cause);
    let grant = || {
        fix(
            "Grant the action to the caller",
            vec![grant_command(call, &action, resource)],
        )
    };
    let is_pass_role = action == "iam:PassRole";
    match cause {
        Cause::NoAllow(PolicyKind::RoleTrust) => Verdict::new(Reason::StsTrustPolicy, "the trust policy of the role does not let this principal assume it", Confidence::Certain).with([trust_fix(call, message)]),
        Cause::ExplicitDeny(PolicyKind::RoleTrust, _) => Verdict::new(Reason::StsTrustPolicy, "the trust policy of the role denies this principal", Confidence::Certain).with([trust_fix(call, message)]),
        Cause::NoAllow(PolicyKind::Identity) if is_pass_role => pass_role(resource, Confidence::Certain).with([grant()]),
        Cause::NoAllow(PolicyKind::Identity) => Verdict::new(Reason::IamIdentityPolicyMissing, format!("no policy of the caller allows {action}"), Confidence::Certain).with([grant()]),
        Cause::NoAllow(PolicyKind::ServiceControl) => Verdict::new(Reason::IamScp, format!("no service control policy of the organization allows {action}: only its administrator can change that"), Confidence::Certain),
        Cause::ExplicitDeny(PolicyKind::ServiceControl, policy) => Verdict::new(Reason::IamScpExplicit, deny_cause("a service control policy", *policy, "only the organization's administrator can change it"), Confidence::Certain),
        Cause::NoAllow(PolicyKind::ResourceControl) | Cause::ExplicitDeny(PolicyKind::ResourceControl, _) => Verdict::new(Reason::IamRcp, "a resource control policy of the organization denies it: only its administrator can change that", Confidence::Certain),
        Cause::NoAllow(PolicyKind::PermissionsBoundary) | Cause::ExplicitDeny(PolicyKind::PermissionsBoundary, _) => {
            Verdict::new(Reason::IamPermissionsBoundary, format!("the caller's permissions boundary does not allow {action}"), Confidence::Certain)
        }
        Cause::NoAllow(PolicyKind::Session) | Cause::ExplicitDeny(PolicyKind::Session, _) => {
            Verdict::new(Reason::IamSessionPolicy, "the policy passed when the session was made does not allow it: change what assumes the role", Confidence::Certain)
        }
        Cause::NoAllow(PolicyKind::Resource) => Verdict::new(Reason::IamResourcePolicy, "the resource's own policy does not allow it", Confidence::Certain),
        Cause::NoAllow(PolicyKind::VpcEndpoint) | Cause::ExplicitDeny(PolicyKind::VpcEndpoint, _) => {
            Verdict::new(Reason::IamVpcEndpointPolicy, "the policy of the VPC endpoint does not allow it", Confidence::Certain)
        }
        Cause::ExplicitDeny(_, policy) => Verdict::new(Reason::IamExplicitDeny, deny_cause("a policy", *policy, "an Allow never beats it"), Confidence::Certain),
        Cause::NoAllow(_) => Verdict::new(Reason::IamIdentityPolicyUnknown, format!("some policy does not allow {action}"), Confidence::Guess).with([simulate(call, &action, resource)]),
        Cause::Unsaid if is_assume && trusts.condition_for(call, message).is_some() => {
            let condition = trusts.condition_for(call, message).unwrap_or_default();
            Verdict::new(
                Reason::StsTrustPolicyCondition,
                format!("the trust policy lets the caller assume the role under a condition ({condition}), which the call may not have met"),
                Confidence::Likely,
            )
            .with([trust_fix(call, message)])
        }
        Cause::Unsaid if is_assume => Verdict::new(
            Reason::StsTrustPolicy,
            "the trust policy of the role, the caller's own policies, or the role's absence: STS gives one answer for all",
            Confidence::Guess,
        )
        .with([trust_fix(call, message)]),
        Cause::Unsaid if is_pass_role => pass_role(resource, Confidence::Certain).with([grant()]),
        Cause::Unsaid => Verdict::new(Reason::IamIdentityPolicyUnknown, format!("{action} was refused and the message names no policy"), Confidence::Guess).with([simulate(call, &action, resource)]),
    }
}

fn pass_role(resource: &str, confidence: Confidence) -> Verdict {
    Verdict::new(
        Reason::IamPassRole,
        format!("the caller may not pass {resource} to the service (iam:PassRole)"),
        confidence,
    )
}

fn deny_cause(what: &str, policy: Option<&str>, then: &str) -> String {
    match policy {
        Some(arn) => format!("{what} denies it explicitly ({arn}); {then}"),
        None => format!("{what} denies it explicitly; {then}"),
    }
}

/// The policy statement that grants an action, for whatever kind the caller is.
fn grant_command(call: &CloudTrailCall, action: &str, resource: &str) -> String {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]});
    let document = quote(&document.to_string());
    let caller = call.canonical_arn.as_deref().unwrap_or_default();
    let name = Arn::parse(caller).map_or("NAME", |arn| arn.name()).to_owned();
    let policy = format!("allow-{}", action.replace(':', "-").to_lowercase());
    match Arn::parse(caller).is_ok_and(|arn| arn.resource.starts_with("user/")) {
        true => format!(
            "aws iam put-user-policy --user-name {} --policy-name {policy} --policy-document {document}",
            quote(&name)
        ),
        false => format!(
            "aws iam put-role-policy --role-name {} --policy-name {policy} --policy-document {document}",
            quote(&name)
        ),
    }
}

fn simulate(call: &CloudTrailCall, action: &str, resource: &str) -> Fix {
    let caller = quote(call.canonical_arn.as_deref().unwrap_or("PRINCIPAL_ARN"));
    let command = format!(
        "aws iam simulate-principal-policy --policy-source-arn {caller} --action-names {} --resource-arns {}",
        quote(action),
        quote(resource)
    );
    fix("Find the policy that refuses", vec![command])
}

fn trust_fix(call: &CloudTrailCall, message: Option<&DeniedMessage<'_>>) -> Fix {
    let request = json::parse(call.request_parameters.as_deref());
    let role = json::text(&request, &["roleArn"])
        .or_else(|| message.and_then(|message| message.resource))
        .unwrap_or("ROLE_ARN");
    let name = Arn::parse(role).map_or("ROLE", |arn| arn.name()).to_owned();
    let caller = call.canonical_arn.as_deref().unwrap_or("PRINCIPAL_ARN");
    let statement = serde_json::json!({"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sts:AssumeRole"});
    Fix {
        title: "Let the role trust the caller (add the statement to those that are there); across accounts the caller needs sts:AssumeRole too".to_owned(),
        commands: vec![
            format!("aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument", quote(&name)),
            format!("aws iam update-assume-role-policy --role-name {} --policy-document file://trust.json", quote(&name)),
        ],
        manifest: serde_json::to_string_pretty(&statement).ok(),
    }
}
