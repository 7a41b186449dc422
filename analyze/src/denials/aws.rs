//! Layers `iam`, `sts` and `eks`: calls that AWS refused.
//!
//! Rule: IAM User Guide, "Troubleshoot access denied error messages"; the EKS API's exceptions. AWS names one policy type even if
//! several deny: the cause never says that it is the only one. What the caller chose in a message is never searched.

use std::collections::BTreeSet;

use eksplain_parse::arn::{Arn, decode_percent};
use eksplain_parse::denied::{Cause, DeniedMessage, PolicyKind, parse_message};
use eksplain_queries::facts::{CallSuccess, CloudTrailCall, Micros};

use super::trust::Trusts;
use super::{Refusal, Verdict, seen};
use crate::evidence;
use crate::findings::{Cluster, Fix, RequestShape};
use crate::fixes::names::{WholeArn, of_cluster, region_of};
use crate::fixes::{self, access_entry, client, fix, iam, sts};
use crate::json;
use crate::shell::quote;
use crate::state::{Mode, World};
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
    let verdict = verdict(
        world,
        call,
        text.as_deref().unwrap_or_default(),
        message.as_ref(),
        trusts,
    )?;
    let is_other = matches!(verdict.reason, Reason::EksOther | Reason::IamOther | Reason::StsOther);
    if is_other && refuses_nobody(call.error_code.as_deref().unwrap_or_default()) {
        return None;
    }
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
        only_with_all: is_service || is_service_role,
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
    world: &World<'_>,
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
            let verdict = Verdict::new(
                Reason::StsInvalidToken,
                "the access key was deleted, is inactive, belongs to another partition, or lacks its session token; or its user is gone",
                Confidence::Certain,
            );
            return Some(verdict.with([fixes::advice::of(Reason::StsInvalidToken), client::who_am_i()]));
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            return Some(Verdict::new(
                Reason::StsSignature,
                "the signature does not match: wrong secret, clock or region, or a proxy that edits requests",
                Confidence::Certain,
            ));
        }
        "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => {
            return Some(
                Verdict::new(
                    Reason::IamOrganizationOptIn,
                    "the region or the service is switched off for this account",
                    Confidence::Certain,
                )
                .with(iam::opt_in(call.place.region.as_deref().unwrap_or_default())),
            );
        }
        "InvalidIdentityToken" | "IDPCommunicationError" | "IDPRejectedClaim" if is_sts => {
            return Some(web_identity(call));
        }
        "AccessDenied" | "ExpiredTokenException" if call.event_name == "AssumeRoleWithWebIdentity" => {
            return Some(web_identity(call));
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            return Some(
                Verdict::new(
                    Reason::StsExpiredToken,
                    "the temporary credentials had expired",
                    Confidence::Certain,
                )
                .with([client::renew_credentials()]),
            );
        }
        _ => {}
    }
    if is_access {
        return Some(access_verdict(world, call, message, is_sts, trusts));
    }
    let known = if is_eks {
        eks_verdict(world, call, code, text)
    } else {
        None
    };
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
    Verdict::new(reason, cause, Confidence::Guess).with([fixes::advice::of(reason)])
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

fn web_identity(call: &CloudTrailCall) -> Verdict {
    let request = json::parse(call.request_parameters.as_deref());
    let role = json::text(&request, &["roleArn"]).unwrap_or("ROLE_ARN");
    // `arn:aws:iam::A:oidc-provider/ISSUER:AUDIENCE:SUBJECT`, where the subject is the user name.
    let subject = call.user_name.as_deref();
    let rest = subject
        .zip(call.principal_id.as_deref())
        .and_then(|(subject, id)| id.strip_suffix(subject)?.strip_suffix(':'));
    let (provider, audience) = rest.and_then(|rest| rest.rsplit_once(':')).unzip();
    let is_missing = call
        .error_message
        .as_deref()
        .is_some_and(|text| text.starts_with("No OpenIDConnect provider found"));
    Verdict::new(
        Reason::StsWebIdentity,
        "the role does not accept this web identity: the OIDC provider, its audience, or the subject in the trust policy does not fit",
        Confidence::Certain,
    )
    .with(sts::web_identity(role, subject, provider, audience, is_missing))
}

