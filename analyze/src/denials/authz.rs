//! Layer `authz`: 403 by the authorizers. What the caller had at that moment, and the fewest changes that would have let it through.
//!
//! Rule: kubernetes/kubernetes RBAC evaluation, EKS access policies; the order of reasons is the domain's.

use eksplain_queries::facts::DeniedRequest;

use super::fixes::{self, Named};
use super::request::{Caller, as_rbac};
use super::{Verdict, request};
use crate::findings::{Cluster, Fix, RequestShape};
use crate::knowledge::Measure;
use crate::rbac::{
    Binding, Rbac, Request, Role, Subject, in_words, policies, rule_allows, scope_covers, service_account,
};
use crate::state::entries::key_of;
use crate::state::{AccessEntry, Association, World};
use crate::username;
use crate::words::{Confidence, Reason};

/// Refused impersonation.
pub(super) fn impersonation(username: &str) -> Verdict {
    let grant = RequestShape {
        verb: Some("impersonate".to_owned()),
        api_group: Some(String::new()),
        resource: Some("users".to_owned()),
        ..RequestShape::default()
    };
    Verdict::new(
        Reason::AuthzImpersonate,
        format!("{username} may not act as somebody else (--as, --as-group)"),
        Confidence::Certain,
    )
    .with(fixes::role_and_binding(&grant, &Named::User(username)))
}

/// Why the authorizers refused.
pub(super) fn verdict(
    world: &World<'_>,
    denied: &DeniedRequest,
    caller: &Caller<'_>,
    shape: &RequestShape,
    cluster: Option<&Cluster>,
) -> Verdict {
    let username = caller.asker.username.as_str();
    if username == "system:anonymous" {
        return Verdict::new(
            Reason::AuthzAnonymous,
            "the request had no credential: a kubeconfig without a user, a browser, a scanner",
            Confidence::Certain,
        )
        .with([fixes::verify()]);
    }
    if denied.code == 500 {
        return Verdict::new(
            Reason::AuthzError,
            "an authorizer failed: try again",
            Confidence::Certain,
        );
    }
    if username.starts_with("system:node:") {
        return Verdict::new(
            Reason::AuthzNode,
            "a kubelet asked for what its pods do not use, or a person uses a node's role",
            Confidence::Certain,
        );
    }
    if let Some(role) = missing_role(denied) {
        return Verdict::new(
            Reason::AuthzRbacRoleMissing,
            format!("a binding names the role {role}, which does not exist"),
            Confidence::Certain,
        )
        .with(exact_fix(caller, shape));
    }
    let reason = denied.decision_reason.as_deref().unwrap_or_default();
    if !reason.is_empty() && !reason.starts_with("RBAC: ") && !reason.starts_with("EKS Access Policy: ") {
        return Verdict::new(
            Reason::AuthzWebhook,
            format!("an authorizer of its own said: {reason}"),
            Confidence::Likely,
        );
    }
    let life = world.life_of(&denied.place, denied.at.ts);
    let ts = denied.at.ts;
    let is_complete = life.is_some_and(|life| {
        // Entries decide about people only; a workload's rights are RBAC's.
        let is_by_entry = caller.canonical.is_some() && !life.mode_is_config_map(ts);
        life.rbac_is_whole_at(ts) && (!is_by_entry || life.entries_doubt_at(ts, Measure::Whole).is_none())
    });
    if service_account(username).is_some() && !is_complete {
        return Verdict::new(
            Reason::AuthzServiceaccount,
            "nothing that is known lets the service account do this",
            Confidence::Guess,
        )
        .with(exact_fix(caller, shape));
    }
    let Some(life) = life else {
        return unknown(caller, shape);
    };
    let rbac = life.rbac_at(ts, Measure::Whole);
    let entry = caller.canonical.and_then(|arn| {
        let reads_entries = life.mode_at(denied.at.ts).reads_entries();
        let key = key_of(arn);
        life.entries_at(denied.at.ts)
            .find(|entry| reads_entries && entry.is_of(key.as_deref()))
    });
    let known = Known {
        rbac: &rbac,
        entry,
        caller,
        ts: denied.at.ts,
        asked: as_rbac(denied, shape),
        shape,
        cluster,
    };
    let mut verdict = known.verdict();
    if !is_complete && verdict.confidence == Confidence::Certain && verdict.reason == Reason::AuthzRbacNoBinding {
        verdict.confidence = Confidence::Guess;
    } else if !is_complete && verdict.confidence == Confidence::Certain {
        verdict.confidence = Confidence::Likely;
    }
    verdict
}

