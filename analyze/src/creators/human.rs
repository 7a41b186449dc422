//! The person behind the making of a cluster, and the tool.
//!
//! Rule: CloudFormation with a service role hides the person, whom CreateStack shows; from there the chain of sessions leads on.

use eksplain_parse::arn::{Arn, sso_permission_set};
use eksplain_queries::facts::CloudTrailCall;

use crate::evidence;
use crate::findings::Evidence;
use crate::json;
use crate::people;
use crate::state::World;

/// What following the chain gave.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) human: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
}

/// Follows a call back to a person. `tagged` is the call whose request has the tags of the stack: the call itself, or the one that made
/// what it changes.
pub(crate) fn trace(world: &World<'_>, cluster: &str, call: &CloudTrailCall, tagged: &CloudTrailCall) -> Chain {
    let mut chain = Chain::default();
    let mut link = call;
    if is_stack_role(call)
        && let Some(stack) = stack_call(world, cluster, call, tagged)
    {
        chain.evidence.push(evidence::cloudtrail(
            &stack.at,
            format!("{} made or changed the stack that did it", stack.event_name),
        ));
        link = stack;
    }
    let (links, human) = people::links(world, link);
    chain.evidence.extend(links.into_iter().map(people::issue));
    chain.human = human;
    chain
}

/// Whether CloudFormation called with a service role of its own.
pub(crate) fn is_stack_role(call: &CloudTrailCall) -> bool {
    call.invoked_by.as_deref() == Some("cloudformation.amazonaws.com")
        && call.session.as_deref() == Some("AWSCloudFormation")
}

/// The last call before that made or changed the stack which tags what it made.
fn stack_call<'w>(
    world: &'w World<'_>,
    cluster: &str,
    call: &CloudTrailCall,
    tagged: &CloudTrailCall,
) -> Option<&'w CloudTrailCall> {
    let request = json::parse(tagged.request_parameters.as_deref());
    let wanted = json::text(&request["tags"], &["aws:cloudformation:stack-name"])
        .map(str::to_owned)
        .unwrap_or_else(|| format!("eksctl-{cluster}-cluster"));
    let names_it = |other: &&CloudTrailCall| {
        let request = json::parse(other.request_parameters.as_deref());
        let name = json::text(&request, &["stackName"]).unwrap_or_default();
        name == wanted || name.contains(&format!(":stack/{wanted}/"))
    };
    let stacks = world
        .facts
        .calls
        .iter()
        .filter(|other| other.event_source == "cloudformation.amazonaws.com" && other.error_code.is_none());
    let mut before = stacks.filter(|other| {
        other.at.ts <= call.at.ts
            && other.place.account == call.place.account
            && other.place.region == call.place.region
    });
    before.rfind(names_it)
}

/// The tool that made the call.
pub(super) fn tool(call: &CloudTrailCall) -> Option<&'static str> {
    let agent = call.user_agent.as_deref().unwrap_or_default();
    let invoked_by = call.invoked_by.as_deref().unwrap_or_default();
    let request = json::parse(call.request_parameters.as_deref());
    let has_tag = |prefix: &str| {
        request["tags"]
            .as_object()
            .is_some_and(|tags| tags.keys().any(|tag| tag.starts_with(prefix)))
    };
    if agent.starts_with("eksctl/") || has_tag("alpha.eksctl.io/") {
        return Some("eksctl");
    }
    let issuer = call
        .canonical_arn
        .as_deref()
        .and_then(|arn| Arn::parse(arn).ok())
        .map(|arn| arn.name().to_owned())
        .unwrap_or_default();
    if issuer.contains("CreationRole") && sso_permission_set(&issuer).is_none() {
        return Some("cdk");
    }
    if invoked_by == "cloudformation.amazonaws.com" || agent == "cloudformation.amazonaws.com" {
        return Some("cloudformation");
    }
    if agent.contains("HashiCorp/") || agent.contains("Terraform/") || agent.contains("terraform-provider-aws/") {
        return Some("terraform");
    }
    if agent.starts_with("aws-cli/") {
        return Some("cli");
    }
    if agent.starts_with("Mozilla/") || agent == "AWS Internal" || agent.starts_with("console.amazonaws.com") {
        return Some("console");
    }
    if call.principal_type.as_deref() == Some("AWSService") || invoked_by.ends_with(".amazonaws.com") {
        return Some("service");
    }
    let is_sdk = ["aws-sdk-", "Boto3/", "Botocore/", "botocore/", "m/"]
        .iter()
        .any(|prefix| agent.starts_with(prefix));
    (is_sdk || agent.contains("aws-sdk-")).then_some("sdk")
}
