//! Lint of the access configuration as it stands: what is dangerous, what never works, what will lock somebody out.
//!
//! Rules of severity: EKS Best Practices Guide, "Identity and Access Management". Only what records prove is found; what they cannot
//! show is coverage's to say.

use eksplain_parse::arn::{Arn, PrincipalKind};
use eksplain_parse::aws_auth::Mapping;
use eksplain_parse::region::partition_of;
use eksplain_queries::facts::{Facts, Micros};

use crate::admins::{can_match, of_life, reaches};
use crate::creators::admin_entry_commands;
use crate::evidence;
use crate::findings::{Admin, Answers, Cluster, Evidence, Fix, Power, PrincipalState, Source, Status};
use crate::principal::is_aws_role;
use crate::rbac::{Binding, Subject, in_words};
use crate::shell::quote;
use crate::knowledge::{Known, Measure};
use crate::state::aws_auth::Content;
use crate::state::{Incarnation, Mode, World};
use crate::words::{Rule, Severity};

/// One thing to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What it breaks.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The cluster.
    pub cluster: Cluster,
    /// What it is about: a mapping, a binding, a principal, a log.
    pub subject: String,
    /// A sentence.
    pub message: String,
    /// What helps.
    pub fix: Vec<Fix>,
    /// At most 5.
    pub evidence: Vec<Evidence>,
}

const DAY: Micros = 86_400 * 1_000_000;
/// Admin power that nobody used for this long is worth a question.
const STALE: Micros = 90 * DAY;

/// Every rule over every cluster that lives, worst first.
pub fn check(facts: &Facts, answers: &Answers, at: Micros) -> Vec<Check> {
    let world = World::build(facts, at);
    let mut checks = Vec::new();
    for life in world
        .lives
        .values()
        .filter_map(|lives| lives.last())
        .filter(|life| !life.is_over_at(at))
    {
        let mut found = Found {
            life,
            checks: &mut checks,
        };
        found.aws_auth(at);
        found.bindings(at);
        found.principals(&world, answers, at);
        found.creator(answers);
        found.logs(&world);
    }
    checks.sort_by(|a, b| {
        (a.severity, &a.cluster, a.rule, &a.subject).cmp(&(b.severity, &b.cluster, b.rule, &b.subject))
    });
    checks
}

struct Found<'c, 'f> {
    life: &'c Incarnation<'f>,
    checks: &'c mut Vec<Check>,
}

impl Found<'_, '_> {
    fn add(
        &mut self,
        rule: Rule,
        severity: Severity,
        subject: &str,
        message: String,
        fix: Vec<Fix>,
        evidence: Vec<Evidence>,
    ) {
        let cluster = self.life.cluster.clone();
        self.checks.push(Check {
            rule,
            severity,
            cluster,
            subject: subject.to_owned(),
            message,
            fix,
            evidence: evidence::shown(evidence),
        });
    }

    /// Mappings that never match, entries that do not parse, an aws-auth that nobody reads.
    fn aws_auth(&mut self, at: Micros) {
        let life = self.life;
        let Some(version) = life.aws_auth.last_by(at) else {
            return;
        };
        let Known::Is(Content { auth, .. }) = life.aws_auth_at(at, Measure::Standing) else {
            return;
        };
        let proof = || vec![evidence::any(&version.at, "aws-auth as it stands")];
        if life.mode_at(at) == Mode::Api {
            if !auth.mappings.is_empty() {
                let message = format!(
                    "aws-auth has {} mappings and the mode is API, which ignores it",
                    auth.mappings.len()
                );
                self.add(
                    Rule::AwsAuthIgnored,
                    Severity::Low,
                    "aws-auth",
                    message,
                    Vec::new(),
                    proof(),
                );
            }
            return;
        }
        for problem in &auth.problems {
            let place = problem
                .entry
                .map_or(String::new(), |entry| format!(" entry {}", entry + 1));
            let subject = format!("{}{place}", problem.section.as_str());
            let (severity, what) = if problem.lost_section {
                (
                    Severity::Critical,
                    "the whole section is dropped: everybody in it is shut out, nodes too",
                )
            } else {
                (Severity::Medium, "the entry is not used as it was meant")
            };
            let fix = vec![commands(
                "Correct aws-auth",
                vec!["kubectl -n kube-system edit configmap aws-auth".to_owned()],
            )];
            self.add(
                Rule::AwsAuthMalformed,
                severity,
                &subject,
                format!("{}: {what}", problem.message),
                fix,
                proof(),
            );
        }
        let partition = partition_of(&life.cluster.region);
        for mapping in auth.mappings.iter().filter(|mapping| !can_match(mapping, partition)) {
            let (rule, why) = near_miss(mapping, partition);
            let fix = repaired(mapping).map(|arn| {
                let (name, region) = (quote(&life.cluster.name), quote(&life.cluster.region));
                let groups: String = mapping.groups.iter().map(|group| format!(" --group {}", quote(group))).collect();
                commands(
                    "Replace the mapping",
                    vec![
                        format!("eksctl delete iamidentitymapping --cluster {name} --region {region} --arn {} --all", quote(&mapping.arn)),
                        format!("eksctl create iamidentitymapping --cluster {name} --region {region} --arn {} --username {}{groups} --no-duplicate-arns", quote(&arn), quote(&mapping.username)),
                    ],
                )
            });
            self.add(
                rule,
                Severity::High,
                &mapping.arn,
                format!("this mapping never matches anybody: {why}"),
                fix.into_iter().collect(),
                proof(),
            );
        }
        for mapping in auth
            .mappings
            .iter()
            .filter(|mapping| mapping.username.starts_with("eks:") && !is_aws_role(&mapping.arn))
        {
            let message = format!(
                "it takes the user name {:?}, which looks like EKS itself",
                mapping.username
            );
            self.add(
                Rule::AwsAuthReservedUsername,
                Severity::High,
                &mapping.arn,
                message,
                Vec::new(),
                proof(),
            );
        }
    }