/// The same refusal, where the EKS console asked for its pages: what is missing is a viewer's rights as a whole.
pub(super) fn in_console(verdict: Verdict) -> Verdict {
    let is_absence = matches!(
        verdict.reason,
        Reason::AuthzRbacNoBinding
            | Reason::AuthzRbacGroupUnbound
            | Reason::AuthzAccessPolicyMissing
            | Reason::AuthzAccessPolicyInsufficient
    );
    if !is_absence {
        return verdict;
    }
    Verdict {
        reason: Reason::AuthzEksConsole,
        cause: format!(
            "the EKS console lists what the cluster has with the rights of the signed-in principal: {}",
            verdict.cause
        ),
        confidence: if verdict.confidence == Confidence::Guess {
            Confidence::Guess
        } else {
            Confidence::Likely
        },
        fix: verdict.fix,
    }
}

fn unknown(caller: &Caller<'_>, shape: &RequestShape) -> Verdict {
    Verdict::new(
        Reason::AuthzRbacNoBinding,
        "nothing that is known lets the caller do this",
        Confidence::Guess,
    )
    .with(exact_fix(caller, shape))
}

/// `RBAC: clusterrole.rbac.authorization.k8s.io "x" not found` at the end of the sentence or in the reason.
fn missing_role(denied: &DeniedRequest) -> Option<&str> {
    let in_text = |text: &'_ str| -> Option<(usize, usize)> {
        let at = text.rfind("RBAC: ")?;
        let rest = &text[at + 6..];
        let rest = rest.trim_start_matches('[');
        let is_role = rest.starts_with("clusterrole.rbac.authorization.k8s.io \"")
            || rest.starts_with("role.rbac.authorization.k8s.io \"");
        let start = text.len() - rest.len() + rest.find('"')? + 1;
        let end = start + text[start..].find('"')?;
        (is_role && text[end + 1..].trim_start().starts_with("not found")).then_some((start, end))
    };
    let reason = denied.decision_reason.as_deref().unwrap_or_default();
    if let Some((start, end)) = in_text(reason) {
        return Some(&reason[start..end]);
    }
    let message = request::after_forbidden(denied.status_message.as_deref()?)?;
    in_text(message).map(|(start, end)| &message[start..end])
}

/// Role and binding for exactly this request and caller.
fn exact_fix(caller: &Caller<'_>, shape: &RequestShape) -> Vec<Fix> {
    let username = caller.asker.username.as_str();
    let own_group = caller.asker.groups.iter().find(|group| !group.starts_with("system:"));
    let named = match (service_account(username), own_group) {
        (Some((namespace, name)), _) => Named::ServiceAccount(namespace, name),
        (None, Some(group)) => Named::Group(group),
        (None, None) => Named::User(username),
    };
    fixes::role_and_binding(shape, &named)
}

/// What the caller had.
struct Known<'k> {
    rbac: &'k Rbac<'k>,
    entry: Option<&'k AccessEntry>,
    caller: &'k Caller<'k>,
    ts: i64,
    asked: Request,
    shape: &'k RequestShape,
    cluster: Option<&'k Cluster>,
}

