//! What the API server itself answered when somebody asked about their own rights: SelfSubjectAccessReviews in the audit log.
//!
//! Rule: kubernetes/kubernetes `staging/src/k8s.io/api/authorization/v1/types.go`.

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::Review;
use serde_json::Value;

use super::{As, CanI, Request};
use crate::evidence;
use crate::json;
use crate::state::{Incarnation, World};

/// Adds the answers to the same question that the API server gave the asker in this life of the cluster: the last yes and the last no.
pub(super) fn add(world: &World<'_>, life: &Incarnation<'_>, who: &As, request: &Request, answer: &mut CanI) {
    let canonical = match who {
        As::Principal { arn } => world.spellings.canonical(arn),
        As::User { .. } => None,
    };
    let is_asker = |review: &&Review| match who {
        As::User { username, .. } => review.username.as_ref() == Some(username),
        As::Principal { .. } => canonical
            .as_deref()
            .zip(review.canonical_arn.as_deref())
            .is_some_and(|(own, other)| own.eq_ignore_ascii_case(other)),
    };
    let is_of_life = |review: &&Review| {
        review.first.ts >= life.start && world.places.cluster(&review.place).as_ref() == Some(&life.cluster)
    };
    let reviews = world.facts.reviews.iter().filter(is_asker).filter(is_of_life);
    let same: Vec<&Review> = reviews.filter(|review| asks(&review.request_object, request)).collect();
    for allowed in [true, false] {
        let own = same.iter().filter(|review| review.allowed == allowed);
        let count: u64 = own.clone().map(|review| review.count).sum();
        let Some(last) = own.max_by_key(|review| &review.last) else {
            continue;
        };
        let word = if allowed { "yes" } else { "no" };
        let times = if count == 1 {
            String::new()
        } else {
            format!(", {count} times in all")
        };
        let sentence = format!(
            "the API server's own answer was {word} (SelfSubjectAccessReview of {} at {}{times})",
            last.username.as_deref().unwrap_or_default(),
            format_rfc3339(last.last.ts)
        );
        answer.evidence.push(evidence::audit(&last.last, sentence.clone()));
        answer.considered.push(sentence);
    }
    let last = same.iter().max_by_key(|review| &review.last);
    // The principal's own rights were asked for, with its own groups: a "no" beside the server's "yes" is not known.
    if let Some(review) = last.filter(|review| review.allowed && answer.allowed == Some(false))
        && matches!(who, As::Principal { .. })
    {
        answer.allowed = None;
        answer.blind_spots.push(format!(
            "The API server allowed it at {}, and nothing known shows by what: `eksplain ingest snapshot` would settle it.",
            format_rfc3339(review.last.ts)
        ));
    }
}

/// Whether a review asked for exactly this.
fn asks(review: &str, request: &Request) -> bool {
    let review = json::parse(Some(review));
    let spec = &review["spec"];
    let is = |attributes: &Value, key: &str, own: Option<&str>| {
        attributes[key].as_str().unwrap_or_default() == own.unwrap_or_default()
    };
    if let Some(url) = &request.url {
        let attributes = &spec["nonResourceAttributes"];
        return attributes.is_object()
            && is(attributes, "path", Some(url))
            && is(attributes, "verb", Some(&request.verb));
    }
    let attributes = &spec["resourceAttributes"];
    attributes.is_object()
        && is(attributes, "verb", Some(&request.verb))
        && is(attributes, "group", Some(&request.api_group))
        && is(attributes, "resource", Some(&request.resource))
        && is(attributes, "subresource", request.subresource.as_deref())
        && is(attributes, "namespace", request.namespace.as_deref())
        && is(attributes, "name", request.name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_answers_the_same_question_only() {
        let review = r#"{"spec":{"resourceAttributes":{"namespace":"dev","verb":"list","resource":"secrets"}}}"#;
        let request = Request {
            verb: "list".into(),
            resource: "secrets".into(),
            namespace: Some("dev".into()),
            ..Request::default()
        };
        assert!(asks(review, &request));
        assert!(!asks(
            review,
            &Request {
                namespace: None,
                ..request.clone()
            }
        ));
        assert!(!asks(
            review,
            &Request {
                verb: "get".into(),
                ..request.clone()
            }
        ));
        let url = Request {
            verb: "get".into(),
            url: Some("/metrics".into()),
            ..Request::default()
        };
        assert!(asks(
            r#"{"spec":{"nonResourceAttributes":{"path":"/metrics","verb":"get"}}}"#,
            &url
        ));
        assert!(!asks(review, &url));
    }
}
