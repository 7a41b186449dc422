//! Groups of mappings: those that look like a real one and are not, and those that whoever logs in can choose.

use eksplain_parse::aws_auth::Mapping;

use super::fix::edit_aws_auth;
use super::{Asked, Check};
use crate::evidence;
use crate::fixes::aws_auth as aws_auth_fixes;
use crate::knowledge::Measure;
use crate::near_miss::{Home, can_match, is_one_edit, plain};
use crate::rbac::Subject;
use crate::state::Mode;
use crate::words::{Rule, Severity};

const MASTERS: &str = "system:masters";
const NODES: [&str; 2] = ["system:bootstrappers", "system:nodes"];
/// Groups that Kubernetes gives a meaning to by their name.
const REAL: [&str; 6] = [
    MASTERS,
    NODES[0],
    NODES[1],
    "system:node-proxier",
    "system:authenticated",
    "system:unauthenticated",
];

/// Whether a mapping is one of nodes: without both groups a node neither joins nor works.
pub(super) fn is_of_nodes(mapping: &Mapping) -> bool {
    NODES.iter().all(|group| mapping.groups.iter().any(|own| own == group))
}

/// The real group that a name was meant to be; `None` where it is real itself, or like none.
fn look_alike(group: &str) -> Option<&'static str> {
    if REAL.contains(&group) {
        return None;
    }
    let meant = plain(group).to_lowercase();
    let like = |real: &&&str| meant == **real || (meant.starts_with("system") && is_one_edit(&meant, real));
    REAL.iter().find(like).copied()
}

impl Asked<'_, '_> {
    pub(super) fn groups(&self) -> Vec<Check> {
        let Some((content, mark)) = self.aws_auth_now().filter(|_| self.life.mode_at(self.at) != Mode::Api) else {
            return Vec::new();
        };
        let home = Home::of(&self.life.cluster);
        let mappings = content.auth.mappings.iter().filter(|mapping| can_match(mapping, home));
        let found = mappings.flat_map(|mapping| self.look_alikes(mapping).into_iter().chain(template(mapping)));
        found
            .map(|check| check.proof([evidence::any(mark, "aws-auth as it is now")]))
            .collect()
    }

    fn look_alikes(&self, mapping: &Mapping) -> Option<Check> {
        let rbac = self.life.rbac_at(self.at, Measure::Standing);
        // A binding that names exactly this group gives it power after all.
        let is_bound = |group: &str| {
            let mut subjects = rbac.bindings().iter().flat_map(|binding| &binding.subjects);
            subjects.any(|subject| matches!(subject, Subject::Group(name) if name == group))
        };
        let meant = |group: &str| look_alike(group).filter(|_| !is_bound(group));
        let slips: Vec<(&String, &str)> = mapping
            .groups
            .iter()
            .filter_map(|group| Some((group, meant(group)?)))
            .collect();
        if slips.is_empty() {
            return None;
        }
        let words: Vec<String> = slips
            .iter()
            .map(|(group, real)| format!("{group:?} is not {real}"))
            .collect();
        let is_of = |groups: &[&str]| slips.iter().any(|(_, real)| groups.contains(real));
        let (severity, effect) = match (is_of(&[MASTERS]), is_of(&NODES)) {
            (true, _) => (
                Severity::High,
                ": anybody who logs in through this mapping is not an admin",
            ),
            (_, true) => (Severity::High, ": nodes of this mapping cannot join or work"),
            _ => (Severity::Medium, ": the group has no power"),
        };
        let corrected: Vec<String> = mapping
            .groups
            .iter()
            .map(|group| meant(group).map_or_else(|| group.clone(), str::to_owned))
            .collect();
        // Brackets that were copied with the groups were copied with the name.
        let username = match mapping
            .username
            .strip_prefix('<')
            .and_then(|name| name.strip_suffix('>'))
        {
            Some(name) => name,
            None => &mapping.username,
        };
        let right = Mapping {
            username: username.to_owned(),
            groups: corrected,
            ..mapping.clone()
        };
        let fix = aws_auth_fixes::rewrite(&self.life.cluster, &right);
        let message = format!("{}{effect}", words.join(", "));
        Some(Check::new(Rule::AwsAuthLookAlikeGroup, severity, &mapping.arn, message).fix([fix]))
    }
}

/// A group that is rendered from what whoever logs in can choose.
fn template(mapping: &Mapping) -> Option<Check> {
    let group = mapping.groups.iter().find(|group| {
        ["{{SessionName}}", "{{SessionNameRaw}}"]
            .iter()
            .any(|part| group.contains(part))
    })?;
    // A session name has no colon: what stands before the template must have it.
    let before = group.split("{{").next().unwrap_or_default();
    let reached = REAL
        .iter()
        .find(|real| !before.is_empty() && before.ends_with(':') && real.starts_with(before));
    let (severity, effect) = match reached {
        Some(_) => (Severity::Critical, format!(", {MASTERS} among them")),
        None => (Severity::Medium, String::new()),
    };
    let message = format!(
        "the group {group:?} is rendered from the session name: whoever can assume the role chooses the group{effect}"
    );
    let fix = edit_aws_auth("Write each group by its name, with one role for each");
    Some(Check::new(Rule::AwsAuthGroupTemplate, severity, &mapping.arn, message).fix([fix]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_look_like_a_real_one_are_known_and_others_are_not() {
        for (group, expected) in [
            ("<system:masters>", Some(MASTERS)),
            ("system:master", Some(MASTERS)),
            ("systems:masters", Some(MASTERS)),
            ("System:Masters", Some(MASTERS)),
            ("system:masters ", Some(MASTERS)),
            ("system-masters", Some(MASTERS)),
            ("system: masters", Some(MASTERS)),
            ("system:mаsters", Some(MASTERS)),
            ("system:node", Some(NODES[1])),
            ("<system:bootstrappers>", Some(NODES[0])),
            ("system:bootstrapers", Some(NODES[0])),
            (MASTERS, None),
            ("system:authenticated", None),
            ("masters", None),
            ("developers", None),
            ("system:monitoring", None),
            ("eks:kube-proxy-windows", None),
        ] {
            assert_eq!(look_alike(group), expected, "{group}");
        }
    }

    #[test]
    fn a_template_that_can_render_a_real_group_is_the_worst() {
        let mapping = |group: &str| Mapping {
            section: eksplain_parse::aws_auth::Section::Roles,
            arn: "arn:aws:iam::111122223333:role/Ops".to_owned(),
            username: "ops".to_owned(),
            groups: vec![group.to_owned()],
            is_sso: false,
        };
        for (group, expected) in [
            ("system:{{SessionName}}", Some(Severity::Critical)),
            ("team-{{SessionName}}", Some(Severity::Medium)),
            ("{{SessionNameRaw}}", Some(Severity::Medium)),
            ("account-{{AccountID}}", None),
            ("team", None),
        ] {
            assert_eq!(
                template(&mapping(group)).map(|check| check.severity),
                expected,
                "{group}"
            );
        }
    }
}