/// Exceptions of the EKS API that shut somebody out.
fn eks_verdict(world: &World<'_>, call: &CloudTrailCall, code: &str, text: &str) -> Option<Verdict> {
    let cluster = call.place.cluster.as_deref().unwrap_or("CLUSTER");
    let region = call.place.region.as_deref().unwrap_or_default();
    let place = Cluster {
        account: call.place.account.clone().unwrap_or_default(),
        region: region.to_owned(),
        name: cluster.to_owned(),
    };
    let request = json::parse(call.request_parameters.as_deref());
    // Percent-encoded where it is part of the URL; with whatever path the caller gave.
    let asked = json::text(&request, &["principalArn"]).map(decode_percent);
    let canonical = asked.as_deref().and_then(|arn| world.spellings.canonical(arn));
    let principal = canonical
        .as_deref()
        .map_or_else(|| WholeArn::known("PRINCIPAL_ARN"), |arn| WholeArn::of(world, arn));
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
                "the cluster's authentication mode does not allow this: access entries need API or API_AND_CONFIG_MAP, and the mode only changes one way",
                vec![fix(
                    "Change the mode, which cannot be undone, then repeat the call; everybody mapped in aws-auth keeps access in API_AND_CONFIG_MAP",
                    access_entry::opening(&place, Mode::ConfigMap),
                )],
            )
        }
        "InvalidParameterException"
            if has("could not be assumed because it does not exist or the trusted entity is not correct") =>
        {
            verdict(
                Reason::StsServiceRoleTrust,
                "the service role given to the call does not exist or does not trust the service; it is not the caller's own role",
                sts::service_role(
                    json::text(&request, &["roleArn", "nodeRole", "podExecutionRoleArn"]),
                    service_of(&call.event_name),
                ),
            )
        }
        "InvalidParameterException" if has("principalArn value of a Service Linked Role") => verdict(
            Reason::EksOther,
            "EKS does not let customers create or change access entries for service-linked roles; the service that owns the role creates its own",
            Vec::new(),
        )
        .map(|found| Verdict { cause: format!("{}: {text}", found.cause), ..found }),
        "InvalidParameterException" if has("specified principalArn is invalid") => verdict(
            Reason::EksAccessEntryInvalidPrincipal,
            "an access entry needs the ARN of a principal that exists, with its path; one made seconds ago may not be known yet",
            vec![fix(
                format!("Use the ARN as IAM has it, with its path{}", principal.note()),
                principal.before(vec![format!(
                    "aws eks create-access-entry {} --principal-arn {} --type STANDARD",
                    of_cluster(&place),
                    principal.word
                )]),
            )],
        ),
        "InvalidParameterException" if has("kubernetes group name") && has("cannot start with") => verdict(
            Reason::EksAccessEntrySystemGroup,
            "groups of access entries cannot start with system:; use AmazonEKSClusterAdminPolicy instead of system:masters",
            vec![fix(
                "Create the entry without that group; if system:masters was meant, an admin adds AmazonEKSClusterAdminPolicy, which is the same power",
                principal.before(vec![format!(
                    "aws eks create-access-entry {} --principal-arn {} --type STANDARD",
                    of_cluster(&place),
                    principal.word
                )]),
            )],
        ),
        "InvalidParameterException" if has("username must not begin with") => verdict(
            Reason::EksAccessEntrySystemUser,
            "user names of access entries cannot begin with system:; nodes take the type EC2_LINUX",
            vec![fix(
                "For nodes, use the type EC2_LINUX (or EC2_WINDOWS), for which EKS chooses the user name; for anybody else leave --username out and use STANDARD",
                principal.before(vec![format!(
                    "aws eks create-access-entry {} --principal-arn {} --type EC2_LINUX",
                    of_cluster(&place),
                    principal.word
                )]),
            )],
        ),
        "ResourceInUseException" if has("access entry resource is already in use") => verdict(
            Reason::EksAccessEntryExists,
            "the principal already has an access entry; EKS creates the creator's",
            vec![access_entry::look_at_entry(cluster, region, asked.as_deref())],
        ),
        "ResourceNotFoundException" if has("No cluster found for name") => verdict(
            Reason::EksClusterNotFound,
            "there is no cluster of this name in this account and region",
            vec![fix(
                "Look where it is",
                vec![
                    format!("aws eks list-clusters --region {}", region_of(region)),
                    "aws sts get-caller-identity".to_owned(),
                ],
            )],
        ),
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => {
            verdict(Reason::EksThrottled, "too many calls: no permission is missing", Vec::new())
        }
        _ => None,
    }
}