impl Known<'_> {
    fn verdict(&self) -> Verdict {
        let found = self
            .by_policy()
            .or_else(|| self.by_binding())
            .or_else(|| self.by_subject())
            .unwrap_or_else(|| self.by_absence());
        let mut fixes = exact_fix(self.caller, self.shape);
        if let (Some(cluster), Some(entry)) = (self.cluster, self.entry) {
            let by_policy = fixes::access_policy(
                cluster,
                &entry.principal_arn,
                self.shape.namespace.as_deref(),
                &self.asked,
            );
            // Who has a policy already is served best by a wider one.
            let at = if found.reason.id().starts_with("authz.access-policy.") {
                0
            } else {
                fixes.len()
            };
            fixes.insert(at, by_policy);
        }
        found.with(fixes)
    }

    fn associations(&self) -> impl Iterator<Item = &Association> {
        self.entry.into_iter().flat_map(|entry| entry.associations_at(self.ts))
    }

    /// An access policy that covers the request, elsewhere or not through impersonation.
    fn by_policy(&self) -> Option<Verdict> {
        let covering = self
            .associations()
            .find(|a| policies::rules_allow(&a.policy, &self.asked))?;
        if self.caller.is_impersonated {
            let covers = policies::allows(&covering.policy, covering.namespaces.as_deref(), &self.asked);
            let cause = format!(
                "the caller has {}, which impersonation (--as) leaves behind",
                covering.policy
            );
            return covers
                .then(|| Verdict::new(Reason::AuthzAccessPolicyLostByImpersonation, cause, Confidence::Certain));
        }
        let namespaces = covering.namespaces.as_deref()?;
        if policies::in_scope(Some(namespaces), &self.asked) {
            return None;
        }
        let cause = format!(
            "{} covers the request in the namespaces {} only",
            covering.policy,
            namespaces.join(", ")
        );
        Some(Verdict::new(Reason::AuthzAccessPolicyScope, cause, Confidence::Certain))
    }

    /// Bindings of the caller with their roles, Kubernetes's own left out.
    fn bound(&self) -> Vec<(&Binding, &Role)> {
        let own = self
            .rbac
            .bindings_of(&self.caller.asker)
            .filter(|binding| !binding.is_default);
        own.filter_map(|binding| Some((binding, self.rbac.role_of(binding)?)))
            .collect()
    }

    fn by_binding(&self) -> Option<Verdict> {
        let bound = self.bound();
        let certain = |reason, cause: String| Some(Verdict::new(reason, cause, Confidence::Certain));
        // The same rule, in another namespace.
        let allows = |role: &Role, asked: &Request| self.rbac.rules_of(role).any(|rule| rule_allows(rule, asked));
        let elsewhere = bound.iter().find(|(binding, role)| {
            !scope_covers(binding, &self.asked) && self.asked.url.is_none() && allows(role, &self.asked)
        });
        if let Some((binding, _)) = elsewhere {
            let asked = self
                .shape
                .namespace
                .as_deref()
                .map_or("all namespaces".to_owned(), |namespace| {
                    format!("namespace {namespace}")
                });
            return certain(
                Reason::AuthzRbacWrongNamespace,
                format!(
                    "{} would allow it in its own namespace; asked was for {asked}",
                    in_words(binding)
                ),
            );
        }
        let here: Vec<_> = bound
            .iter()
            .filter(|(binding, _)| scope_covers(binding, &self.asked))
            .collect();
        let with = |change: &dyn Fn(&mut crate::rbac::Rule)| {
            here.iter().find(|(_, role)| {
                self.rbac.rules_of(role).any(|rule| {
                    let mut changed = rule.clone();
                    change(&mut changed);
                    rule_allows(&changed, &self.asked)
                })
            })
        };
        // `*` names no resource: what it lacks is another thing than the group.
        let names_resource = |rule: &crate::rbac::Rule| rule.resources.iter().any(|resource| resource != "*");
        if self.asked.url.is_none() {
            if let Some((binding, _)) = with(&|rule| {
                rule.api_groups = if rule.api_groups.is_empty() || !names_resource(rule) {
                    Vec::new()
                } else {
                    vec!["*".into()]
                }
            }) {
                let group = if self.asked.api_group.is_empty() {
                    "\"\" (core)"
                } else {
                    &self.asked.api_group
                };
                return certain(
                    Reason::AuthzRbacWrongApiGroup,
                    format!(
                        "{} names {} under another API group than {group}",
                        in_words(binding),
                        self.asked.full_resource()
                    ),
                );
            }
            if let Some((binding, _)) = with(&|rule| rule.resource_names.clear()) {
                return certain(
                    Reason::AuthzRbacResourceName,
                    format!("{} allows it for certain names only", in_words(binding)),
                );
            }
            if let Some((binding, _)) = with(&|rule| {
                rule.verbs = if rule.verbs.is_empty() {
                    Vec::new()
                } else {
                    vec!["*".into()]
                }
            }) {
                return certain(
                    Reason::AuthzRbacMissingVerb,
                    format!(
                        "{} covers {} without the verb {}",
                        in_words(binding),
                        self.asked.full_resource(),
                        self.asked.verb
                    ),
                );
            }
            if let Some((binding, _)) = with(&|rule| {
                rule.resources = if rule.resources.is_empty() {
                    Vec::new()
                } else {
                    vec!["*".into()]
                }
            }) {
                return certain(
                    Reason::AuthzRbacMissingResource,
                    format!(
                        "{} has the verb {} without {}",
                        in_words(binding),
                        self.asked.verb,
                        self.asked.full_resource()
                    ),
                );
            }
            // A rule may lack both; whoever is bound here lacks the resource.
            if let Some((binding, _)) = here.first() {
                return certain(
                    Reason::AuthzRbacMissingResource,
                    format!("{} does not cover {}", in_words(binding), self.asked.full_resource()),
                );
            }
        }
        None
    }

    /// A binding that was meant for the caller and names somebody else.
    fn by_subject(&self) -> Option<Verdict> {
        let username = self.caller.asker.username.as_str();
        let likely = |reason, cause: String| Some(Verdict::new(reason, cause, Confidence::Likely));
        let account = service_account(username);
        for binding in self.rbac.bindings().iter().filter(|binding| !binding.is_default) {
            let would_allow = self
                .rbac
                .role_of(binding)
                .is_some_and(|role| self.rbac.rules_of(role).any(|rule| rule_allows(rule, &self.asked)));
            if !would_allow {
                continue;
            }
            for subject in &binding.subjects {
                let words = in_words(binding);
                match subject {
                    Subject::User(name) if name != username && name.to_lowercase() == username.to_lowercase() => {
                        return likely(
                            Reason::AuthzRbacNearMissCase,
                            format!("{words} names the user {name:?}: case counts"),
                        );
                    }
                    Subject::Group(name)
                        if self
                            .caller
                            .asker
                            .groups
                            .iter()
                            .any(|group| group != name && group.to_lowercase() == name.to_lowercase()) =>
                    {
                        return likely(
                            Reason::AuthzRbacNearMissCase,
                            format!("{words} names the group {name:?}: case counts"),
                        );
                    }
                    Subject::User(name) if self.caller.asker.groups.contains(name) => {
                        return likely(
                            Reason::AuthzRbacNearMissSubjectKind,
                            format!("{words} names the group {name:?} as a User"),
                        );
                    }
                    Subject::User(name)
                        if self.caller.canonical.is_some_and(|arn| arn.eq_ignore_ascii_case(name))
                            && name != username =>
                    {
                        return likely(
                            Reason::AuthzRbacNearMissSubjectKind,
                            format!("{words} names the ARN; Kubernetes knows the caller as {username:?}"),
                        );
                    }
                    Subject::Group(name) if name == username => {
                        return likely(
                            Reason::AuthzRbacNearMissSubjectKind,
                            format!("{words} names the user {name:?} as a Group"),
                        );
                    }
                    Subject::ServiceAccount { namespace, name }
                        if account.is_some_and(|(own, own_name)| own_name == name && own != namespace) =>
                    {
                        return likely(
                            Reason::AuthzRbacNearMissSaNamespace,
                            format!("{words} names the service account of namespace {namespace}"),
                        );
                    }
                    Subject::User(name) if name != username && username::is_meant_by(name, username) => {
                        return likely(
                            Reason::AuthzRbacUsernameSession,
                            format!(
                                "{words} names the user {name:?}; RBAC renders nothing, and the login gives {username:?}"
                            ),
                        );
                    }
                    Subject::Group(name)
                        if self
                            .caller
                            .asker
                            .groups
                            .iter()
                            .any(|group| group != name && username::is_meant_by(name, group)) =>
                    {
                        return likely(
                            Reason::AuthzRbacUsernameSession,
                            format!("{words} names the group {name:?}: RBAC renders nothing"),
                        );
                    }
                    Subject::User(name) if is_other_session(name, username) => {
                        return likely(
                            Reason::AuthzRbacUsernameSession,
                            format!("{words} names another session of the same role: sessions change, bind a group"),
                        );
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Nothing names the caller: what there is of a mapping or entry.
    fn by_absence(&self) -> Verdict {
        let certain = |reason, cause: String| Verdict::new(reason, cause, Confidence::Certain);
        if let Some(association) = self.associations().next() {
            let cause = format!(
                "{} does not cover {} {}",
                association.policy,
                self.asked.verb,
                self.asked.full_resource()
            );
            return Verdict::new(Reason::AuthzAccessPolicyInsufficient, cause, Confidence::Likely);
        }
        let own_groups: Vec<&String> = self
            .caller
            .asker
            .groups
            .iter()
            .filter(|group| !group.starts_with("system:"))
            .collect();
        if !own_groups.is_empty() && self.bound().is_empty() {
            let names: Vec<&str> = own_groups.iter().map(|group| group.as_str()).collect();
            return certain(
                Reason::AuthzRbacGroupUnbound,
                format!(
                    "the login gives the groups {}, and no binding names any of them",
                    names.join(", ")
                ),
            );
        }
        if self.entry.is_some() && self.bound().is_empty() {
            return certain(
                Reason::AuthzAccessPolicyMissing,
                "the access entry has no policy and no group: it lets in and allows nothing".to_owned(),
            );
        }
        certain(
            Reason::AuthzRbacNoBinding,
            "no binding names the user or any of its groups".to_owned(),
        )
    }
}

/// Both are sessions of one role, by their generated user names.
fn is_other_session(bound: &str, username: &str) -> bool {
    let role = |name: &str| {
        name.contains(":assumed-role/")
            .then(|| name.rsplit_once('/').map(|(role, _)| role.to_owned()))
            .flatten()
    };
    bound != username && role(bound).is_some() && role(bound) == role(username)
}
