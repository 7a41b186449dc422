//! aws-auth: what does not parse, what nothing reads, mappings that match nobody, and versions that lost what the one before had.

use eksplain_parse::arn::Arn;
use eksplain_parse::aws_auth::{AwsAuth, Mapping, Section};
use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{Mark, Micros};

use super::fix::{aws_auth_of, cluster_and_region, commands, edit_aws_auth, rename_key, restore_aws_auth};
use super::groups::is_of_nodes;
use super::{Asked, Check, by};
use crate::evidence;
use crate::findings::{Evidence, Fix, PrincipalState};
use crate::fixes::aws_auth as aws_auth_fixes;
use crate::knowledge::{Known, Measure};
use crate::near_miss::{Flaw, Home, Slip, flaw};
use crate::principal::is_aws_role;
use crate::shell::quote;
use crate::state::Mode;
use crate::state::aws_auth::Content;
use crate::state::entries::key_of;
use crate::state::history::{How, State, Version};
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    /// Mappings that never match, entries that do not parse, an aws-auth that nobody reads or that was emptied.
    pub(super) fn aws_auth(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self.emptied().into_iter().collect();
        let Some((content, mark)) = self.aws_auth_now() else {
            return checks;
        };
        let proof = || [shows(mark)];
        // Of a trail that is missing the mode would be known, and whether anybody reads aws-auth.
        if self.life.mode_at(self.at) == Mode::Unknown && self.life.lacks_trail() {
            return Vec::new();
        }
        if self.life.mode_at(self.at) == Mode::Api {
            checks.extend(self.ignored(&content.auth).map(|check| check.proof(proof())));
            return checks;
        }
        checks.extend(self.malformed(content).map(|check| check.proof(proof())));
        checks.extend(wrong_keys(content).map(|check| check.proof(proof())));
        checks.extend(self.never_matched(&content.auth).map(|check| check.proof(proof())));
        checks.extend(reserved(&content.auth).map(|check| check.proof(proof())));
        checks
    }

    /// What aws-auth holds at the moment, and the record that shows it.
    pub(super) fn aws_auth_now(&self) -> Option<(&Content, &Mark)> {
        match self.life.aws_auth_at(self.at, Measure::Standing) {
            Known::Is(content) => Some((content, &self.life.aws_auth.last_by(self.at)?.at)),
            Known::Absent | Known::Unknown(_) => None,
        }
    }

    fn ignored(&self, auth: &AwsAuth) -> Option<Check> {
        let count = auth.mappings.len();
        let (name, region) = cluster_and_region(&self.life.cluster);
        let plural = if count == 1 { "" } else { "s" };
        let message =
            format!("aws-auth has {count} mapping{plural}, and the cluster's mode is API, which ignores aws-auth");
        let fix = commands(
            "Delete aws-auth, once whoever still needs access has an access entry",
            vec![
                format!("aws eks list-access-entries --cluster-name {name} --region {region}"),
                "kubectl -n kube-system delete configmap aws-auth".to_owned(),
            ],
        );
        (count > 0).then(|| Check::new(Rule::AwsAuthIgnored, Severity::Low, "aws-auth", message).fix([fix]))
    }

    /// Sections and entries that the authenticator cannot use.
    fn malformed(&self, content: &Content) -> impl Iterator<Item = Check> {
        content.auth.problems.iter().map(move |problem| {
            let place = problem
                .entry
                .map_or(String::new(), |entry| format!(" entry {}", entry + 1));
            let section = problem.section.as_str();
            let good =
                self.last_good(|content| !content.auth.lost(problem.section) && content.data[section].is_string());
            let (severity, what) = match problem.lost_section {
                true => {
                    let had_nodes = problem.section == Section::Roles
                        && good.is_some_and(|(_, good)| good.auth.mappings.iter().any(is_of_nodes));
                    let who = if had_nodes {
                        "everybody in it, nodes too, has lost access"
                    } else {
                        "everybody in it has lost access"
                    };
                    (Severity::Critical, format!("the whole section is dropped: {who}"))
                }
                false => (Severity::Medium, "the entry is not used as it was meant".to_owned()),
            };
            let fix = match good.filter(|_| problem.lost_section) {
                Some((_, good)) => {
                    let mut data = content.data.clone();
                    data[section] = good.data[section].clone();
                    aws_auth_of(&format!("Restore the last {section} that parsed"), &data)
                }
                None => edit_aws_auth(format!("Correct {section}{place} in aws-auth")),
            };
            let message = format!("{section}{place}: {}: {what}", problem.message);
            Check::new(Rule::AwsAuthMalformed, severity, &format!("{section}{place}"), message).fix([fix])
        })
    }

    fn never_matched(&self, auth: &AwsAuth) -> impl Iterator<Item = Check> {
        let home = Home::of(&self.life.cluster);
        auth.mappings.iter().filter_map(move |mapping| {
            let found = flaw(mapping, home)?;
            let rule = found.slip.rule()?;
            let key = arn_key(mapping);
            let correct = found
                .meant
                .as_ref()
                .map(|arn| format!("; the line that was meant is `{key}: {arn}`"));
            let message = format!(
                "nobody can log in through this mapping: {}{}",
                found.slip.cause(),
                correct.unwrap_or_default()
            );
            Some(Check::new(rule, Severity::High, &mapping.arn, message).fix([self.correction(mapping, &found)]))
        })
    }

    fn correction(&self, mapping: &Mapping, found: &Flaw) -> Fix {
        if let Some(arn) = &found.meant {
            return aws_auth_fixes::correct(&self.life.cluster, mapping, arn, true);
        }
        let key = arn_key(mapping);
        let name = mapping.arn.rsplit('/').next().unwrap_or_default();
        let edit = "kubectl -n kube-system edit configmap aws-auth".to_owned();
        match found.slip {
            Slip::NoPrincipal if mapping.arn.contains(":group/") => commands(
                "Map the group's members one by one, or a role that they assume",
                vec![
                    format!("aws iam get-group --group-name {} --query Users[].Arn", quote(name)),
                    edit,
                ],
            ),
            Slip::NoPrincipal => commands(
                "Map the role of the instance profile",
                vec![
                    format!(
                        "aws iam get-instance-profile --instance-profile-name {} --query InstanceProfile.Roles[].Arn",
                        quote(name)
                    ),
                    edit,
                ],
            ),
            Slip::Wildcard => edit_aws_auth(format!(
                "Write one entry for each role or user, without wildcards, in place of `{key}: {}`",
                mapping.arn
            )),
            _ if mapping.is_sso => edit_aws_auth("Map the permission set's role by rolearn, without its path"),
            _ => edit_aws_auth(format!(
                "Write the ARN of the role or user, a role's without its path, in place of `{key}: {}`",
                mapping.arn
            )),
        }
    }

    /// A version that lost the mappings of the nodes, or all, and that nothing made good since.
    fn emptied(&self) -> Option<Check> {
        let life = self.life;
        if life.mode_at(self.at) == Mode::Api {
            return None;
        }
        let now: &[Mapping] = match life.aws_auth_at(self.at, Measure::Standing) {
            Known::Is(content) if !content.auth.problems.iter().any(|problem| problem.lost_section) => {
                &content.auth.mappings
            }
            Known::Absent => &[],
            _ => return None,
        };
        let has_nodes = now.iter().any(is_of_nodes);
        let (before, content) = self.last_good(|content| {
            let mappings = &content.auth.mappings;
            (now.is_empty() && !mappings.is_empty()) || (!has_nodes && mappings.iter().any(is_of_nodes))
        })?;
        // Whoever has an access entry instead, or is no more, lost nothing.
        let lost: Vec<&Mapping> = content
            .auth
            .mappings
            .iter()
            .filter(|mapping| (now.is_empty() || is_of_nodes(mapping)) && self.needs_mapping(mapping))
            .collect();
        let lost_nodes = lost.iter().any(|mapping| is_of_nodes(mapping));
        if lost.is_empty() || (!now.is_empty() && has_nodes) {
            return None;
        }
        let versions = life.aws_auth.versions();
        let emptied = versions
            .iter()
            .find(|version| version.at > before.at && version.at.ts <= self.at)?;
        if !self.reads_mappings_only() && !lost.iter().any(|mapping| self.was_refused(mapping, emptied.at.ts)) {
            return None;
        }
        let how = how_lost(emptied);
        let what = match (now.is_empty(), lost_nodes) {
            (true, true) => "all mappings of aws-auth, the nodes' among them,",
            (true, false) => "all mappings of aws-auth",
            (false, _) => "the mappings of the nodes in aws-auth (system:bootstrappers, system:nodes)",
        };
        let effect = if lost_nodes {
            ": nodes cannot join, and those that are there lose access"
        } else {
            ""
        };
        let arns: Vec<&str> = lost.iter().take(3).map(|mapping| mapping.arn.as_str()).collect();
        let more = if lost.len() > 3 { ", …" } else { "" };
        let message = format!("{what} {how}{effect}; lost: {}{more}", arns.join(", "));
        let title = format!("Restore aws-auth as it was at {}", format_rfc3339(before.at.ts));
        Some(
            Check::new(Rule::AwsAuthEmptied, Severity::Critical, "aws-auth", message)
                .fix([restore_aws_auth(&title, content)])
                .proof([
                    evidence::any(
                        &before.at,
                        format!("aws-auth with {} mappings", content.auth.mappings.len()),
                    ),
                    evidence::any(&emptied.at, format!("aws-auth{}", by(emptied.by.as_deref()))),
                ]),
        )
    }

    fn needs_mapping(&self, mapping: &Mapping) -> bool {
        if flaw(mapping, Home::of(&self.life.cluster)).is_some() {
            return false;
        }
        let Some(arn) = mapping.caller_arn() else {
            return mapping.is_sso;
        };
        let key = key_of(&arn);
        let has_entry = self.life.entries_at(self.at).any(|entry| entry.is_of(key.as_deref()));
        let canonical = self.world.spellings.canonical(&arn).unwrap_or(arn);
        let fate = self.world.iam.fate(&canonical, self.life.start, self.at, true);
        !has_entry && fate.state != PrincipalState::Deleted
    }

    /// Whether it is known that the cluster reads aws-auth, and which access entries there are: who has neither is shut out.
    fn reads_mappings_only(&self) -> bool {
        let mode = self.life.mode_known_at(self.at, Measure::Standing);
        match mode {
            Known::Is(Mode::ConfigMap) => true,
            Known::Is(Mode::ApiAndConfigMap) => self.life.entries_doubt_at(self.at, Measure::Standing).is_none(),
            _ => false,
        }
    }

    /// Whether a login that a mapping was for was refused since a moment.
    fn was_refused(&self, mapping: &Mapping, since: Micros) -> bool {
        let cluster = Some(&self.life.cluster);
        let is_its = |arn: &str| Arn::parse(arn).is_ok_and(|arn| mapping.matches(&arn));
        self.world.facts.denied_logins.iter().any(|line| {
            line.at.ts >= since
                && line.at.ts <= self.at
                && line.arn.as_deref().is_some_and(is_its)
                && self.world.places.cluster(&line.place).as_ref() == cluster
        })
    }

    /// The last version up to the moment whose content is known, parses and is as asked.
    fn last_good(&self, is_meant: impl Fn(&Content) -> bool) -> Option<(&Version<Content>, &Content)> {
        let mut contents = self
            .life
            .aws_auth_contents()
            .filter(|(version, _)| version.at.ts <= self.at);
        contents.rfind(|(_, content)| is_meant(content))
    }
}