    /// Bindings of everybody and of nobody, and rights without bounds.
    fn bindings(&mut self, at: Micros) {
        let life = self.life;
        let rbac = life.rbac_at(at, Measure::Standing);
        for binding in rbac
            .bindings()
            .iter()
            .filter(|binding| !binding.is_default || !is_default_scope(binding))
        {
            let proof = || {
                life.rbac
                    .last_write(binding)
                    .map(|mark| evidence::any(mark, in_words(binding)))
                    .into_iter()
                    .collect::<Vec<_>>()
            };
            let kind = if binding.namespace.is_some() {
                "rolebinding"
            } else {
                "clusterrolebinding"
            };
            let namespace = binding
                .namespace
                .as_deref()
                .map(|namespace| format!(" -n {}", quote(namespace)))
                .unwrap_or_default();
            let delete = || {
                vec![commands(
                    "Remove the binding",
                    vec![format!("kubectl delete {kind} {}{namespace}", quote(&binding.name))],
                )]
            };
            for subject in &binding.subjects {
                let who = match subject {
                    Subject::Group(name) if name == "system:unauthenticated" || name == "system:authenticated" => name,
                    Subject::User(name) if name == "system:anonymous" => name,
                    _ => continue,
                };
                let is_harmless = binding.role_name == "system:public-info-viewer";
                let is_old_default = matches!(binding.role_name.as_str(), "system:discovery" | "system:basic-user");
                match (who.as_str(), is_harmless, is_old_default) {
                    (_, true, _) | ("system:authenticated", _, true) => {}
                    ("system:authenticated", ..) => {
                        let message = format!("{} gives its rights to everybody who can log in", in_words(binding));
                        self.add(
                            Rule::RbacAuthenticated,
                            Severity::High,
                            &binding.name,
                            message,
                            delete(),
                            proof(),
                        );
                    }
                    (_, _, true) => {
                        let message = format!(
                            "{} lets callers without credentials discover the API: left over from before Kubernetes 1.14",
                            in_words(binding)
                        );
                        self.add(
                            Rule::RbacAnonymous,
                            Severity::Medium,
                            &binding.name,
                            message,
                            Vec::new(),
                            proof(),
                        );
                    }
                    _ => {
                        let message = format!(
                            "{} gives its rights to the internet: {who} needs no credential",
                            in_words(binding)
                        );
                        self.add(
                            Rule::RbacAnonymous,
                            Severity::Critical,
                            &binding.name,
                            message,
                            delete(),
                            proof(),
                        );
                    }
                }
            }
            let Some(role) = rbac.role_of(binding) else {
                let message = format!("{} names a role that no record shows", in_words(binding));
                self.add(
                    Rule::RbacRoleMissing,
                    Severity::Info,
                    &binding.name,
                    message,
                    Vec::new(),
                    proof(),
                );
                continue;
            };
            let is_wild = rbac.rules_of(role).any(|rule| {
                rule.verbs.iter().any(|verb| verb == "*") && rule.resources.iter().any(|resource| resource == "*")
            });
            if is_wild && binding.namespace.is_none() && binding.role_name != "cluster-admin" {
                let message = format!(
                    "{} allows every verb on every resource of some API groups",
                    in_words(binding)
                );
                self.add(
                    Rule::RbacWildcard,
                    Severity::Medium,
                    &binding.name,
                    message,
                    Vec::new(),
                    proof(),
                );
            }
            let misplaced = rbac.rules_of(role).find_map(|rule| {
                rule.resources
                    .iter()
                    .find(|resource| rule.api_groups == [""] && is_in_another_group(resource))
            });
            if let Some(resource) = misplaced {
                let message = format!(
                    "role {:?} names {resource} under the core API group, where it is not: the rule allows nothing",
                    role.name
                );
                self.add(
                    Rule::RbacWrongApiGroup,
                    Severity::Medium,
                    &role.name,
                    message,
                    Vec::new(),
                    proof(),
                );
            }
        }
    }

