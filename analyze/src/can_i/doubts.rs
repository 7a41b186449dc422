//! What keeps "nothing known allows it" from being "no": the parts of the state that the lake does not show, each with the command that
//! would.

use eksplain_queries::facts::Micros;

use crate::knowledge::{Gap, Known, Measure};
use crate::rbac::{Asker, Rbac, Request};
use crate::shell::quote;
use crate::state::rbac_history::Completeness;
use crate::state::{Incarnation, Mode};

/// A part of the state that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsettled {
    /// Why, without a full stop.
    pub(crate) why: String,
    /// The command that would settle it.
    command: String,
}

impl Unsettled {
    /// As a blind spot.
    pub(crate) fn sentence(&self) -> String {
        let mut letters = self.why.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}: `{}` would settle it.", letters.as_str(), self.command)
    }

    fn of_gap(life: &Incarnation<'_>, what: &str, gap: Option<&Gap>) -> Self {
        match gap {
            Some(gap) => Self {
                why: format!("{what} is not known: {}", gap.sentence()),
                command: gap.settled_by(&life.cluster),
            },
            None => Self {
                why: format!("{what} is not known: a record that may have changed it does not show how"),
                command: kubectl(life, "clusterroles,clusterrolebindings,roles,rolebindings -A"),
            },
        }
    }
}

/// What kubectl shows, taken into the lake.
fn kubectl(life: &Incarnation<'_>, what: &str) -> String {
    format!(
        "kubectl get {what} -o json | eksplain ingest snapshot --kubectl - --cluster {}",
        quote(&life.cluster.name)
    )
}

/// What is open in RBAC for this asker and request.
pub(super) fn of_rbac(
    life: &Incarnation<'_>,
    rbac: &Rbac<'_>,
    asker: &Asker,
    request: &Request,
    at: Micros,
) -> Vec<Unsettled> {
    let mut kinds = vec!["clusterrolebindings"];
    if request.namespace.is_some() && request.url.is_none() {
        kinds.push("rolebindings");
    }
    // The rules of a role matter only where a binding of the asker names it.
    for binding in rbac
        .bindings_of(asker)
        .filter(|binding| rbac.role_of(binding).is_none())
    {
        kinds.push(if binding.role_is_cluster_role {
            "clusterroles"
        } else {
            "roles"
        });
    }
    of_kinds(life, &kinds, at).into_iter().collect()
}

/// What could hide an admin: "nobody else" needs all of it.
pub(crate) fn of_admins(life: &Incarnation<'_>, at: Micros) -> Vec<Unsettled> {
    let mut unsettled = of_login(life, at);
    unsettled.extend(of_kinds(life, &["clusterrolebindings", "clusterroles"], at));
    unsettled
}

fn of_kinds(life: &Incarnation<'_>, kinds: &[&'static str], at: Micros) -> Option<Unsettled> {
    kinds
        .iter()
        .find_map(|kind| match life.rbac_completeness_at(at, &[*kind], Measure::Fresh) {
            Completeness::Whole => None,
            Completeness::NotLookedAt(kind) => Some(Unsettled {
                why: format!("the {kind} of {} are not in the lake", life.cluster.name),
                command: kubectl(life, "clusterroles,clusterrolebindings,roles,rolebindings -A"),
            }),
            Completeness::Gap(gap) => Some(Unsettled::of_gap(life, "what RBAC allows now", Some(&gap))),
            Completeness::Obscured => Some(Unsettled::of_gap(life, "what RBAC allows now", None)),
        })
}

/// What is open of who can log in.
pub(super) fn of_login(life: &Incarnation<'_>, at: Micros) -> Vec<Unsettled> {
    let mut unsettled = Vec::new();
    let mode = life.mode_known_at(at, Measure::Fresh);
    if !matches!(mode, Known::Is(Mode::Api)) {
        match life.aws_auth_at(at, Measure::Fresh) {
            Known::Is(_) | Known::Absent => {}
            Known::Unknown(doubt) if life.aws_auth.versions().is_empty() => unsettled.push(Unsettled {
                why: format!("what aws-auth of {} contains is not in the lake", life.cluster.name),
                command: match doubt.gap {
                    Some(_) | None => kubectl(life, "configmap aws-auth -n kube-system"),
                },
            }),
            Known::Unknown(doubt) => unsettled.push(Unsettled {
                command: kubectl(life, "configmap aws-auth -n kube-system"),
                ..Unsettled::of_gap(life, "what aws-auth contains now", doubt.gap.as_ref())
            }),
        }
    }
    if !life.mode_is_config_map(at)
        && let Some(gap) = life.entries_doubt_at(at, Measure::Fresh)
    {
        unsettled.push(Unsettled {
            command: format!("eksplain ingest snapshot --cluster {}", quote(&life.cluster.name)),
            ..Unsettled::of_gap(life, "which access entries there are", Some(&gap))
        });
    }
    // The hidden right of whoever made the cluster is in no list.
    let may_be_hidden = matches!(mode, Known::Is(Mode::ConfigMap) | Known::Unknown(_))
        && life.created.is_none()
        && life.bootstrap_admin() != Some(false);
    if may_be_hidden {
        unsettled.push(Unsettled {
            why: "the lake does not show who created the cluster, and the creator has a hidden admin right".to_owned(),
            command: "eksplain ingest cloudtrail --since 90d".to_owned(),
        });
    }
    unsettled
}
