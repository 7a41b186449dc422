//! Reasons of refusals that are known by their text alone, as somebody pastes it: the same rules that decide about records, asked with
//! an empty world. One text has one reason in `explain` and in `denials` because this is the only way `explain` gets it.

use eksplain_parse::denied::parse_message;
use eksplain_queries::facts::{CloudTrailCall, DeniedLogin, DeniedRequest, Facts};

use super::request::{Caller, Gate, gate, shape};
use super::trust::Trusts;
use super::{admission, authn, authz, aws};
use crate::rbac::Asker;
use crate::state::World;
use crate::words::Reason;

/// Why the API server refused a request; `code` and `status_message` must be there.
pub(crate) fn request(request: &DeniedRequest) -> &'static str {
    let facts = Facts::default();
    let message = request.status_message.as_deref().unwrap_or_default();
    let username = request
        .impersonated_username
        .as_deref()
        .or(request.username.as_deref())
        .unwrap_or_default();
    let caller = Caller {
        asker: Asker::new(username, &request.groups),
        canonical: request.canonical_arn.as_deref(),
        is_impersonated: request.impersonated_username.is_some(),
    };
    let verdict = match gate(request, message) {
        Gate::Authorization => authz::verdict(&World::build(&facts, 0), request, &caller, &shape(request), None),
        Gate::Impersonation => authz::impersonation(username),
        Gate::Admission => admission::verdict(request, message),
    };
    verdict.reason.id()
}

/// Why the authenticator refused a login.
pub(crate) fn login(login: &DeniedLogin) -> &'static str {
    let facts = Facts::default();
    authn::verdict(&World::build(&facts, 0), None, None, login, None, None)
        .reason
        .id()
}

/// Why AWS refused a call; `None` for errors that refuse nobody.
pub(crate) fn call(call: &CloudTrailCall) -> Option<&'static str> {
    let message = parse_message(call.error_message.as_deref().unwrap_or_default());
    let text = call.error_message.as_deref().unwrap_or_default();
    let verdict = aws::verdict(call, text, message.as_ref(), &Trusts::default())?;
    // A text that no table knows is one that explain has no reason for.
    let is_known = !matches!(verdict.reason, Reason::EksOther | Reason::IamOther | Reason::StsOther);
    is_known.then(|| verdict.reason.id())
}

/// Where the sentence behind `… is forbidden: ` begins.
pub(crate) use super::request::after_forbidden;