    /// Principals that are gone and still let in, and power that nobody uses.
    fn principals(&mut self, world: &World<'_>, answers: &Answers, at: Micros) {
        let life = self.life;
        let name = &life.cluster;
        for reach in reaches(world, life, at)
            .into_iter()
            .filter(|reach| reach.span.covers(at))
        {
            let fate = world.iam.fate(&reach.principal, reach.span.start, at, false);
            let proof = |event: Option<&crate::state::iam::IamEvent>| {
                event
                    .map(|event| evidence::any(&event.at, format!("{} was deleted", reach.principal)))
                    .into_iter()
                    .collect::<Vec<_>>()
            };
            match fate.state {
                PrincipalState::Deleted => {
                    let message = format!(
                        "{} was deleted and {} still admits it: whoever creates that name may get in",
                        reach.principal, reach.how
                    );
                    self.add(
                        Rule::PrincipalDeleted,
                        Severity::High,
                        &reach.principal,
                        message,
                        Vec::new(),
                        proof(fate.deleted),
                    );
                }
                PrincipalState::Recreated if reach.is_aws_auth => {
                    let message = format!(
                        "{} was deleted and created again, and {} admits the new one by its name",
                        reach.principal, reach.how
                    );
                    self.add(
                        Rule::PrincipalRecreated,
                        Severity::High,
                        &reach.principal,
                        message,
                        Vec::new(),
                        proof(fate.deleted),
                    );
                }
                _ => {}
            }
        }
        // Sorted by cluster and source.
        let asked = (Some(name), Source::Audit);
        let row = answers
            .coverage
            .binary_search_by(|row| (row.cluster.as_ref(), row.source).cmp(&asked));
        let audit_since = row.ok().and_then(|row| answers.coverage[row].first);
        let is_watched = audit_since.is_some_and(|since| since < at - STALE);
        let is_idle = |admin: &&Admin| admin.last_seen.is_none_or(|seen| seen < at - STALE);
        for admin in of_life(&answers.admins, life)
            .iter()
            .filter(|admin| is_active(admin))
            .filter(is_idle)
            .filter(|_| is_watched)
        {
            let message = format!("{} is cluster-admin and did not use it for 90 days", admin.principal);
            let proof = admin.routes.iter().flat_map(|route| route.evidence.clone()).collect();
            self.add(
                Rule::AdminStale,
                Severity::Medium,
                &admin.principal,
                message,
                Vec::new(),
                proof,
            );
        }
    }

    /// A creator who is the only way in, or the root user.
    fn creator(&mut self, answers: &Answers) {
        let life = self.life;
        // Sorted by cluster and life.
        let asked = (&life.cluster, life.number);
        let row = answers
            .creators
            .binary_search_by(|creator| (&creator.cluster, creator.incarnation).cmp(&asked));
        let Ok(creator) = row.map(|row| &answers.creators[row]) else {
            return;
        };
        let Some(principal) = creator.creator.principal.as_deref() else {
            return;
        };
        let is_admin = of_life(&answers.admins, life)
            .iter()
            .any(|admin| admin.principal == principal && is_active(admin));
        // Who is gone already is told by creator.locked-out.
        if is_admin && creator.other_admins.is_empty() && !creator.recovery.needed {
            let commands_for_second =
                admin_entry_commands(&life.cluster.name, &life.cluster.region, "SECOND_ADMIN_ROLE_ARN");
            let message = format!("{principal} is the only admin: if it is deleted, everybody is locked out");
            self.add(
                Rule::CreatorOnlyAdmin,
                Severity::High,
                principal,
                message,
                vec![commands("Make a second admin", commands_for_second)],
                creator.evidence.clone(),
            );
        }
        if principal.ends_with(":root") {
            self.add(
                Rule::CreatorRoot,
                Severity::High,
                principal,
                "the root user created the cluster".to_owned(),
                Vec::new(),
                creator.evidence.clone(),
            );
        }
        if creator.recovery.needed {
            self.add(
                Rule::CreatorLockedOut,
                Severity::Critical,
                principal,
                creator.recovery.why.clone(),
                Vec::new(),
                creator.evidence.clone(),
            );
        }
    }

