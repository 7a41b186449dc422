//! Layer `authz`: 403 by the authorizers. What the caller had at that moment, and the fewest changes that would have let it through.
//!
//! Rule: kubernetes/kubernetes RBAC evaluation, EKS access policies; the order of reasons is the domain's.

use eksplain_parse::arn::{Arn, canonical_arn};
use eksplain_queries::facts::{DeniedRequest, Micros};

use super::request::{Caller, as_rbac};
use super::{Verdict, request};
use crate::findings::{Fix, RequestShape};
use crate::fixes::names::WholeArn;
use crate::fixes::{NOW, access_entry, aws_auth, client, power, rbac as bindings, words};
use crate::knowledge::{Known as Knowledge, Measure};
use crate::near_miss::is_one_edit;
use crate::rbac::{
    Binding, Rbac, Request, Role, Subject, in_words, policies, rule_allows, scope_covers, service_account,
};
use crate::state::aws_auth::Content;
use crate::state::entries::key_of;
use crate::state::{AccessEntry, Association, Incarnation, Mode, World};
use crate::username::{self, renders};
use crate::words::{Confidence, Reason};

/// Refused impersonation.
pub(super) fn impersonation(denied: &DeniedRequest, message: &str) -> Verdict {
    let username = denied.username.as_deref().unwrap_or_default();
    Verdict::new(
        Reason::AuthzImpersonate,
        format!("{username} may not act as somebody else (--as, --as-group)"),
        Confidence::Certain,
    )
    .with(grant_of_impersonation(username, message))
}

/// `users "alice" is forbidden: User "dave" cannot impersonate resource "users" …`: whom the caller wanted to be.
fn impersonated(message: &str) -> Option<(&str, String)> {
    let (resource, rest) = message.split_once(' ')?;
    let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = names.next()?.ok()?;
    let is_known = matches!(
        resource.split(['.', '/']).next()?,
        "users" | "groups" | "serviceaccounts" | "userextras" | "uids"
    );
    is_known.then_some((resource, name))
}

/// Acting as somebody else is power: it is named whom, and never granted for Kubernetes's own names.
fn grant_of_impersonation(username: &str, message: &str) -> Vec<Fix> {
    let mut fixes = vec![words(
        "Leave out --as and --as-group, and give the caller what it needs by itself: impersonation gives everything that the other may do",
    )];
    let named = impersonated(message).filter(|(_, name)| !name.starts_with("system:"));
    if let Some((resource, name)) = named {
        let (dotted, sub) = resource
            .split_once('/')
            .map_or((resource, None), |(resource, sub)| (resource, Some(sub)));
        let (resource, group) = dotted.split_once('.').unwrap_or((dotted, ""));
        let grant = RequestShape {
            verb: Some("impersonate".to_owned()),
            api_group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: sub.map(str::to_owned),
            name: Some(name.clone()),
            ..RequestShape::default()
        };
        let mut fix = bindings::exact(&grant, &bindings::subject_of_user(username));
        fix.title = format!(
            "Only if the caller is really to have everything that {name} may do: allow to impersonate {name}, and nobody else"
        );
        fixes.push(fix);
    }
    fixes
}

/// Why the authorizers refused.
pub(super) fn verdict(world: &World<'_>, denied: &DeniedRequest, caller: &Caller<'_>, shape: &RequestShape) -> Verdict {
    let username = caller.asker.username.as_str();
    if username == "system:anonymous" {
        return Verdict::new(
            Reason::AuthzAnonymous,
            "the request had no credential: a kubeconfig without a user, a browser, a scanner",
            Confidence::Certain,
        )
        .with([crate::fixes::advice::of(Reason::AuthzAnonymous), client::verify()]);
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
        .with(role_fix(denied, caller, shape, role));
    }
    let reason = denied.decision_reason.as_deref().unwrap_or_default();
    if !reason.is_empty() && !reason.starts_with("RBAC: ") && !reason.starts_with("EKS Access Policy: ") {
        return Verdict::new(
            Reason::AuthzWebhook,
            format!("a custom authorizer answered: {reason}"),
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
            "no known permission lets the service account do this",
            Confidence::Guess,
        )
        .with(exact_fix(caller, denied, shape, life));
    }
    let Some(life) = life else {
        return unknown(caller, denied, shape);
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
        denied,
        life,
        world,
    };
    let mut verdict = known.verdict();
    // Who logged in by IAM did so by something: where no record shows it, records are missing.
    let is_complete = is_complete && (caller.canonical.is_none() || entry.is_some() || is_mapped(life, caller, ts));
    if !is_complete && verdict.confidence == Confidence::Certain && verdict.reason == Reason::AuthzRbacNoBinding {
        verdict.confidence = Confidence::Guess;
    } else if !is_complete && verdict.confidence == Confidence::Certain {
        verdict.confidence = Confidence::Likely;
    }
    verdict
}