/// `was removed by X at T`, as far as the record tells.
fn how_lost(version: &Version<Content>) -> String {
    let (when, by) = (format_rfc3339(version.at.ts), by(version.by.as_deref()));
    match (version.how, &version.state) {
        (How::Look, _) => format!("were gone by {when}"),
        (How::Death, _) => format!("went with aws-auth, which was deleted{by} at {when}"),
        (_, State::Obscured) => format!("were lost in or after a write{by} at {when}"),
        _ => format!("were removed{by} at {when}"),
    }
}

fn shows(mark: &Mark) -> Evidence {
    evidence::any(mark, "aws-auth as it is now")
}

fn arn_key(mapping: &Mapping) -> &'static str {
    match mapping.section {
        Section::Users => "userarn",
        Section::Roles | Section::Accounts => "rolearn",
    }
}

/// Keys that the authenticator does not read.
fn wrong_keys(content: &Content) -> impl Iterator<Item = Check> {
    content.auth.unread_keys.iter().map(|(key, section)| {
        let right = section.as_str();
        let message = format!(
            "aws-auth has the key {key:?}, which nothing reads: nobody in it has access; the key must be {right}"
        );
        let fix = match content.data[right].is_null() {
            true => rename_key(key, right),
            false => edit_aws_auth(format!("Move the entries of {key:?} to {right}")),
        };
        Check::new(Rule::AwsAuthWrongKey, Severity::Critical, key, message).fix([fix])
    })
}

/// Mappings that look like EKS's own.
fn reserved(auth: &AwsAuth) -> impl Iterator<Item = Check> {
    let takes = |mapping: &&Mapping| mapping.username.starts_with("eks:") && !is_aws_role(&mapping.arn);
    auth.mappings.iter().filter(takes).map(|mapping| {
        let message = format!(
            "it takes the user name {:?}, which looks like EKS itself",
            mapping.username
        );
        let fix = edit_aws_auth("Give the mapping a user name that does not begin with eks:");
        Check::new(Rule::AwsAuthReservedUsername, Severity::High, &mapping.arn, message).fix([fix])
    })
}
