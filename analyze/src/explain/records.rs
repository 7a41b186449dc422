//! Which refusals of a lake a text speaks of: those of its user, verb, resource and namespace, or of its principal and action. A text
//! that names nobody may be any refused login, and nothing else is guessed.

use eksplain_parse::arn::canonical_arn;

use super::Explanation;
use crate::findings::Denial;

impl Explanation {
    /// Whether the text says enough to tell its own records from those of others.
    pub fn names_a_request(&self) -> bool {
        self.names.tell_a_request()
    }

    /// Whether a denial is one that the text may have come from.
    pub fn may_be(&self, denial: &Denial) -> bool {
        if self.is_carrier || !self.is_of_gate(denial) {
            return false;
        }
        let names = &self.names;
        if !self.names_a_request() {
            // A refused login names nobody at the terminal; a page or a bare word is about no call.
            let is_login = self.layer == "authn" && self.pattern.starts_with('E') && self.is_heard;
            return is_login
                && (self.reason == denial.reason.id() || self.reason == "authn.not-mapped")
                && self.is_of_cluster(denial);
        }
        let request = &denial.request;
        let is_same = |named: &Option<String>, recorded: &Option<String>| named.is_none() || named == recorded;
        let has_request = names.verb.is_some() && (names.resource.is_some() || names.url.is_some());
        self.is_of_cluster(denial)
            && self.is_of_caller(denial)
            && is_same(&names.action, &request.aws_action)
            && is_same(&names.verb, &request.verb)
            && is_same(&names.resource, &request.resource)
            && is_same(&names.api_group, &request.api_group)
            && is_same(&names.url, &request.non_resource_url)
            // The sentence says all of its request: no namespace is the whole cluster.
            && (!has_request || (names.subresource == request.subresource && names.namespace == request.namespace))
            && (request.name.is_none() || is_same(&names.name, &request.name))
    }

    /// One text, one gate; inside it the records may prove a more specific reason.
    fn is_of_gate(&self, denial: &Denial) -> bool {
        match self.layer {
            "authn" | "authz" => denial.layer.id() == self.layer,
            "iam" | "sts" => matches!(denial.layer.id(), "iam" | "sts"),
            _ => denial.reason.id() == self.reason,
        }
    }

    fn is_of_cluster(&self, denial: &Denial) -> bool {
        let named = self.names.cluster.as_deref();
        let recorded = denial.cluster.as_ref().map(|cluster| cluster.name.as_str());
        named.is_none() || recorded.is_none() || named == recorded
    }

    fn is_of_caller(&self, denial: &Denial) -> bool {
        let is_principal = |text: &str| {
            let canonical = canonical_arn(text);
            let text = canonical.as_deref().unwrap_or(text);
            denial
                .principal
                .as_deref()
                .is_some_and(|principal| principal.eq_ignore_ascii_case(text))
        };
        let user = self.names.user.as_deref();
        let by_user = user.is_none_or(|user| denial.kubernetes_username.as_deref() == Some(user) || is_principal(user));
        by_user && self.names.principal.as_deref().is_none_or(is_principal)
    }
}