/// Whether aws-auth, or the creator's hidden mapping, is known to have let the caller log in.
fn is_mapped(life: &Incarnation<'_>, caller: &Caller<'_>, ts: Micros) -> bool {
    let username = caller.asker.username.as_str();
    let maps = |content: &Content| {
        let mut mappings = content.auth.mappings.iter();
        mappings.any(|mapping| renders(&mapping.username, username))
            || caller
                .canonical
                .and_then(|arn| Arn::parse(arn).ok())
                .is_some_and(|arn| content.auth.accounts.iter().any(|account| account == arn.account))
    };
    username == "kubernetes-admin"
        || life
            .aws_auth_at(ts, Measure::Whole)
            .likely()
            .is_some_and(|content| maps(content))
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
            "the EKS console lists the cluster's objects with the permissions of the signed-in principal: {}",
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

fn unknown(caller: &Caller<'_>, denied: &DeniedRequest, shape: &RequestShape) -> Verdict {
    Verdict::new(
        Reason::AuthzRbacNoBinding,
        "no known permission lets the caller do this",
        Confidence::Guess,
    )
    .with(exact_fix(caller, denied, shape, None))
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

/// The request with the name that a rule for it has to have.
fn exact_shape(denied: &DeniedRequest, shape: &RequestShape) -> RequestShape {
    RequestShape {
        name: as_rbac(denied, shape).name,
        ..shape.clone()
    }
}

/// Role and binding for exactly this request and caller, or a warning where that would give power over access.
fn exact_fix(
    caller: &Caller<'_>,
    denied: &DeniedRequest,
    shape: &RequestShape,
    life: Option<&Incarnation<'_>>,
) -> Vec<Fix> {
    if let Some(power) = power::of_request(&as_rbac(denied, shape)) {
        return vec![power::warning(power)];
    }
    let username = caller.asker.username.as_str();
    let subject = subject_to_bind(caller, denied, life);
    let mut exact = bindings::exact(&exact_shape(denied, shape), &subject);
    if matches!(subject, Subject::User(_)) && has_session_name(caller, denied) {
        exact
            .title
            .push_str("; the user name contains the session name: another session is another user");
    }
    let mut fixes = vec![exact];
    if service_account(username).is_none() && !caller.is_impersonated {
        fixes.push(client::verify_request(shape));
    }
    fixes
}

/// The user; where its name changes with each session, a group of its own login.
fn subject_to_bind(caller: &Caller<'_>, denied: &DeniedRequest, life: Option<&Incarnation<'_>>) -> Subject {
    let username = caller.asker.username.as_str();
    let user = bindings::subject_of_user(username);
    let has_session = has_session_name(caller, denied);
    let mut own = caller.asker.groups.iter().filter(|group| is_group_of_login(group));
    let group = own.find(|group| has_session || life.is_some_and(|life| is_only_of(life, caller.canonical, group)));
    match group {
        Some(group) if matches!(user, Subject::User(_)) => Subject::Group(group.clone()),
        _ => user,
    }
}

/// Whether the user name changes with the role session.
fn has_session_name(caller: &Caller<'_>, denied: &DeniedRequest) -> bool {
    let username = caller.asker.username.as_str();
    username.contains(":assumed-role/")
        || denied
            .session
            .as_deref()
            .is_some_and(|session| username != session && username.contains(session))
}

/// A group that a mapping or an entry gave, and not Kubernetes; one in angle brackets was copied from an example.
fn is_group_of_login(group: &str) -> bool {
    !group.starts_with("system:") && !group.contains(['<', '>'])
}

/// Whether only the caller's login has the group, by a mapping or an entry.
fn is_only_of(life: &Incarnation<'_>, canonical: Option<&str>, group: &str) -> bool {
    let Some(key) = canonical.and_then(key_of) else {
        return false;
    };
    let content = life.aws_auth_at(life.logs.lake_end(), Measure::Standing);
    let mapped = match &content {
        Knowledge::Is(content) => content.auth.mappings.as_slice(),
        Knowledge::Absent => &[],
        Knowledge::Unknown(_) => return false,
    };
    let of_mappings = mapped
        .iter()
        .filter(|mapping| mapping.groups.iter().any(|name| name == group || name.contains("{{")));
    let mut holders = of_mappings.map(|mapping| key_of(&mapping.arn) == Some(key.clone()));
    let of_entries = life
        .entries_at(NOW)
        .filter(|entry| entry.groups_at(NOW).iter().any(|name| name == group));
    let mut others = of_entries.map(|entry| entry.is_of(Some(&key)));
    let (mapped, entered) = (holders.next(), others.next());
    (mapped.is_some() || entered.is_some())
        && mapped.unwrap_or(true)
        && entered.unwrap_or(true)
        && holders.all(|is_own| is_own)
        && others.all(|is_own| is_own)
}

/// The role that a binding names and that is not there.
fn role_fix(denied: &DeniedRequest, caller: &Caller<'_>, shape: &RequestShape, role: &str) -> Vec<Fix> {
    if power::of_request(&as_rbac(denied, shape)).is_some() {
        return exact_fix(caller, denied, shape, None);
    }
    let text = denied.decision_reason.as_deref().unwrap_or_default();
    let message = denied.status_message.as_deref().unwrap_or_default();
    let is_cluster_role = [text, message]
        .iter()
        .any(|text| text.contains(&format!("clusterrole.{RBAC_GROUP} \"{role}\"")));
    vec![
        bindings::missing_role(
            &exact_shape(denied, shape),
            role,
            is_cluster_role || shape.namespace.is_none(),
        ),
        client::verify_request(shape),
    ]
}

const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// What the caller had.
struct Known<'k> {
    rbac: &'k Rbac<'k>,
    entry: Option<&'k AccessEntry>,
    caller: &'k Caller<'k>,
    ts: i64,
    asked: Request,
    shape: &'k RequestShape,
    denied: &'k DeniedRequest,
    life: &'k Incarnation<'k>,
    world: &'k World<'k>,
}

impl Known<'_> {
    fn verdict(&self) -> Verdict {
        let found = self
            .by_policy()
            .or_else(|| self.by_binding())
            .or_else(|| self.by_subject())
            .unwrap_or_else(|| self.by_absence());
        let fixes = self.fixes(&found);
        found.with(fixes)
    }

    /// What lets the request through, after a correction of the cause where there is one.
    fn fixes(&self, found: &Verdict) -> Vec<Fix> {
        let is_correction = !found.fix.is_empty();
        let mut fixes = exact_fix(self.caller, self.denied, self.shape, Some(self.life));
        if power::of_request(&self.asked).is_some() {
            return if is_correction { Vec::new() } else { fixes };
        }
        if let Some(group) = self.caller.asker.groups.iter().find(|group| group.contains(['<', '>'])) {
            return vec![aws_auth::correct_names(&format!(
                "the group {group}, which was copied with its angle brackets,"
            ))];
        }
        if is_correction {
            return vec![client::verify_request(self.shape)];
        }
        if found.reason == Reason::AuthzAccessPolicyLostByImpersonation {
            fixes.insert(0, crate::fixes::advice::of(found.reason));
            return fixes;
        }
        // The entry as it is now: it may have got or lost policies since.
        let key = self.caller.canonical.and_then(key_of);
        let entry = self
            .life
            .entries_at(NOW)
            .find(|entry| self.entry.is_some() && entry.is_of(key.as_deref()));
        if let Some(policy) = entry.and_then(|entry| access_entry::policy(self.life, entry, &self.asked)) {
            // Who has a policy already is served best by a wider scope.
            let at = match found.reason.id().starts_with("authz.access-policy.") && policy.is_narrow {
                true => 0,
                false => fixes.len().min(1),
            };
            fixes.insert(at, policy.fix);
        }
        fixes
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
                "the caller has {}, which does not apply to impersonated requests (--as)",
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
            let found = certain(
                Reason::AuthzRbacWrongNamespace,
                format!(
                    "{} would allow it in its own namespace; the request was for {asked}",
                    in_words(binding)
                ),
            );
            return found.map(|found| found.with(self.right_namespace(binding)));
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
            if let Some((binding, role)) = with(&|rule| {
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
                let found = certain(
                    Reason::AuthzRbacWrongApiGroup,
                    format!(
                        "{} names {} under another API group than {group}",
                        in_words(binding),
                        self.asked.full_resource()
                    ),
                );
                return found.map(|found| found.with(self.right_api_group(role)));
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
                let likely = |reason, cause: String| {
                    let found = Verdict::new(reason, cause, Confidence::Likely);
                    Some(found.with(self.right_subject(binding, subject, reason)))
                };
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

    /// A namespace that was mistyped is corrected in the request; another one is asked for where the caller may.
    fn right_namespace(&self, binding: &Binding) -> Option<Fix> {
        let (bound, asked) = (binding.namespace.as_deref()?, self.shape.namespace.as_deref()?);
        let command = client::can_i(self.shape, Some(bound));
        is_one_edit(bound, asked).then(|| {
            crate::fixes::fix(
                format!("Correct the namespace of the request: {bound} in place of {asked}"),
                command.into_iter().collect(),
            )
        })
    }

    /// The rule of the caller's role that lacks only the API group.
    fn right_api_group(&self, role: &Role) -> Option<Fix> {
        let lacks_only_group = |rule: &&crate::rbac::Rule| {
            let mut changed = (*rule).clone();
            changed.api_groups = vec![self.asked.api_group.clone()];
            rule_allows(&changed, &self.asked)
        };
        let rule = role.rules.iter().find(lacks_only_group)?;
        bindings::correct_api_group(role, rule, &self.asked.api_group)
    }

    /// The subject that a binding was meant to have.
    fn right_subject(&self, binding: &Binding, wrong: &Subject, reason: Reason) -> Vec<Fix> {
        let asker = &self.caller.asker;
        let own_group = |name: &String| asker.groups.iter().find(|group| group.eq_ignore_ascii_case(name));
        let user = bindings::subject_of_user(&asker.username);
        let right = match wrong {
            _ if reason == Reason::AuthzRbacUsernameSession => return self.group_in_place_of_session(binding, wrong),
            Subject::User(name) if name.eq_ignore_ascii_case(&asker.username) => user,
            Subject::User(name) | Subject::Group(name) => match own_group(name) {
                Some(group) => Subject::Group(group.clone()),
                None => user,
            },
            Subject::ServiceAccount { .. } => user,
        };
        vec![bindings::correct_subject(binding, wrong, &right)]
    }

    /// A session is no subject: a group of the login is, of its own or one that its entry gets.
    fn group_in_place_of_session(&self, binding: &Binding, wrong: &Subject) -> Vec<Fix> {
        let own = self.caller.asker.groups.iter().find(|group| is_group_of_login(group));
        if let Some(group) = own {
            return vec![bindings::correct_subject(
                binding,
                wrong,
                &Subject::Group(group.clone()),
            )];
        }
        let group = format!("{}-users", binding.name.replace(':', "-"));
        let correction = bindings::correct_subject(binding, wrong, &Subject::Group(group.clone()));
        let Some(entry) = self.entry else {
            let canonical = self
                .caller
                .canonical
                .or(Some(&self.caller.asker.username))
                .and_then(canonical_arn);
            let arn = canonical.map(|arn| WholeArn::of(self.world, &arn));
            let group_first = match (self.life.mode_at(NOW), arn) {
                (Mode::Api, Some(arn)) => crate::fixes::fix(
                    format!(
                        "Give the access entry the group {group}; the groups that describe-access-entry shows are listed again, because the list is replaced"
                    ),
                    access_entry::add_group_unseen(&self.life.cluster, &arn, &group),
                ),
                _ => aws_auth::correct_names(&format!("the mapping of the caller's role: give it the group {group}")),
            };
            return vec![group_first, correction];
        };
        let mut fix = correction;
        fix.title = format!("Give the access entry the group {group}, and bind it in place of the session");
        fix.commands
            .insert(0, access_entry::add_group(&self.life.cluster, entry, &group));
        vec![fix]
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
                "the access entry has no policy and no group: it allows login and nothing else".to_owned(),
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