    fn logs(&mut self, world: &World<'_>) {
        let life = self.life;
        for source in [Source::Audit, Source::Authenticator] {
            if !world.index.has_records(&life.cluster, source.id()) {
                let command = format!(
                    "aws eks update-cluster-config --name {} --region {} --logging '{{\"clusterLogging\":[{{\"types\":[\"{source}\"],\"enabled\":true}}]}}'",
                    quote(&life.cluster.name),
                    quote(&life.cluster.region)
                );
                let message = format!("no {source} log of this cluster is in the lake: it is off, or was not ingested");
                self.add(
                    Rule::LogsMissing,
                    Severity::Medium,
                    source.id(),
                    message,
                    vec![commands("Turn it on", vec![command])],
                    Vec::new(),
                );
            }
        }
    }
}

fn commands(title: &str, commands: Vec<String>) -> Fix {
    Fix {
        title: title.to_owned(),
        commands,
        manifest: None,
    }
}

fn is_active(admin: &Admin) -> bool {
    !admin.aws_managed && admin.power == Power::Admin && admin.status == Status::Active
}

/// Kubernetes's own bindings name only the groups that they are made with.
fn is_default_scope(binding: &Binding) -> bool {
    binding.subjects.iter().all(|subject| match subject {
        Subject::Group(name) => match name.as_str() {
            "system:unauthenticated" => binding.role_name == "system:public-info-viewer",
            "system:authenticated" => matches!(
                binding.role_name.as_str(),
                "system:public-info-viewer" | "system:discovery" | "system:basic-user"
            ),
            _ => true,
        },
        Subject::User(name) => name != "system:anonymous",
        Subject::ServiceAccount { .. } => true,
    })
}

/// Resources that people put under the core group and that live in another.
fn is_in_another_group(resource: &str) -> bool {
    matches!(
        resource,
        "deployments"
            | "daemonsets"
            | "statefulsets"
            | "replicasets"
            | "ingresses"
            | "ingress"
            | "jobs"
            | "cronjobs"
            | "networkpolicies"
            | "roles"
            | "rolebindings"
    )
}

/// Why a mapping never matches, seen from itself.
fn near_miss(mapping: &Mapping, partition: &str) -> (Rule, String) {
    let Ok(arn) = Arn::parse(&mapping.arn) else {
        return (Rule::AwsAuthNearMissNoArn, "it is no ARN".to_owned());
    };
    if mapping.arn.contains(['*', '?']) {
        return (
            Rule::AwsAuthNearMissWildcard,
            "aws-auth takes wildcards literally".to_owned(),
        );
    }
    match arn.kind() {
        PrincipalKind::Role if arn.resource.to_lowercase().contains("aws-reserved/sso.amazonaws.com") => (
            Rule::AwsAuthNearMissSsoPath,
            "the path /aws-reserved/sso.amazonaws.com/… must be left out".to_owned(),
        ),
        PrincipalKind::Role if !arn.partition.eq_ignore_ascii_case(partition) => (
            Rule::AwsAuthNearMissPartition,
            format!("the cluster is in the partition {partition}"),
        ),
        PrincipalKind::Role => (
            Rule::AwsAuthNearMissRolePath,
            "the role's path must be left out".to_owned(),
        ),
        PrincipalKind::AssumedRole => (
            Rule::AwsAuthNearMissAssumedRoleArn,
            "it names a session; the role's own ARN is compared".to_owned(),
        ),
        PrincipalKind::Group | PrincipalKind::InstanceProfile => (
            Rule::AwsAuthNearMissGroupArn,
            "nobody logs in as a group or an instance profile".to_owned(),
        ),
        _ => (
            Rule::AwsAuthNearMissPartition,
            format!("the cluster is in the partition {partition}"),
        ),
    }
}

/// The ARN that was meant, where it follows from the wrong one.
fn repaired(mapping: &Mapping) -> Option<String> {
    let arn = Arn::parse(&mapping.arn).ok()?;
    let is_role = matches!(arn.kind(), PrincipalKind::Role | PrincipalKind::AssumedRole);
    (is_role && !mapping.arn.contains(['*', '?']))
        .then(|| format!("arn:{}:iam::{}:role/{}", arn.partition, arn.account, arn.name()))
}
