//! A creator who is the only way in, who is the root user, who came back under its name; and clusters without any admin.

use eksplain_parse::time::format_rfc3339;

use super::fix::{cluster_and_region, commands, delete_entry, look_at, second_admin};
use super::{Asked, Check, by, is_active};
use crate::admins::of_life;
use crate::can_i::doubts;
use crate::evidence;
use crate::findings::{Admin, Creator, Fix, Power, PrincipalState, Route, RouteKind, Status, Works};
use crate::state::Mode;
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    pub(super) fn creator(&self) -> Vec<Check> {
        // Sorted by cluster and life.
        let asked = (&self.life.cluster, self.life.number);
        let row = self
            .answers
            .creators
            .binary_search_by(|creator| (&creator.cluster, creator.incarnation).cmp(&asked));
        let Ok(creator) = row.map(|row| &self.answers.creators[row]) else {
            return Vec::new();
        };
        let no_admin = self.no_admin(creator);
        let locked_out = self.locked_out(creator).filter(|_| no_admin.is_none());
        let Some(principal) = creator.creator.principal.as_deref() else {
            return no_admin.into_iter().chain(locked_out).collect();
        };
        let found = [
            no_admin,
            locked_out,
            self.only_admin(creator, principal),
            self.recreated(creator, principal),
            self.root(creator, principal),
        ];
        found.into_iter().flatten().collect()
    }

    fn admins(&self) -> &[Admin] {
        of_life(&self.answers.admins, self.life)
    }

    fn holds_creators_right(&self, principal: &str) -> bool {
        let own = self.admins().iter().filter(|admin| admin.principal == principal);
        let mut routes = own.flat_map(|admin| &admin.routes);
        routes.any(|route| route.route == RouteKind::Creator && route.status == Status::Active)
    }

    fn only_admin(&self, creator: &Creator, principal: &str) -> Option<Check> {
        let is_admin = self
            .admins()
            .iter()
            .any(|admin| admin.principal == principal && is_active(admin));
        let may_be_admin = |admin: &Admin| {
            admin.principal != principal
                && !admin.aws_managed
                && admin.power == Power::Admin
                && admin.status != Status::Revoked
        };
        let is_alone = creator.other_admins.is_empty() && !self.admins().iter().any(may_be_admin);
        // Who is gone already is told by creator.locked-out.
        if !is_admin || !is_alone || creator.recovery.needed || !doubts::of_admins(self.life, self.at).is_empty() {
            return None;
        }
        let message = format!("{principal} is the only admin: if it is deleted, nobody has access any more");
        Some(
            Check::new(Rule::CreatorOnlyAdmin, Severity::High, principal, message)
                .fix(second_admin(&self.life.cluster, self.life.mode_at(self.at)))
                .proof(creator.evidence.clone()),
        )
    }

    /// The last grant ended by a record, and nobody else can be hidden: now, or as of where the lake ends.
    fn no_admin(&self, creator: &Creator) -> Option<Check> {
        let people = || {
            self.admins()
                .iter()
                .filter(|admin| !admin.aws_managed && admin.power == Power::Admin)
        };
        let lake_end = self.life.lake_ended_before(self.at);
        let known_at = lake_end.unwrap_or(self.at);
        if people().any(|admin| admin.status != Status::Revoked) || !doubts::of_admins(self.life, known_at).is_empty() {
            return None;
        }
        let ended = |route: &&Route| route.route != RouteKind::Escalation && route.valid_to.is_some();
        let grants = people().flat_map(|admin| admin.routes.iter().filter(ended).map(move |route| (admin, route)));
        let (last, route) = grants.max_by_key(|(_, route)| route.valid_to)?;
        let ended = route.valid_to?;
        let how = route
            .detail
            .split_once("; ")
            .map_or(String::new(), |(_, how)| format!(": {how}"));
        let (severity, as_of) = match lake_end {
            None => (Severity::Critical, String::new()),
            Some(end) => (
                Severity::High,
                format!(" (as of {}, where the lake ends)", format_rfc3339(end)),
            ),
        };
        let message = format!(
            "the cluster has no admin any more{as_of}: {} was the last one, until {}{how}",
            last.principal,
            format_rfc3339(ended)
        );
        Some(
            Check::new(Rule::CreatorNoAdmin, severity, &last.principal, message)
                .fix(way_back(creator))
                .proof(route.evidence.clone()),
        )
    }

    fn locked_out(&self, creator: &Creator) -> Option<Check> {
        let subject = creator.creator.principal.as_deref().unwrap_or(&self.life.cluster.name);
        creator.recovery.needed.then(|| {
            Check::new(
                Rule::CreatorLockedOut,
                Severity::Critical,
                subject,
                creator.recovery.why.clone(),
            )
            .fix(way_back(creator))
            .proof(creator.evidence.clone())
        })
    }

    /// The hidden right goes by the name: whoever creates the role or user again has it.
    fn recreated(&self, creator: &Creator, principal: &str) -> Option<Check> {
        let rests_on_name = !self.life.entries.iter().any(|entry| entry.of_creator)
            && matches!(
                self.life.mode_at(self.at),
                Mode::ConfigMap | Mode::ApiAndConfigMap | Mode::Unknown
            )
            && self
                .life
                .modes
                .first()
                .is_none_or(|change| !change.mode.reads_entries());
        let is_back = creator.creator_state == PrincipalState::Recreated && rests_on_name;
        if !is_back || !self.holds_creators_right(principal) {
            return None;
        }
        let fate = self
            .world
            .iam
            .fate(principal, self.life.born.unwrap_or(self.life.start), self.at, true);
        let message = format!(
            "{principal}, who created the cluster, was deleted{} and recreated{}: the new identity is cluster-admin by the creator's \
             hidden right",
            by(fate.deleted.and_then(|event| event.by.as_deref())),
            by(fate.recreated.and_then(|event| event.by.as_deref())),
        );
        let mut take_away: Vec<String> = second_admin(&self.life.cluster, Mode::ConfigMap)
            .into_iter()
            .take(1)
            .flat_map(|fix| fix.commands)
            .collect();
        take_away.extend(delete_entry(&self.life.cluster, principal).commands);
        let fixes = [
            look_at(principal),
            Some(commands(
                "If it must not have the right: let the cluster read access entries (which cannot be undone), create another admin \
                 (replace SECOND_ADMIN with its role), and delete the entry that EKS creates for the creator",
                take_away,
            )),
        ];
        Some(
            Check::new(Rule::CreatorRecreated, Severity::High, principal, message)
                .fix(fixes.into_iter().flatten())
                .proof(creator.evidence.clone())
                .proof(
                    fate.recreated
                        .map(|event| evidence::any(&event.at, format!("{principal} was recreated"))),
                ),
        )
    }

    fn root(&self, creator: &Creator, principal: &str) -> Option<Check> {
        let (name, region) = cluster_and_region(&self.life.cluster);
        let then = commands(
            "Then log in with that role, and stop using the root user",
            vec![format!(
                "aws eks update-kubeconfig --name {name} --region {region} --role-arn {}",
                role_of_second_admin(self)
            )],
        );
        principal.ends_with(":root").then(|| {
            Check::new(
                Rule::CreatorRoot,
                Severity::High,
                principal,
                "the root user created the cluster",
            )
            .fix(second_admin(&self.life.cluster, self.life.mode_at(self.at)))
            .fix([then])
            .proof(creator.evidence.clone())
        })
    }
}

fn role_of_second_admin(asked: &Asked<'_, '_>) -> String {
    let cluster = &asked.life.cluster;
    let account = if cluster.account.is_empty() {
        "ACCOUNT"
    } else {
        &cluster.account
    };
    format!(
        "arn:{}:iam::{account}:role/SECOND_ADMIN",
        eksplain_parse::region::partition_of(&cluster.region)
    )
}

/// The first ways of the recovery plan that are open.
fn way_back(creator: &Creator) -> Vec<Fix> {
    let open = creator
        .recovery
        .options
        .iter()
        .filter(|option| option.works != Works::No && !option.commands.is_empty());
    let works = |works: Works| move |option: &&crate::findings::RecoveryOption| option.works == works;
    let sure = open.clone().filter(works(Works::Yes));
    let unsure = open.filter(works(Works::Depends));
    sure.chain(unsure)
        .take(2)
        .map(|option| commands(option.title.clone(), option.commands.clone()))
        .collect()
}