/// Refusals of IAM, by the cause that the message names.
fn access_verdict(
    world: &World<'_>,
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
    let said = message.and_then(|message| message.resource);
    let of_call = cluster_arn(call).filter(|_| action.starts_with("eks:") && said.is_none());
    let resource = said.or(of_call.as_deref()).unwrap_or("*");
    let cause = message.map_or(&Cause::Unsaid, |message| &message.cause);
    let canonical = caller_of(world, call, message);
    let caller = canonical.as_deref().unwrap_or_default();
    let arn = WholeArn::of(world, caller);
    let account = call.identity_account.as_deref().unwrap_or_default();
    let grant = || iam::grant_or_warning(caller, &action, resource);
    let simulate = || [iam::simulate(&arn, caller, &action, resource)];
    let trust = || {
        let request = json::parse(call.request_parameters.as_deref());
        let role = json::text(&request, &["roleArn"])
            .or(said)
            .unwrap_or("ROLE_ARN")
            .to_owned();
        let action = if action.starts_with("sts:") {
            action.as_str()
        } else {
            "sts:AssumeRole"
        };
        sts::trust(&role, caller, &arn, action)
    };
    let certain = |reason, cause: String| Verdict::new(reason, cause, Confidence::Certain);
    let deny = |policy: Option<&str>| iam::find_deny(&arn, caller, &action, resource, policy);
    let organization = |policy: Option<&str>, filter: &str| iam::organization(account, policy, filter);
    let is_pass_role = action == "iam:PassRole";
    match cause {
        Cause::NoAllow(PolicyKind::RoleTrust) => certain(Reason::StsTrustPolicy, "the trust policy of the role does not let this principal assume it".to_owned()).with(trust()),
        Cause::ExplicitDeny(PolicyKind::RoleTrust, _) => certain(Reason::StsTrustPolicy, "the trust policy of the role denies this principal".to_owned()).with([fix(
            "Look at the Deny in the role's trust policy: an Allow never overrides it",
            vec![format!("aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument", quote(said.and_then(|arn| Arn::parse(arn).ok()).map_or("ROLE", |arn| arn.name())))],
        )]),
        Cause::NoAllow(PolicyKind::Identity) if is_pass_role => pass_role(resource, Confidence::Certain).with(grant()),
        Cause::NoAllow(PolicyKind::Identity) => certain(Reason::IamIdentityPolicyMissing, format!("no policy of the caller allows {action}")).with(grant()),
        Cause::NoAllow(PolicyKind::ServiceControl) => certain(Reason::IamScp, format!("no service control policy of the organization allows {action}: only its administrator can change that")).with(organization(None, "SERVICE_CONTROL_POLICY")),
        Cause::ExplicitDeny(PolicyKind::ServiceControl, policy) => certain(Reason::IamScpExplicit, deny_cause("a service control policy", *policy, "only the organization's administrator can change it")).with(organization(*policy, "SERVICE_CONTROL_POLICY")),
        Cause::NoAllow(PolicyKind::ResourceControl) => certain(Reason::IamRcp, "a resource control policy of the organization denies it: only its administrator can change that".to_owned()).with(organization(None, "RESOURCE_CONTROL_POLICY")),
        Cause::ExplicitDeny(PolicyKind::ResourceControl, policy) => certain(Reason::IamRcp, "a resource control policy of the organization denies it: only its administrator can change that".to_owned()).with(organization(*policy, "RESOURCE_CONTROL_POLICY")),
        Cause::NoAllow(PolicyKind::PermissionsBoundary) | Cause::ExplicitDeny(PolicyKind::PermissionsBoundary, _) => {
            certain(Reason::IamPermissionsBoundary, format!("the caller's permissions boundary does not allow {action}")).with(iam::boundary(caller))
        }
        Cause::NoAllow(PolicyKind::Session) | Cause::ExplicitDeny(PolicyKind::Session, _) => {
            certain(Reason::IamSessionPolicy, "the session policy does not allow it: change what assumes the role".to_owned())
        }
        Cause::NoAllow(PolicyKind::Resource) => certain(Reason::IamResourcePolicy, "the resource's own policy does not allow it".to_owned()),
        Cause::NoAllow(PolicyKind::VpcEndpoint) | Cause::ExplicitDeny(PolicyKind::VpcEndpoint, _) => {
            let service = call.event_source.split('.').next().unwrap_or_default();
            certain(Reason::IamVpcEndpointPolicy, "the policy of the VPC endpoint does not allow it".to_owned()).with(iam::vpc_endpoint(call.place.region.as_deref().unwrap_or_default(), service))
        }
        Cause::ExplicitDeny(_, policy) => certain(Reason::IamExplicitDeny, deny_cause("a policy", *policy, "an Allow never overrides it")).with(deny(*policy)),
        Cause::NoAllow(_) => Verdict::new(Reason::IamIdentityPolicyUnknown, format!("some policy does not allow {action}"), Confidence::Guess).with(simulate()),
        Cause::Unsaid if is_assume && trusts.condition_for(call, message).is_some() => {
            let condition = trusts.condition_for(call, message).unwrap_or_default();
            Verdict::new(
                Reason::StsTrustPolicyCondition,
                format!("the trust policy lets the caller assume the role under a condition ({condition}), which the call may not have met"),
                Confidence::Likely,
            )
            .with(trust())
        }
        Cause::Unsaid if is_assume => Verdict::new(
            Reason::StsTrustPolicy,
            "the trust policy of the role, the caller's own policies, or the role's absence: STS gives one answer for all",
            Confidence::Guess,
        )
        .with(trust()),
        Cause::Unsaid if is_pass_role => pass_role(resource, Confidence::Certain).with(grant()),
        Cause::Unsaid => Verdict::new(Reason::IamIdentityPolicyUnknown, format!("{action} was refused and the message names no policy"), Confidence::Guess).with(simulate()),
    }
}

/// The caller in the form of answers: of the record, or of AWS's own message.
fn caller_of(world: &World<'_>, call: &CloudTrailCall, message: Option<&DeniedMessage<'_>>) -> Option<String> {
    let said = message.map(|message| message.principal);
    call.canonical_arn
        .as_deref()
        .or(said)
        .and_then(|arn| world.spellings.canonical(arn))
}

fn cluster_arn(call: &CloudTrailCall) -> Option<String> {
    let (account, region) = (call.place.account.as_deref()?, call.place.region.as_deref()?);
    let partition = eksplain_parse::region::partition_of(region);
    Some(format!(
        "arn:{partition}:eks:{region}:{account}:cluster/{}",
        call.place.cluster.as_deref()?
    ))
}

/// The service that a role given to a call has to trust.
fn service_of(event_name: &str) -> Option<&'static str> {
    match event_name {
        "CreateCluster" => Some("eks.amazonaws.com"),
        "CreateNodegroup" => Some("ec2.amazonaws.com"),
        "CreateFargateProfile" => Some("eks-fargate-pods.amazonaws.com"),
        _ => None,
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
