//! Who a Kubernetes user was, where the event itself does not say: old clusters and stripped events keep the uid and drop the ARN.
//!
//! Rule: `uid` is `aws-iam-authenticator:<account>:<unique id>` (`heptio-authenticator-aws:` before 2022), and the authenticator's own
//! lines have it beside the ARN.

use std::collections::BTreeMap;

use eksplain_queries::facts::Facts;

/// Fills in ARNs that another record of the same uid has.
pub(crate) fn fill_arns(facts: &mut Facts) {
    let by_login = facts
        .logins
        .iter()
        .filter_map(|row| Some((row.uid.clone()?, row.canonical_arn.clone()?)));
    let by_request = facts
        .activity
        .iter()
        .filter_map(|row| Some((row.uid.clone()?, row.canonical_arn.clone()?)));
    let known: BTreeMap<String, String> = by_login.chain(by_request).filter(|(uid, _)| is_iam(uid)).collect();
    let find = |uid: &Option<String>| {
        uid.as_ref()
            .filter(|uid| is_iam(uid))
            .and_then(|uid| known.get(uid))
            .cloned()
    };
    for row in facts.activity.iter_mut().filter(|row| row.canonical_arn.is_none()) {
        row.canonical_arn = find(&row.uid);
    }
    for row in facts
        .denied_requests
        .iter_mut()
        .filter(|row| row.canonical_arn.is_none())
    {
        row.canonical_arn = find(&row.uid);
    }
}

fn is_iam(uid: &str) -> bool {
    let rest = uid
        .strip_prefix("aws-iam-authenticator:")
        .or_else(|| uid.strip_prefix("heptio-authenticator-aws:"));
    rest.is_some_and(|rest| !rest.starts_with("administrative:"))
}
